import uuid
from datetime import UTC, datetime

import factory

from apps.datasets.models import Dataset
from tests.accounts.factories import UserFactory


class DatasetFactory(factory.django.DjangoModelFactory):
    """A recorded upload; nothing is stored or loaded for it."""

    class Meta:
        model = Dataset

    id = factory.LazyFunction(uuid.uuid4)
    department = "sales"
    name = factory.Sequence(lambda n: f"Upload {n}")
    original_filename = "upload.csv"
    bucket = "aetherflow-raw"
    key = factory.LazyAttribute(lambda o: f"raw/{o.department}/{o.id}/upload.csv")
    size_bytes = 100
    sha256 = factory.LazyFunction(lambda: uuid.uuid4().hex * 2)
    max_reject_share = 0.2
    uploaded_by = factory.SubFactory(UserFactory, department=factory.SelfAttribute("..department"))
    uploaded_at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
