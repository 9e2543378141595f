"""What the platform leans on: the database and what must be in it, the raw store, the queues, its own processes."""

from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from apps.accounts.choices import Approval, ConsoleRole
from apps.accounts.models import User
from apps.accounts.roles import out_of_step
from apps.datasets.storage import STORE_ERRORS, raw_storage
from apps.jobs import clock
from apps.jobs.broker import sqs_settings
from apps.jobs.management.commands.demo import DOMAIN, PASSWORD
from apps.jobs.probes import beating
from apps.jobs.readiness import RELAY
from apps.jobs.sqs import names
from apps.jobs.sqs.queues import Queue, QueueNotReady, require_redrive_policy, stats_of
from apps.jobs.sqs.settings import SqsSettings
from config.doctor.finding import Finding

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_OLDEST_POSTGRESQL = 15
_PROVISION = "Run `manage.py provision`."
# Written anew each time, so that it is one small object for ever where nothing may be deleted.
_PROBE = "raw/.doctor/probe"
_STARTED_BY = {
    names.ETL: "celery -A celery_app worker -Q etl -n etl@%h",
    names.ML: "celery -A celery_app worker -Q ml -n ml@%h",
    RELAY: "python manage.py relay --loop",
}


def database() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000, "
            "current_setting('server_encoding'), rolsuper, current_setting('max_connections')::int, "
            "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') "
            "FROM pg_roles WHERE rolname = session_user"
        )
        version, major, encoding, is_superuser, most, open_ = cursor.fetchone()
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_tables WHERE tablename = %s AND tableowner = session_user)", ["jobs_job"]
        )
        ((owns,),) = cursor.fetchall()
    if major < _OLDEST_POSTGRESQL:
        yield Finding.fault(f"PostgreSQL {version} is too old.", f"Use {_OLDEST_POSTGRESQL} or newer.")
    if encoding != "UTF8":
        yield Finding.fault(f"Its encoding is {encoding}.", "Make the database anew with ENCODING 'UTF8'.")
    if is_superuser:
        told = "The platform logs in as a superuser, whom no right holds back."
        yield Finding.warn(told, "Give it a role of its own that owns nothing, and set OWNER_DATABASE_URL.")
    elif owns and settings.SECURE:
        told = "The platform logs in as the owner of the tables, who can take row-level security off."
        yield Finding.warn(told, "Give it a log-in of its own in DATABASE_URL, the owner's in OWNER_DATABASE_URL.")
    if open_ > 0.8 * most:
        told = f"{open_} of {most} connections are open."
        yield Finding.warn(told, "Raise max_connections, lower DATABASE_CONN_MAX_AGE, or run fewer processes.")
    yield Finding.ok(f"PostgreSQL {version}, {open_} of {most} connections open")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    newer = list(of_a_newer_release(executor.loader))
    if missing:
        told = ", ".join(f"{each.app_label}.{each.name}" for each, _ in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        fix = "Stop processes of the older release where docs/operations.md says so, then run `manage.py migrate`."
        yield Finding.fault(f"Not applied: {told}{more}.", fix)
    yield from newer
    if not missing and not newer:
        yield Finding.ok(f"{len(executor.loader.applied_migrations)} applied")


def of_a_newer_release(loader: MigrationLoader) -> Iterator[Finding]:
    if unknown := sorted(set(loader.applied_migrations) - set(loader.disk_migrations)):
        told = ", ".join(f"{app}.{name}" for app, name in unknown[:5])
        yield Finding.fault(f"The database has migrations this release does not: {told}.", "Deploy the newer release.")


def roles() -> Iterator[Finding]:
    if differing := out_of_step():
        told = f"Not what the code says they may: {', '.join(differing)}."
        yield Finding.fault(told, "Run `manage.py migrate`, which puts the roles right.")
    else:
        yield Finding.ok("the console's roles have their permissions")


def accounts() -> Iterator[Finding]:
    active = User.objects.filter(is_active=True, approval=Approval.APPROVED)
    admins = active.filter(console_role=ConsoleRole.ADMIN).count()
    if not admins:
        told = "Nobody administers the console: nobody is approved, invited or shut."
        yield Finding.fault(told, "Run `manage.py create_user --role admin --email … --password-stdin`.")
    if settings.REGISTRATION_POLICY != "open":
        demo = [each for each in active.filter(email__endswith=f"@{DOMAIN}") if each.check_password(PASSWORD)]
        if demo:
            told = f"The demo's password, which everybody knows, opens {', '.join(each.email for each in demo)}."
            yield Finding.fault(told, "Deactivate them in the console, or give them other passwords.")
    if admins:
        waiting = User.objects.filter(is_active=True, approval=Approval.PENDING).count()
        yield Finding.ok(f"active admins of the console: {admins}; accounts that wait for approval: {waiting}")


def storage() -> Iterator[Finding]:
    store, content = raw_storage(), uuid4().hex.encode()
    try:
        told = store.ping()
        name = store.save(_PROBE, ContentFile(content))
        with closing(store.stream(name)) as stream:
            same = b"".join(stream) == content
        with suppress(*STORE_ERRORS):  # the platform deletes no raw file, and may have no right to
            store.delete(name)
    except STORE_ERRORS as error:
        yield Finding.fault(f"A file cannot be kept: {error}", mend_storage())
        return
    if same:
        yield Finding.ok(f"{told}, and gives back what it was given")
    else:
        yield Finding.fault("It gave back something else than it was given.", "See to the store before anything else.")


def mend_storage() -> str:
    if settings.RAW_STORAGE == "s3":
        return (
            "Check RAW_BUCKET, the endpoint, the credentials and their rights to list, put and get. "
            "`manage.py provision` makes a bucket that is missing."
        )
    return f"Make {settings.RAW_ROOT} a folder this process' user can write: `manage.py provision`."


def queues(*, only: Collection[str] = (names.ETL, names.ML)) -> Iterator[Finding]:
    """`only`: a process has the right to look at its own, and at no others."""
    sqs = sqs_settings()
    client = sqs.client()
    lines = [queue for queue in sqs.queues.all if queue.key in only]
    try:
        for queue in lines:
            require_redrive_policy(client, queue=queue, max_receives=sqs.max_receives)
            yield from _differing(client, queue, sqs)
        stats = [stats_of(client, name) for queue in lines for name in (queue.name, queue.dead_letter_name)]
    except QueueNotReady as refusal:
        yield Finding.fault(refusal.message, _PROVISION)
        return
    except (BotoCoreError, ClientError) as error:
        fix = "Check QUEUE_URL_BASE or AWS_ENDPOINT_URL_SQS, AWS_DEFAULT_REGION, the credentials and their rights."
        yield Finding.fault(f"SQS does not answer, or refuses: {error}", fix)
        return
    dead_letters = {queue.dead_letter_name for queue in lines}
    for each in stats:
        if each.name in dead_letters and each.total:
            told = f"Dead letters in {each.name}: {each.total}."
            yield Finding.warn(told, "Mend what their jobs' errors say, then retry the jobs.")
    yield Finding.ok(f"{len(stats)} queues, each line with its redrive policy")


def _differing(client: "SQSClient", queue: Queue, sqs: SqsSettings) -> Iterator[Finding]:
    url = client.get_queue_url(QueueName=queue.name)["QueueUrl"]
    if not sqs.endpoint_url and url != sqs.queue_url(queue):
        told = f"Messages for {queue.name} would go to {sqs.queue_url(queue)}, and it is at {url}."
        yield Finding.fault(told, "Set QUEUE_URL_BASE to the queues' URL without their name.")
    dead = client.get_queue_url(QueueName=queue.dead_letter_name)["QueueUrl"]
    own, its_dead = (
        client.get_queue_attributes(QueueUrl=each, AttributeNames=["VisibilityTimeout", "MessageRetentionPeriod"])[
            "Attributes"
        ]
        for each in (url, dead)
    )
    hidden = int(own["VisibilityTimeout"])
    if hidden != sqs.visibility_seconds:
        told = f"{queue.name} hides a message for {hidden} s; QUEUE_VISIBILITY_SECONDS is {sqs.visibility_seconds}."
        yield Finding.warn(told, _PROVISION)
    # ElasticMQ tells of none: it keeps messages until it is stopped.
    kept, its_dead_kept = (int(each.get("MessageRetentionPeriod", 0)) for each in (own, its_dead))
    if kept and its_dead_kept <= kept:
        told = f"{queue.dead_letter_name} forgets letters as soon as {queue.name}, whose age they keep: some at once."
        yield Finding.warn(told, _PROVISION)


def workers() -> Iterator[Finding]:
    alive = beating(clock.now())
    for queue, command in _STARTED_BY.items():
        if not alive[queue]:
            what = "No relay" if queue == RELAY else f"No worker for the queue {queue}"
            yield Finding.fault(f"{what} gives a sign of life: jobs wait.", f"Start one: `{command}`.")
    if all(alive[queue] for queue in _STARTED_BY):
        yield Finding.ok(", ".join(f"{alive[queue]} {queue}" for queue in _STARTED_BY))
