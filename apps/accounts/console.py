"""What pages of the operators' console have in common, of whichever app they are: here, in the lowest app, all others
can use it."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.models import department_choices

# The one door to unfold's admin, which tells no types: where they are looked at, it is Django's, which it extends.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _Admin
    from django.contrib.admin import TabularInline as ConsoleInline
else:
    from unfold.admin import ModelAdmin as _Admin
    from unfold.admin import TabularInline as ConsoleInline

__all__ = [
    "CappedPaginator",
    "ChoiceFilter",
    "ConsoleAdmin",
    "ConsoleInline",
    "DepartmentFilter",
    "FilteredAdmin",
    "FormFilter",
    "PeriodFilter",
    "ReadOnlyAdmin",
    "audit_address",
    "badge",
    "department_label",
    "moment",
    "span",
    "uuid_of",
]


class ConsoleAdmin(_Admin):
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Django leads from a question that cannot be asked to the whole list, without a word: here it is said. What no
        column can hold, or the database cannot read (half a regular expression), is such a question too."""
        try:
            _refuse_nul(request)
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, DataError) as error:
            said = "The address asks for something that cannot be looked for, so the filter was left out."
            self.message_user(request, said, messages.WARNING)
            raise IncorrectLookupParameters(str(error)) from error

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Not by what other tables say of a row: Django lets their keys be asked for, and that of a log-in to the
        console is its cookie, which could be guessed letter by letter."""
        with suppress(FieldDoesNotExist):  # a filter's own name
            if not self.opts.get_field(lookup.partition(LOOKUP_SEP)[0]).concrete:
                return False
        return super().lookup_allowed(lookup, value, request)


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


class FormFilter(admin.ListFilter):
    """One control of the form above a list (`FilteredAdmin`); its value stands in the address, under `parameter`."""

    parameter: str
    title: str
    template = "admin/console/control.html"
    placeholder = ""

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Model], model_admin: admin.ModelAdmin
    ) -> None:
        super().__init__(request, params, model, model_admin)  # type: ignore[arg-type]
        self.given = params.pop(self.parameter, [""])[-1].strip()
        if self.given:
            self.used_parameters[self.parameter] = self.given

    def options(self) -> list[tuple[str, str]]:
        """What there is to choose from, as (value, words); none of it: any text."""
        return []

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        """IncorrectLookupParameters where this cannot be asked."""
        raise NotImplementedError

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        return self.narrow(queryset, self.given) if self.given else queryset

    def words(self) -> str:
        """What is filtered by, as a person says it; empty where nothing is."""
        return f"{self.title} {dict(self.options()).get(self.given, self.given)}" if self.given else ""

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        options = self.options()
        known = not self.given or any(self.given == value for value, _ in options)
        # What is asked for stays to be seen, also where nothing is called so any more.
        yield {"options": options if known else [*options, (self.given, self.given)] if options else []}


class ChoiceFilter(FormFilter):
    """One of a few values of `field`."""

    field: str

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        return queryset.filter(**{self.field: given})


class DepartmentFilter(ChoiceFilter):
    title, parameter, field = "department", "department", "department"

    def options(self) -> list[tuple[str, str]]:
        return department_choices()


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
            # Not the day after, which the last day of all has not.
            queryset = queryset.filter(**{f"{self.field}__lte": datetime.combine(end, time.max, tzinfo=UTC)})
        return queryset

    def words(self) -> str:
        given = [f"{name} {day}" for name in self.parameters if (day := self.used_parameters.get(name))]
        return f"{self.title} {' '.join(given)}" if given else ""

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


class FilteredAdmin(ReadOnlyAdmin):
    """A list below a form of `FormFilter`s, fit for a hundred thousand rows: counted no further than it is shown,
    sorted only by what an index has sorted. Its address says all that is chosen, and nothing that is not."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they count the whole table, once for every choice
    change_list_template = "admin/console/filtered_list.html"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:  # noqa: ARG002
        """By the filters alone: what of a row not everybody reads (a traceback) is not to be asked for either."""
        filters = self.get_list_filter(request)
        named = {getattr(each, "parameter", "") for each in filters}
        if lookup not in named.union(*(getattr(each, "parameters", ()) for each in filters)):
            raise IncorrectLookupParameters(f"There is no filter {lookup}.")
        return True

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and "" in request.GET.values():
            # A form sends its empty fields too, which would make a long address of a short question.
            chosen = [(name, value) for name, values in request.GET.lists() for value in values if value]
            return HttpResponseRedirect(f"{request.path}?{urlencode(chosen)}")
        return super().changelist_view(request, extra_context)


def _refuse_nul(request: HttpRequest) -> None:
    if any("\0" in text for name, values in request.GET.lists() for text in (name, *values)):
        raise IncorrectLookupParameters("No text holds a NUL.")


def badge(words: str, kind: str = "") -> SafeString:
    """A word on a colour: `info`, `good`, `warn`, `bad`, `violet`. The word says it all, the colour only helps."""
    return format_html('<span class="badge{}">{}</span>', f" badge-{kind}" if kind else "", words)


def moment(at: datetime | None) -> SafeString | str:
    """To the second and in UTC, as it stands in the logs; Django's format leaves the seconds out."""
    if at is None:
        return "-"
    at = at.astimezone(UTC)
    return format_html('<time class="number" datetime="{}">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}")


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(seconds: float | None) -> str:
    """How long, at the precision a person reads: 40 ms, 1.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if seconds is None:
        return "-"
    if seconds < 0.1:
        return f"{max(seconds, 0) * 1000:.0f} ms" if seconds >= 0.001 else "0 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for (size, unit), (part, smaller) in pairwise(_UNITS):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def department_label(slug: str) -> str:
    """What a department is called; its slug where there is none such any more."""
    return dict(department_choices()).get(slug, slug)


def uuid_of(given: str) -> UUID | None:
    try:
        return UUID(given.strip())
    except ValueError:
        return None


def audit_address(**filters: str) -> str:
    """The audit's list with what is filtered by, such as `target_id="…"` or `actor="…"`."""
    return f"{reverse('admin:accounts_auditentry_changelist')}?{urlencode(filters)}"
