"""The second factor in the console: set up, changed, removed, taken away; what is seen where it is required."""

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts import services
from apps.accounts.choices import AuditAction, ConsoleRole
from apps.accounts.models import AuditEntry, RecoveryCode, User
from apps.accounts.scope import GATE, current_scope, department_scope, no_scope
from config.middleware import ScopeMiddleware
from tests.accounts.factories import PASSWORD, AdminFactory, OperatorFactory
from tests.accounts.second_factor import CODE, JOBS, LOGIN, enrolled, give, is_in, password, told
from tests.support.phone import Phone
from tests.test_console_matrix import Who, addresses, filled, person

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("plain_static_files", "quick_passwords", "no_wait"),
]


@pytest.fixture
def operator() -> User:
    made: User = OperatorFactory(email="ada@example.com")
    return made


# --- One's own pages ---


@pytest.fixture
def console(operator: User) -> Client:
    client = Client()
    password(client, operator)
    return client


def key_shown(page: str) -> str:
    found = re.search(r'class="code totp-key">([A-Z2-7 ]+)<', page)
    assert found
    return found[1]


def test_it_is_set_up_and_asked_for_from_then_on(console: Client, operator: User) -> None:
    elsewhere = Client()
    password(elsewhere, operator)
    before = console.session.session_key
    shown = console.get("/admin/second-factor/enrol/")
    assert "no-store" in shown["Cache-Control"]
    page = shown.content.decode()
    assert "<svg" in page
    phone = Phone(key_shown(page))
    assert key_shown(console.get("/admin/second-factor/enrol/").content.decode()) == key_shown(page), "still the same"
    done = console.post("/admin/second-factor/enrol/", {"password": PASSWORD, "code": phone.code()})
    assert "no-store" in done["Cache-Control"]
    codes = re.findall(r'<li class="code">([a-z2-7-]{19})</li>', done.content.decode())
    assert len(codes) == 10
    assert told(AuditAction.SECOND_FACTOR_SET_UP).details == {"sessions_ended": 1}
    assert is_in(console)
    assert console.session.session_key != before
    assert not is_in(elsewhere), "it never gave a code"
    assert "second_factor_key" not in console.session
    assert "10 of 10" in console.get("/admin/second-factor/").content.decode()
    again = Client()
    assert password(again, operator)["Location"] == CODE
    assert give(again, phone.code()).status_code == 302


@pytest.mark.parametrize(("wrong", "said"), [("password", "not your present password"), ("code", "not good")])
def test_it_is_not_set_up_without_password_and_code(console: Client, wrong: str, said: str) -> None:
    phone = Phone(key_shown(console.get("/admin/second-factor/enrol/").content.decode()))
    given = {"password": PASSWORD, "code": phone.code()} | {wrong: phone.wrong()}
    assert said in console.post("/admin/second-factor/enrol/", given).content.decode()
    assert not TOTPDevice.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_another_session_is_shown_another_key(console: Client, operator: User) -> None:
    elsewhere = Client()
    password(elsewhere, operator)
    keys = {key_shown(each.get("/admin/second-factor/enrol/").content.decode()) for each in (console, elsewhere)}
    assert len(keys) == 2


@pytest.fixture
def inside(operator: User, phone: Phone) -> Client:
    client = Client()
    password(client, operator)
    give(client, phone.code())
    return client


def test_there_is_one(inside: Client, operator: User, phone: Phone) -> None:
    assert inside.get("/admin/second-factor/enrol/")["Location"] == "/admin/second-factor/"
    with pytest.raises(services.second_factor.ConflictError):
        enrolled(operator)


@pytest.mark.parametrize("page", ["codes", "remove"])
@pytest.mark.parametrize("wrong", ["password", "code"])
def test_it_is_changed_with_password_and_code_alone(inside: Client, phone: Phone, page: str, wrong: str) -> None:
    kept = set(RecoveryCode.objects.values_list("sha256"))
    given = {"password": PASSWORD, "code": phone.code()} | {wrong: "000000" if wrong == "password" else phone.wrong()}
    assert inside.post(f"/admin/second-factor/{page}/", given).status_code == 200
    assert TOTPDevice.objects.exists()
    assert set(RecoveryCode.objects.values_list("sha256")) == kept


def test_it_is_removed(inside: Client, operator: User, phone: Phone) -> None:
    answer = inside.post("/admin/second-factor/remove/", {"password": PASSWORD, "code": phone.code()})
    assert answer["Location"] == "/admin/second-factor/"
    assert "It is off" in inside.get("/admin/second-factor/").content.decode()
    assert not TOTPDevice.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert told(AuditAction.SECOND_FACTOR_REMOVED).actor_id == operator.pk
    assert password(Client(), operator)["Location"] == JOBS


def test_new_recovery_codes_are_shown_once(inside: Client, phone: Phone) -> None:
    answer = inside.post("/admin/second-factor/codes/", {"password": PASSWORD, "code": phone.code()})
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.decode().count('<li class="code">') == 10
    assert "aetherflow-recovery-codes.txt" in answer.content.decode()
    assert told(AuditAction.RECOVERY_CODES_MADE).details == {}


def test_the_password_is_not_guessed_by_it(inside: Client, settings: Any) -> None:
    settings.RATE_PASSWORD_USER = (3, timedelta(hours=1))
    for n in range(4):
        answer = inside.post("/admin/second-factor/remove/", {"password": f"guess {n}", "code": "000000"})
    assert "too many tries" in answer.content.decode()


# --- Policy ---


def test_off_asks_nobody_and_has_no_page(operator: User, phone: Phone, settings: Any) -> None:
    settings.CONSOLE_TOTP = "off"
    client = Client()
    assert password(client, operator)["Location"] == JOBS
    for name in ("", "enrol/", "codes/", "remove/"):
        assert client.get(f"/admin/second-factor/{name}").status_code == 404
    assert "/admin/second-factor/" not in client.get("/admin/").content.decode()


def test_whoever_may_enrol_finds_it_in_the_menu(console: Client) -> None:
    assert 'href="/admin/second-factor/"' in console.get("/admin/").content.decode()


@pytest.mark.parametrize("who", [Who.VIEWER, Who.ADMIN, Who.SUPERUSER])
def test_where_it_is_required_nothing_is_seen_before_it_is_set_up(who: Who, settings: Any) -> None:
    settings.CONSOLE_TOTP = "required"
    user = person(who)
    assert user
    client = Client()
    password(client, user)
    enrolment, open_to_all, wrong = reverse("admin:second_factor_enrol"), {"login", "logout", "second_factor_code"}, []
    for address in addresses():
        if address.key in open_to_all | {"second_factor_enrol"}:
            continue
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = client.generic(method, filled(address.path, None))
            if answer.status_code != 302 or answer["Location"] != enrolment or answer.content:
                wrong.append(f"{method} {address.key} {answer.status_code}")
    assert not wrong
    page = client.get(enrolment).content.decode()
    assert "nav-sidebar" not in page
    assert JOBS not in page
    assert client.get(LOGIN, follow=True).redirect_chain[-1] == (enrolment, 302)


def test_where_it_is_required_the_console_opens_once_it_is_set_up(operator: User, settings: Any) -> None:
    settings.CONSOLE_TOTP = "required"
    client = Client()
    password(client, operator)
    phone = Phone(key_shown(client.get("/admin/second-factor/enrol/").content.decode()))
    done = client.post("/admin/second-factor/enrol/", {"password": PASSWORD, "code": phone.code()})
    assert "Your recovery codes" in done.content.decode()
    assert is_in(client)
    page = client.get("/admin/second-factor/").content.decode()
    assert "/admin/second-factor/remove/" not in page
    answer = client.post("/admin/second-factor/remove/", {"password": PASSWORD, "code": phone.code()})
    assert "has to have a second factor" in answer.content.decode()
    assert TOTPDevice.objects.exists()


def test_where_it_becomes_required_a_session_without_a_code_logs_in_again(operator: User, settings: Any) -> None:
    phone, _ = enrolled(operator)
    settings.CONSOLE_TOTP = "off"
    client = Client()
    password(client, operator)
    settings.CONSOLE_TOTP = "required"
    answer = client.get(JOBS, follow=True)
    assert [to for to, _ in answer.redirect_chain] == ["/admin/second-factor/enrol/", LOGIN]
    password(client, operator)
    give(client, phone.code())
    assert is_in(client)


def test_where_it_is_required_no_department_is_in_reach_before(operator: User, settings: Any) -> None:
    """The second layer: a page that forgot to ask would find nothing."""
    client, seen = Client(), []
    password(client, operator)

    def look(self: Any, request: Any, *rest: Any) -> None:
        kept(self, request, *rest)
        seen.append(current_scope())

    kept = ScopeMiddleware.process_view
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScopeMiddleware, "process_view", look)
        anew = Client()  # whose first request loads the middleware
        anew.cookies = client.cookies
        anew.get(JOBS)
        settings.CONSOLE_TOTP = "required"
        anew.get(JOBS)
    assert seen == ["*", GATE]


# --- Taken away ---


def reset(client: Client, user: User) -> str:
    address = reverse("admin:accounts_user_second_factor", args=[user.pk])
    question = client.get(address).context["question"]
    body = dict(question.hidden) | {"reason": "lost phone"}
    return client.post(address, body, follow=True).content.decode()


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(AdminFactory(email="root@example.com"))
    return client


def test_an_admin_takes_it_away_from_who_has_lost_it(root: Client, inside: Client, operator: User) -> None:
    page = root.get(reverse("admin:accounts_user_change", args=[operator.pk])).content.decode()
    assert reverse("admin:accounts_user_second_factor", args=[operator.pk]) in page
    assert "Left without a second factor: ada@example.com." in reset(root, operator)
    assert not is_in(inside)
    entry = told(AuditAction.SECOND_FACTOR_RESET)
    assert (entry.reason, entry.target_id, entry.details) == ("lost phone", str(operator.pk), {"sessions_ended": 1})
    assert password(Client(), operator)["Location"] == JOBS
    page = root.get(reverse("admin:accounts_user_change", args=[operator.pk])).content.decode()
    assert reverse("admin:accounts_user_second_factor", args=[operator.pk]) not in page


def test_but_not_ones_own(settings: Any) -> None:
    admin = AdminFactory()
    enrolled(admin)
    client = Client()
    client.force_login(admin)
    assert "This is your own account." in reset(client, admin)
    assert TOTPDevice.objects.exists()


def test_nor_a_superusers_by_who_is_none() -> None:
    superuser = AdminFactory()
    enrolled(superuser)
    client = Client()
    client.force_login(OperatorFactory(console_role=ConsoleRole.ADMIN))
    assert "superuser" in reset(client, superuser)
    assert TOTPDevice.objects.exists()


def run(*args: str) -> dict[str, str]:
    out = io.StringIO()
    call_command("second_factor", *args, "--json", stdout=out)
    answer: dict[str, str] = json.loads(out.getvalue())
    return answer


def test_the_command_takes_it_away_and_is_safe_to_run_twice(inside: Client, operator: User) -> None:
    args = ("--reset", " Ada@example.com", "--reason", "lost phone")
    assert run(*args, "--dry-run") == {"result": "would-be-reset", "email": operator.email}
    assert is_in(inside)
    assert run(*args)["result"] == "reset"
    assert not is_in(inside)
    assert run(*args)["result"] == run(*args, "--dry-run")["result"] == "has-none"
    entry = told(AuditAction.SECOND_FACTOR_RESET)
    assert entry.actor is None
    assert "on the command line" in entry.actor_name
    assert entry.reason == "lost phone"


@pytest.mark.parametrize(
    "args", [("--reset", "nobody@example.com", "--reason", "lost"), ("--reset", "ada@example.com", "--reason", " ")]
)
def test_the_command_says_what_it_misses(operator: User, args: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refusal:
        run(*args)
    assert refusal.value.returncode == 2


# --- Secrets ---


def test_no_secret_is_in_logs_audit_or_lists(
    console: Client, operator: User, root: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    shown = key_shown(console.get("/admin/second-factor/enrol/").content.decode())
    phone = Phone(shown)
    given = {"password": PASSWORD, "code": phone.code()}
    page = console.post("/admin/second-factor/enrol/", given).content.decode()
    codes = re.findall(r'<li class="code">([a-z2-7-]{19})</li>', page)
    client = Client()
    password(client, operator)
    used = phone.code()
    give(client, used)
    give(client, codes[0])
    told = caplog.text + str([*AuditEntry.objects.values()])
    secrets = [shown.replace(" ", ""), shown, phone.key.hex(), PASSWORD, used, *codes]
    assert "second_factor.set_up" in told
    assert not [secret for secret in secrets if secret in told]
    assert root.get("/admin/otp_totp/totpdevice/").status_code == 404
    page = root.get(reverse("admin:accounts_user_change", args=[operator.pk])).content.decode()
    assert not [secret for secret in secrets if secret in page]


def test_no_department_s_scope_reaches_a_key(operator: User, phone: Phone) -> None:
    for scope in (department_scope("sales"), no_scope()):
        with scope:
            assert not TOTPDevice.objects.exists()
            assert not RecoveryCode.objects.exists()
    assert TOTPDevice.objects.exists()
    assert RecoveryCode.objects.exists()
