import pytest

from apps.accounts.models import User
from apps.insights import selectors
from tests.accounts.factories import UserFactory
from tests.insights.stored import SALES


@pytest.fixture
def seller(db: None) -> User:
    return UserFactory(department="sales", full_name="Sam Seller")


@pytest.fixture
def sales_has_a_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "find_department", lambda _: SALES)
