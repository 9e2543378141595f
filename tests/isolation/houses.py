"""Two departments with data of every sort. In all that is one's own stands a word that stands nowhere else: where the
other department reads it, something has leaked."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.utils import timezone

from aetherflow.errors import AnticipatedError
from aetherflow.etl import ReadOptions
from aetherflow.registry import department as find_department
from apps.accounts.models import Session, User
from apps.datasets.direct import begin, multipart_of
from apps.datasets.models import Dataset, DirectUpload, HeaderMapping
from apps.insights.models import Insight, InsightItem, Review
from apps.insights.selectors import declared_of
from apps.insights.services.reviewing import review
from apps.insights.services.snoozing import snooze_all
from apps.jobs.models import Job
from apps.jobs.services.again import change_settings
from apps.jobs.services.submission import submit
from apps.jobs.sqs.messages import EtlMessage, MlMessage
from tests.accounts.factories import SessionFactory, UserFactory
from tests.jobs.line import messages_of
from tests.jobs.steps import compute, deliver

# Of each department: what of its sample bears the word, a column whose label does, and a cell that is rejected.
_MARKED = {
    "supply_chain": (
        ("Electronics", "SUP-"),
        "lead_time_days",
        "min_order_qty",
        "2026-10-04,WH-01,S-9,,{}-many,1,1,1,1,S",
    ),
    "finance": (
        ("Utilities", "City Power"),
        "payment_type",
        "amount",
        "T-9,2026-03-30,,,Travel,V,{}-much,EUR,card,approved,",
    ),
}


@dataclass(frozen=True, kw_only=True)
class House:
    """One department: a member of it, and one of everything it has."""

    department: str
    word: str
    person: User
    file: bytes
    first: Dataset
    newest: Dataset
    failed: Job
    insight: Insight
    review: Review
    mapping: HeaderMapping
    session: Session
    upload: DirectUpload

    @property
    def ids(self) -> dict[str, str]:
        """What stands in an address, by the name it has there."""
        things: dict[str, Model] = {
            "dataset_id": self.newest,
            "job_id": self.failed,
            "insight_id": self.insight,
            "review_id": self.review,
            "mapping_id": self.mapping,
            "session_id": self.session,
            "upload_id": self.upload,
        }
        return {"department": self.department} | {name: str(thing.pk) for name, thing in things.items()}

    @property
    def secrets(self) -> list[bytes]:
        """What nobody outside may read: the word, and the ids that lead to what bears it."""
        ids = [value for name, value in self.ids.items() if name != "department"]
        ids += [str(self.first.pk), str(self.person.pk), str(self.failed.dataset_id)]
        return [each.encode() for each in (self.word, *ids)]


def marked_file(department: str, word: str) -> bytes:
    """The department's sample with the word in cells, in a label and in a cell that is rejected."""
    texts, label, _, bad = _MARKED[department]
    text = find_department(department).samples.good.read_text(encoding="utf-8")
    for each in texts:
        text = text.replace(each, f"{word}-{each}")
    head, rows = text.split("\n", 1)
    return "\n".join([head.replace(label, f"{word} label"), bad.format(word), rows]).encode()


def build(department: str, word: str, *, sqs: Any) -> House:
    """By the services that requests call, and the line that workers work."""
    person: User = UserFactory(department=department, full_name=f"Ada {word}", email=f"ada@{word}.example".lower())
    content = marked_file(department, word)
    upload = _uploader(person, word, sqs=sqs)
    mapping = {f"{word} label": _MARKED[department][1]}
    first = upload(
        content, name="first", options=ReadOptions(mapping=mapping), idempotency_key=f"monday-{word}"
    ).dataset
    # Other bytes of the same rows: remembered by its labels, and beside the first in everything that is compared.
    newest = upload(content + b"\n", name="newest").dataset
    without = content.replace(_MARKED[department][2].encode(), word.encode())
    failed = upload(without, name="refused")
    upload(content + b"\n\n", name="mended", corrects=newest)
    insight = Insight.objects.filter(dataset=newest).get()
    declared = declared_of(insight)
    assert declared is not None
    items = InsightItem.objects.filter(insight=insight).order_by("rank")[:2]
    reviewed, snoozed = (declared.subject_of(each.item) for each in items)
    now, until = timezone.now(), timezone.localdate() + timedelta(days=7)
    said = review(insight=insight, subject=reviewed, verdict="expected", note=f"note {word}", by=person, at=now)
    snooze_all(insight=insight, subjects=[snoozed], until=until, note=f"later {word}", by=person, at=now)
    values = {(insight.kind, setting.name): setting.most for setting in declared.settings}
    change_settings(department=department, values=values, by=person, at=now, request_id=f"settings-{word}")
    _work(sqs)
    failed.refresh_from_db()
    return House(
        department=department,
        word=word,
        person=person,
        file=content,
        first=Dataset.objects.get(pk=first.pk),
        newest=Dataset.objects.get(pk=newest.pk),
        failed=failed,
        insight=Insight.objects.filter(dataset=newest).get(),
        review=said,
        mapping=HeaderMapping.objects.get(department=department),
        session=SessionFactory(user=person, user_agent=f"browser of {word}"),
        upload=_sent(person, word, content),
    )


def _sent(person: User, word: str, content: bytes) -> DirectUpload:
    """A direct upload whose one part has arrived, and that is not completed."""
    upload = begin(
        filename=f"large {word}.csv",
        size_bytes=len(content),
        sha256="",
        department=person.department,
        name=f"large {word}",
        description="",
        on_error="quarantine",
        max_reject_share=None,
        options=ReadOptions(),
        corrects=None,
        by=person,
        at=timezone.now(),
    ).upload
    multipart_of(upload).put(1, content, sha256=sha256(content).hexdigest())
    return upload


def _uploader(person: User, word: str, *, sqs: Any) -> Callable[..., Job]:
    def upload(content: bytes, *, name: str, **said: Any) -> Job:
        submission = submit(
            file=SimpleUploadedFile(f"{name} {word}.csv", content),
            department=person.department,
            name=f"{name} {word}",
            description=f"description {word}",
            by=person,
            at=timezone.now(),
            request_id=f"{name}-{word}-{uuid.uuid4().hex[:8]}",
            **said,
        )
        _work(sqs)
        return submission.job

    return upload


def _work(sqs: Any) -> None:
    """What lies in the queues, until none is left; a refused file is left to its job, which says why."""
    while found := messages_of(sqs, "etl"):
        for message, headers in found:
            try:
                following = deliver(EtlMessage.parse(message), headers)
            except AnticipatedError:
                continue
            assert following is not None
            compute(following.message, headers)
    for message, headers in messages_of(sqs, "ml"):
        compute(MlMessage.parse(message), headers)
