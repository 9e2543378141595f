"""What pages of the operators' console have in common, of whichever app they are: here, in the lowest app, all others
can use it."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.functional import cached_property

# The one door to unfold's admin, which tells no types: where they are looked at, it is Django's, which it extends.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ConsoleAdmin
    from django.contrib.admin import TabularInline as ConsoleInline
else:
    from unfold.admin import ModelAdmin as ConsoleAdmin
    from unfold.admin import TabularInline as ConsoleInline

__all__ = ["CappedPaginator", "ConsoleAdmin", "ConsoleInline", "PeriodFilter", "ReadOnlyAdmin", "audit_address"]


class ReadOnlyAdmin(ConsoleAdmin):
    """Looked at, never edited: its rows are written by services alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class CappedPaginator(Paginator):
    """Counts, and shows, no further than `most`: nobody turns to page 900, and to count a million takes seconds."""

    most = 10_000

    @cached_property
    def _found(self) -> int:
        # Without its order, by which a few matches would be looked for all along an index.
        found = cast("QuerySet[Any]", self.object_list).order_by()
        return found[: self.most + 1].count()

    @property
    def count(self) -> int:  # type: ignore[override]
        return min(self._found, self.most)

    @property
    def is_capped(self) -> bool:
        return self._found > self.most


class PeriodFilter(admin.ListFilter):
    """From one day until another, both of them included. A subclass says of which `field`."""

    title = "when"
    template = "admin/accounts/period_filter.html"
    field: str
    parameters = ("from", "until")

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)  # type: ignore[arg-type]
        for name in self.parameters:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*self.parameters]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        begin, end = (self._day(name) for name in self.parameters)
        if begin:
            queryset = queryset.filter(**{f"{self.field}__gte": begin})
        if end:
            queryset = queryset.filter(**{f"{self.field}__lt": end + timedelta(days=1)})
        return queryset

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        others = {name: given for name, given in changelist.filter_params.items() if name not in self.parameters}
        yield {
            "days": [(name, self.used_parameters.get(name, "")) for name in self.parameters],
            "others": [(name, value) for name, values in others.items() for value in values],
            "is_set": any(self.used_parameters.values()),
            "without": changelist.get_query_string(remove=[*self.parameters]),
        }

    def _day(self, name: str) -> datetime | None:
        given = str(self.used_parameters.get(name, ""))
        if not given:
            return None
        try:
            day = parse_date(given)
        except ValueError:  # 2026-02-30
            day = None
        if day is None:
            raise IncorrectLookupParameters(f"{given!r} is no day.")
        return datetime.combine(day, time.min, tzinfo=UTC)


def audit_address(**filters: str) -> str:
    """The audit's list with what is filtered by, such as `target_id="…"` or `actor="…"`."""
    return f"{reverse('admin:accounts_auditentry_changelist')}?{urlencode(filters)}"
