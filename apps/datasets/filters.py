"""What lists are narrowed and ordered by."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.forms import ValidationError
from django_filters import rest_framework as filters
from django_filters.constants import EMPTY_VALUES
from django_filters.fields import IsoDateTimeField


class MomentField(IsoDateTimeField):
    """In UTC: PostgreSQL refuses offsets of sixteen hours and more, which ISO 8601 has."""

    def to_python(self, value: Any) -> datetime | None:
        try:
            moment: datetime | None = super().to_python(value)
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("The date is outside of the calendar.", code="invalid") from None


class MomentFilter(filters.IsoDateTimeFilter):
    field_class = MomentField


class TotalOrderingFilter(filters.OrderingFilter):
    """Orders by the primary key at last: rows that are equal otherwise come in any order, and another one for each
    page, so that some would stand on two pages and some on none."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        ordered = super().filter(qs, value)
        return ordered if value in EMPTY_VALUES else ordered.order_by(*ordered.query.order_by, "pk")
