"""What the job list is filtered and searched by: each by an index, so that a list of 100,000 stays quick."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import BooleanField, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from apps.accounts.console import ChoiceFilter, DepartmentFilter, FormFilter, PeriodFilter, uuid_of
from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.jobs import clock
from apps.jobs.models import JobStatus, Stage, StageRun, State
from apps.jobs.selectors import error_codes
from apps.jobs.services.dispatch import in_back_off

# As `config.middleware` takes them from callers.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

_ALL = 2**31
# Words of a search that are looked for; each costs a look at every name.
_PARTS = 6


class StatusFilter(ChoiceFilter):
    title, parameter, field = "status", "status", "status"

    def options(self) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in JobStatus.choices]


class StageFilter(ChoiceFilter):
    title, parameter, field = "stage", "stage", "stage"

    def options(self) -> list[tuple[str, str]]:
        return [(stage.value, stage.value.upper()) for stage in Stage]


class ErrorFilter(FormFilter):
    """By the code of the stage that has failed; what was run again since has failed no more."""

    title, parameter = "error code", "error"

    def options(self) -> list[tuple[str, str]]:
        return [(code, code) for code in error_codes()]

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        failed = StageRun.objects.filter(state=State.FAILED, error_code=given)
        return _with(queryset, failed)


class TriesFilter(FormFilter):
    title, parameter = "tries", "tries"

    def options(self) -> list[tuple[str, str]]:
        return [("left", "failed, SQS tries again"), ("none", "failed for good (dead letter)")]

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        if given not in {"left", "none"}:
            raise IncorrectLookupParameters(f"{given!r} is neither left nor none.")
        failed = StageRun.objects.filter(state=State.FAILED, dead_lettered=True)
        if given == "left":
            failed = in_back_off(StageRun.objects.all())
        return _with(queryset, failed)


class UploaderFilter(FormFilter):
    """Who uploaded the file, whoever had it worked again."""

    title, parameter, placeholder = "uploader", "uploader", "e-mail, or part of it"

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        people = list(User.objects.filter(email__icontains=given).order_by().values_list("pk", flat=True))
        return _of(queryset, Dataset.objects.filter(uploaded_by__in=people))


class DatasetFilter(FormFilter):
    title, parameter, placeholder = "dataset", "dataset", "id, or part of its name"

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        if number := uuid_of(given):
            return queryset.filter(dataset=number)
        return _of(queryset, _named(given))


class RequestedFilter(PeriodFilter):
    title, field = "requested", "created_at"
    template = "admin/console/period_control.html"


class EndedFilter(FormFilter):
    title, parameter = "ended within", "ended"
    spans = {
        "1h": ("the last hour", timedelta(hours=1)),
        "24h": ("the last 24 hours", timedelta(days=1)),
        "7d": ("the last 7 days", timedelta(days=7)),
    }

    def options(self) -> list[tuple[str, str]]:
        return [(value, words) for value, (words, _) in self.spans.items()]

    def narrow(self, queryset: QuerySet[Any], given: str) -> QuerySet[Any]:
        if given not in self.spans:
            raise IncorrectLookupParameters(f"{given!r} is none of {', '.join(self.spans)}.")
        return queryset.filter(finished_at__gte=clock.now() - self.spans[given][1])


FILTERS: list[type[FormFilter] | type[PeriodFilter]] = [
    StatusFilter,
    StageFilter,
    DepartmentFilter,
    ErrorFilter,
    TriesFilter,
    UploaderFilter,
    DatasetFilter,
    RequestedFilter,
    EndedFilter,
]


def found(queryset: QuerySet[Any], sought: str) -> QuerySet[Any]:
    """By an id of the job, its dataset or its request as a whole; else by all words in the dataset's name."""
    sought = sought.strip()
    if number := uuid_of(sought):
        return queryset.filter(Q(pk=number) | Q(dataset=number) | Q(request_id=str(number)))
    if _REQUEST_ID.fullmatch(sought):
        of_request = queryset.filter(request_id=sought)
        if of_request.order_by().exists():
            return of_request
    return _of(queryset, _named(*sought.split()))


def _named(*parts: str) -> QuerySet[Dataset]:
    """Datasets whose names hold each part, in any case.

    As a regular expression, since PostgreSQL guesses well how many names one matches: of `icontains`, which compares
    UPPER(name), it believes that nearly none does, and looks up the jobs of thousands one by one.
    """
    named = Dataset.objects.all()
    for part in parts[:_PARTS]:
        named = named.filter(name__iregex=re.escape(part))
    return named


def _with(jobs: QuerySet[Any], runs: QuerySet[StageRun]) -> QuerySet[Any]:
    """The jobs with one of these runs.

    What is written around IN keeps it from becoming a join: the runs are found once, and hashed. PostgreSQL joins by
    how many it believes there are, which is none where a bad release fails jobs by the thousand with a code that its
    statistics do not know; each of them was then compared with each.
    """
    among = Coalesce(Q(pk__in=runs.order_by().values("job_id")), Value(value=False), output_field=BooleanField())
    return jobs.filter(among)


def _of(jobs: QuerySet[Any], datasets: QuerySet[Dataset]) -> QuerySet[Any]:
    """The jobs of these datasets.

    The limit, which none of them comes near, is a fence: all are found before a job is looked at. Without it PostgreSQL
    walks along the list's order and looks up each job's dataset, hoping to meet a page full of matches soon; those of
    somebody who left long ago come last.
    """
    return jobs.filter(dataset__in=datasets.order_by().values("pk")[:_ALL])
