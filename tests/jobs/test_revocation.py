"""Whatever ends a session ends it at once: an access token that was good a moment ago is refused by every kind of
route, before a row or a byte leaves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import services
from apps.accounts.choices import Approval, Role, SessionEnd
from apps.accounts.models import ConsoleSession, Session, User
from apps.accounts.tokens import mint_access, read_access
from apps.jobs.models import Job
from tests.accounts.factories import PASSWORD, AdminFactory, SessionFactory, bearer
from tests.jobs.calls import UPLOAD
from tests.jobs.files import row, sales

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])
NEW = "seven-blue-teapots"


def post(path: str, headers: dict[str, Any], **body: str) -> None:
    answer = APIClient().post(f"/api/v1/auth/{path}", body, **headers)
    assert answer.status_code in {200, 204}, answer.content


def delete(path: str, user: User) -> None:
    answer = APIClient().delete(f"/api/v1/auth/{path}", **bearer(user))
    assert answer.status_code in {200, 204}, answer.content


def changed_password(user: User, session: UUID) -> None:
    post("password", bearer(user), current_password=PASSWORD, new_password=NEW)


def given_another_password(user: User, session: UUID) -> None:
    services.reset_password(user=user, password=NEW, by=AdminFactory(), at=timezone.now())


def moved(user: User, session: UUID) -> None:
    services.set_department(user=user, department="finance", by=AdminFactory(), at=timezone.now())


def moved_behind_the_services_back(user: User, session: UUID) -> None:
    """The session runs on; what its token says is not so any more."""
    User.objects.filter(pk=user.pk).update(department="finance")


def given_another_role(user: User, session: UUID) -> None:
    services.set_role(user=user, role=Role.ADMIN, department="sales", by=AdminFactory(), at=timezone.now())


def shut(user: User, session: UUID) -> None:
    services.deactivate(user=user, by=AdminFactory(), at=timezone.now())


def shut_behind_the_services_back(user: User, session: UUID) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def not_approved_any_more(user: User, session: UUID) -> None:
    User.objects.filter(pk=user.pk).update(approval=Approval.PENDING, approved_at=None)


def ended_by_its_owner_from_elsewhere(user: User, session: UUID) -> None:
    delete(f"sessions/{session}", user)


def ended_with_all_others(user: User, session: UUID) -> None:
    delete("sessions", user)


def ended_by_an_admin(user: User, session: UUID) -> None:
    services.end_session(session_id=session, reason=SessionEnd.ADMIN, by=AdminFactory(), at=timezone.now())


def all_ended_by_an_admin(user: User, session: UUID) -> None:
    services.end_sessions(user=user, reason=SessionEnd.ADMIN, by=AdminFactory(), at=timezone.now())


def logged_out(user: User, session: UUID) -> None:
    token = mint_access(user=user, session=Session.objects.get(pk=session), at=timezone.now())
    post("logout", {"headers": {"Authorization": f"Bearer {token}"}})


def gone(user: User, session: UUID) -> None:
    Session.objects.filter(pk=session).delete()


EVENTS = [
    changed_password,
    given_another_password,
    moved,
    moved_behind_the_services_back,
    given_another_role,
    shut,
    shut_behind_the_services_back,
    not_approved_any_more,
    ended_by_its_owner_from_elsewhere,
    ended_with_all_others,
    ended_by_an_admin,
    all_ended_by_an_admin,
    logged_out,
    gone,
]


def kinds_of_routes(job: Job) -> dict[str, str]:
    dataset = f"/api/v1/datasets/{job.dataset_id}"
    return {
        "me": "/api/v1/auth/me",
        "list": "/api/v1/datasets",
        "one": dataset,
        "cursor": f"{dataset}/rows",
        "stream of rows": f"{dataset}/rows.csv",
        "stream of rejects": f"{dataset}/rejects.csv",
        "download": f"{dataset}/raw",
        "template": "/api/v1/schemas/sales/template.csv",
        "dashboard": "/api/v1/dashboards/sales",
        "job": f"/api/v1/jobs/{job.pk}",
    }


@pytest.mark.parametrize("event", EVENTS)
def test_a_token_from_before_is_refused_by_the_next_request(
    upload: Callable[..., Job], work: Callable[[], None], seller: User, event: Callable[[User, UUID], None]
) -> None:
    job = upload(sales(*(row(number) for number in range(1, 10)), row(10, quantity="x")))
    work()
    routes, token = kinds_of_routes(job), bearer(seller)["headers"]
    session = read_access(token["Authorization"].removeprefix("Bearer ")).session_id
    client = APIClient()
    for kind, path in routes.items():
        assert client.get(path, headers=token).status_code == 200, kind

    event(seller, session)

    for kind, path in routes.items():
        answer = client.get(path, headers=token)
        assert answer.status_code == 401, kind
        assert not answer.streaming, kind
        assert answer["Content-Type"] == "application/problem+json", kind
        assert b"T-1" not in answer.content, kind
    for answer in (
        client.post(UPLOAD, {}, format="multipart", headers=token),
        client.post(f"/api/v1/jobs/{job.pk}/retry", headers=token),
        client.delete(f"/api/v1/datasets/{job.dataset_id}", headers=token),
    ):
        assert answer.status_code == 401
    job.dataset.refresh_from_db()
    assert job.dataset.deleted_at is None


@pytest.mark.parametrize("event", [given_another_password, moved, shut, all_ended_by_an_admin])
def test_the_consoles_log_ins_end_with_it(seller: User, event: Callable[[User, UUID], None]) -> None:
    ConsoleSession.objects.create(
        session_key="k", session_data="", expire_date=timezone.now() + timedelta(hours=1), user=seller
    )
    event(seller, SessionFactory(user=seller).pk)
    assert not ConsoleSession.objects.exists()
