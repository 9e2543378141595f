"""Acting on many jobs from their list: those that are ticked, or all that match its filter, become an operation.

The page between asks again for everything by the same address, which is the filter itself: fifty thousand ids pass
neither through the page nor through this process. What it carries is how many it named and a digest of which, and where
they are others by then nothing is begun.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from aetherflow.errors import AnticipatedError
from apps.accounts.authentication import user_of
from apps.accounts.confirming import Question, ReasonForm, question_page
from apps.accounts.console import department_label, span
from apps.jobs import clock
from apps.jobs.admin.effects import ACTS, Act
from apps.jobs.admin.filters import FILTERS
from apps.jobs.models import OF_JOBS, Job, JobStatus, Operation, OperationKind
from apps.jobs.selectors import Selection, selection_of
from apps.jobs.services.operations import DEFAULT_RATE, MOST_RATE, start_operation

# What the page sends back: how many it named, and which. Without these nothing was confirmed.
_CONFIRMED, _WHICH = "confirmed", "which"
_NAMED = 3
_LISTED = 100


class OperationForm(ReasonForm):
    rate = forms.IntegerField(
        min_value=1,
        max_value=MOST_RATE,
        initial=DEFAULT_RATE,
        help_text=f"Items a minute, at most; 1 to {MOST_RATE:,}. New uploads wait behind what is begun faster than the "
        "workers work.",
    )

    @property
    def chosen_rate(self) -> int:
        """For what is said of it: the usual one where none, or a wrong one, was given."""
        given = self.cleaned_data.get("rate") if self.is_bound and self.is_valid() else None
        return given or DEFAULT_RATE


@dataclass(frozen=True)
class Chosen:
    """Which jobs of the list, and how that is said. `filter` is the list's question, empty where jobs were ticked."""

    jobs: QuerySet[Job]
    across: bool
    words: str
    filter: Mapping[str, object]

    @classmethod
    def by(cls, request: HttpRequest, jobs: QuerySet[Job], model_admin: admin.ModelAdmin) -> "Chosen":
        # As Django's own form of the list's actions reads it.
        if forms.BooleanField(required=False).to_python(request.POST.get("select_across", "0")):
            asked = {name: value for name, value in request.GET.dict().items() if name not in _NOT_ASKED}
            return cls(jobs, across=True, words=_in_words(request, model_admin), filter=asked)
        return cls(jobs, across=False, words=_ticked(jobs), filter={})


# Where one is in the list, and not what is listed.
_NOT_ASKED = {"o", "p", "e", "all"}


def actions() -> list[Callable[..., HttpResponse | None]]:
    return [_action(act) for act in ACTS.values()]


def _action(act: Act) -> Callable[..., HttpResponse | None]:
    def ask(model_admin: admin.ModelAdmin, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        return _ask(model_admin, request, jobs, act)

    ask.__name__ = act.kind.value.replace("-", "_")
    # The ModelAdmin's `has_…_permission` is asked for each request, whether it offers the action or does it.
    return admin.action(ask, description=act.label, permissions=[ask.__name__])


class OperatesOnMany:
    """Of a ModelAdmin: who may what of `actions`."""

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return _may(request, OperationKind.RETRY)

    def has_reprocess_etl_permission(self, request: HttpRequest) -> bool:
        return _may(request, OperationKind.REPROCESS_ETL)

    def has_reprocess_ml_permission(self, request: HttpRequest) -> bool:
        return _may(request, OperationKind.REPROCESS_ML)

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return _may(request, OperationKind.UNDO)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return _may(request, OperationKind.CANCEL)


def _may(request: HttpRequest, kind: OperationKind) -> bool:
    return bool(request.user.has_perm(ACTS[kind].permission))  # type: ignore[union-attr]


def _ask(model_admin: admin.ModelAdmin, request: HttpRequest, jobs: QuerySet[Job], act: Act) -> HttpResponse | None:
    chosen, confirmed = Chosen.by(request, jobs, model_admin), _confirmed(request)
    form, refused = OperationForm(request.POST if confirmed is not None else None), ""
    if confirmed is not None and form.is_valid():
        try:
            operation = _begin(request, act.kind, chosen, form, expected=confirmed)
        except AnticipatedError as refusal:
            refused = f"{refusal.message} {refusal.hint}".strip()
            form.add_error(None, refused)
        else:
            said = f"Begun: {operation}. It goes on by itself, also when this page is closed."
            model_admin.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(f"{reverse('admin:jobs_operation_change', args=[operation.pk])}?refresh")
    selection = selection_of(act.kind, chosen.jobs)
    if not selection.count:
        model_admin.message_user(request, refused or "Nothing matches, so nothing was done.", messages.WARNING)
        return None
    return question_page(request, model_admin, _question(request, act, chosen, selection, form))


def _begin(
    request: HttpRequest, kind: OperationKind, chosen: Chosen, form: OperationForm, *, expected: int
) -> Operation:
    return start_operation(
        kind=kind,
        jobs=chosen.jobs,
        filter_words=chosen.words,
        filter_data=chosen.filter,
        reason=form.cleaned_data["reason"],
        rate=form.cleaned_data["rate"],
        by=user_of(request),
        at=clock.now(),
        expected=expected,
        digest=request.POST.get(_WHICH, ""),
    )


def _confirmed(request: HttpRequest) -> int | None:
    given = request.POST.get(_CONFIRMED, "")
    # What is no number of this page's was not confirmed either: it is shown anew.
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _question(request: HttpRequest, act: Act, chosen: Chosen, selection: Selection, form: OperationForm) -> Question:
    ticked = [] if chosen.across else request.POST.getlist(ACTION_CHECKBOX_NAME)
    # An action needs one to be ticked, also where all that match are chosen; which one is all the same.
    ids = ticked or ["all"]
    hidden = [("action", _name(act)), ("select_across", str(int(chosen.across)))]
    hidden += [(ACTION_CHECKBOX_NAME, each) for each in ids]
    return Question(
        title=f"{act.label}: {_counted(act.kind, selection.count)}",
        effects=list(_effects(act, chosen, selection, rate=form.chosen_rate)),
        items=[] if chosen.across else _listed(chosen.jobs),
        form=form,
        button=act.label,
        hidden=[*hidden, (_CONFIRMED, str(selection.count)), (_WHICH, selection.digest)],
        back=request.get_full_path(),
    )


def _name(act: Act) -> str:
    return act.kind.value.replace("-", "_")


def _effects(act: Act, chosen: Chosen, selection: Selection, *, rate: int) -> Iterable[str]:
    once = act.kind not in OF_JOBS and selection.count > 1
    of = ", each once however many of its jobs were chosen" if once else ""
    yield f"It acts on {_counted(act.kind, selection.count)}{of}: {_departments(selection)}."
    yield f"Chosen: {chosen.words}. Their status now: {_statuses(chosen.jobs)}."
    if waiting := selection.waiting_elsewhere:
        yield f"{waiting:,} of them wait for the same in another operation already, and are refused here at once."
    yield from act.told()
    if others := selection.count - 1:
        yield (
            f"At {rate:,} a minute its last item is worked {span(others * 60 / rate)} from now; at {MOST_RATE:,}, the "
            f"fastest, {span(others * 60 / MOST_RATE)}. The page can be closed meanwhile, and the operation stopped on "
            "its own page."
        )


def _counted(kind: OperationKind, count: int) -> str:
    noun = "job" if kind in OF_JOBS else "upload"
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _departments(selection: Selection) -> str:
    return ", ".join(f"{count:,} of {department_label(slug)}" for slug, count in selection.departments.items())


def _statuses(jobs: QuerySet[Job]) -> str:
    """As they are now: a retry of jobs that have not failed is asked for by mistake."""
    chosen = Job.objects.filter(pk__in=jobs.values("pk")).order_by("status")
    found = chosen.values_list("status").annotate(count=Count("pk"))
    return ", ".join(f"{count:,} {JobStatus(status).label.lower()}" for status, count in found)


def _listed(jobs: QuerySet[Job]) -> Sequence[tuple[str, str]]:
    shown = jobs.select_related("dataset").defer("dataset__profile")[:_LISTED]
    return [
        (job.dataset.name, f"{job}, of {department_label(job.department)}, {job.get_status_display().lower()}")
        for job in shown
    ]


def _ticked(jobs: QuerySet[Job]) -> str:
    names = list(jobs.order_by("-created_at").values_list("dataset__name", flat=True)[: _NAMED + 1])
    count = jobs.count()
    called = f" ({', '.join(names)})" if len(names) <= _NAMED else ""
    return f"{count:,} ticked job{'' if count == 1 else 's'}{called}"


def _in_words(request: HttpRequest, model_admin: admin.ModelAdmin) -> str:
    """What the list's address asks for, in the words of its filters."""
    given = {name: list(values) for name, values in request.GET.lists() if name not in _NOT_ASKED}
    sought = " ".join(given.pop("q", []))
    said = [words for each in FILTERS if (words := each(request, given, Job, model_admin).words())]
    # What Django itself would filter by, asked for by hand.
    said += [f"{name} {', '.join(values)}" for name, values in given.items()]
    said += [f"found by “{sought}”"] if sought else []
    return f"all jobs with {'; '.join(said)}" if said else "all jobs there are"
