"""The dead letters of each queue: what lies there, and what is done with it. No powers of its own: each act is a
service's, asked for on a page that says what would come of it.

They are in SQS and in no table, so no model's admin shows them. To look is to receive (`dead_letters`): a look hides
letters from others for a moment, and SQS that hangs must not hold the page.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from aetherflow.errors import AnticipatedError, ConflictError, InvalidError, UnavailableError
from apps.accounts.authentication import user_of
from apps.accounts.confirming import Question, ReasonForm
from apps.accounts.console import badge
from apps.accounts.models import User
from apps.accounts.site import ConsoleSite
from apps.jobs.dead_letters import Letter, Look, glance, queue_called
from apps.jobs.models import Stage
from apps.jobs.probes import Probe
from apps.jobs.services.dead_letters import (
    Outcome,
    Report,
    Result,
    discard,
    discard_settled,
    purge,
    redrive,
    redrive_all,
    would_discard,
    would_redrive,
)
from apps.jobs.status import WITHIN_SECONDS, answered, line_status

VIEW = "jobs.view_deadletter"
# What a look reads for at most; the rest of WITHIN_SECONDS is for matching and for SQS to be slow.
READ_SECONDS = 0.5
# A request lasts seconds. More are an operation on their jobs, or the command's.
MOST = 200

_KINDS = {Result.DONE: "good", Result.REFUSED: "warn", Result.GONE: "bad"}
_looks = {stage.value: Probe(partial(glance, stage.value, within=READ_SECONDS)) for stage in Stage}


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that is done to letters, to chosen ones or to all that it fits. `plan` says what would come of it, `do`
    does it. `done` ends the sentence "3 of 4 letters …"."""

    name: str
    label: str
    permission: str
    done: str
    chosen: bool
    effects: Sequence[str]
    plan: Callable[[str, Collection[str]], Report]
    do: Callable[[str, Collection[str], User, str], Report]


_REDRIVE_EFFECTS = (
    "Each letter goes back into its queue, and its job is queued again with all its attempts.",
    "What made it fail is tried again as it is: mend the cause first.",
)
_DISCARD_EFFECTS = (
    "Each letter is deleted for good. Its upload stays, and its job as it is: a failed one can be retried.",
)
ACTS = (
    Act(
        name="redrive",
        label="Redrive",
        permission="jobs.redrive_deadletter",
        done="put back into the queue",
        chosen=True,
        effects=_REDRIVE_EFFECTS,
        plan=would_redrive,
        do=lambda queue, ids, by, reason: redrive(queue, ids, by=by, reason=reason),
    ),
    Act(
        name="redrive-all",
        label="Redrive all",
        permission="jobs.redrive_deadletter",
        done="put back into the queue",
        chosen=False,
        effects=(*_REDRIVE_EFFECTS, "Those that are refused stay where they are."),
        plan=lambda queue, _: would_redrive(queue),
        do=lambda queue, _, by, reason: redrive_all(queue, by=by, reason=reason),
    ),
    Act(
        name="discard",
        label="Discard",
        permission="jobs.discard_deadletter",
        done="thrown away",
        chosen=True,
        effects=_DISCARD_EFFECTS,
        plan=would_discard,
        do=lambda queue, ids, by, reason: discard(queue, ids, by=by, reason=reason),
    ),
    Act(
        name="discard-settled",
        label="Discard what is settled",
        permission="jobs.discard_deadletter",
        done="thrown away",
        chosen=False,
        effects=(*_DISCARD_EFFECTS, "Meant are those whose work is done since, or is not wanted any more."),
        plan=lambda queue, _: would_discard(queue),
        do=lambda queue, _, by, reason: discard_settled(queue, by=by, reason=reason),
    ),
)
_PURGE = "jobs.purge_deadletter"


def letters_address(queue: str, user: AbstractBaseUser | AnonymousUser) -> str:
    """Where the dead letters of a queue are shown; empty for who may not look at them."""
    may = user.has_perm(VIEW)  # type: ignore[union-attr]
    return reverse("admin:jobs_letters_queue", args=[queue]) if may else ""


# --- The screen ---


@dataclass(frozen=True, kw_only=True)
class Screen:
    """`problem`: why the letters are not known. `unseen`: those that SQS counts, nobody holds, and we did not get."""

    queue: str
    name: str
    look: Look | None
    problem: str | None

    @property
    def letters(self) -> list[Letter]:
        return self.look.letters if self.look else []

    @property
    def unseen(self) -> int:
        return max(0, self.look.total - self.look.held - len(self.look.letters)) if self.look else 0


@require_safe
def first_queue(request: HttpRequest) -> HttpResponse:
    _require(request, VIEW)
    return HttpResponseRedirect(reverse("admin:jobs_letters_queue", args=[Stage.ETL]))


@require_safe
def screen(request: HttpRequest, queue: str) -> HttpResponse:
    _require(request, VIEW)
    name = _name_of(queue)
    until = time.monotonic() + WITHIN_SECONDS
    letters = _looks[queue].begin()
    queues = line_status(within=WITHIN_SECONDS).queues
    looked = answered("letters", letters, until=until)
    may = {act.name: request.user.has_perm(act.permission) for act in ACTS}  # type: ignore[union-attr]
    shown = {
        "title": f"Dead letters of {queue.upper()}",
        "screen": Screen(queue=queue, name=name, look=looked.found, problem=looked.problem),
        "queues": queues.items,
        "chosen_acts": [act for act in ACTS if act.chosen and may[act.name]],
        "other_acts": [
            (act.label, reverse(_route(act), args=[queue])) for act in ACTS if not act.chosen and may[act.name]
        ],
        "may_purge": request.user.has_perm(_PURGE),  # type: ignore[union-attr]
    }
    return _page(request, "admin/jobs/letters/screen.html", shown)


# --- What is done ---


@dataclass(frozen=True, kw_only=True)
class Line:
    """One letter in what would be done, or was."""

    outcome: Outcome
    said: str

    @property
    def badge(self) -> SafeString:
        return badge(self.said, _KINDS[self.outcome.result])


def act_view(request: HttpRequest, queue: str, *, act: Act) -> HttpResponse:
    _require(request, act.permission)
    _name_of(queue)
    ids = list(dict.fromkeys(request.POST.getlist("letter")))
    try:
        if act.chosen and not ids:
            raise InvalidError("Nothing was done: no letter was chosen.", hint="Choose some in the list.")
        letters = _count(queue)
        if not act.chosen and letters > MOST:
            raise ConflictError(
                f"Nothing was done: there are about {letters} letters, and a page acts on {MOST} at most.",
                hint="Retry their jobs as an operation and discard the letters afterwards, or use `manage.py dlq`.",
            )
        return _ask_or_do(request, queue, ids, act=act)
    except AnticipatedError as refusal:
        return _back(request, queue, refusal)


def _ask_or_do(request: HttpRequest, queue: str, ids: list[str], *, act: Act) -> HttpResponse:
    """The page that asks, until it is sent and still says what would happen; then what came of it."""
    planned = act.plan(queue, ids)
    seen, sent = _digest(act, planned), request.POST.get("seen")
    form = ReasonForm(request.POST if sent is not None else None)
    if sent is not None and sent != seen:
        changed = "Nothing was done: the letters have changed since you looked. Read again what would happen now."
        messages.warning(request, changed)
    elif sent is not None and form.is_valid():
        report = act.do(queue, ids, user_of(request), form.cleaned_data["reason"])
        return _done_page(request, queue, report, act=act)
    hopeful = planned.of(Result.DONE)
    question = Question(
        title=f"{act.label}: {_counted(hopeful)} of {_name_of(queue)}",
        effects=act.effects,
        items=[],
        form=form,
        button=act.label,
        hidden=[*(("letter", each) for each in ids), ("seen", seen)],
        back=reverse("admin:jobs_letters_queue", args=[queue]),
    )
    lines = _lines(planned.outcomes, done=f"will be {act.done}")
    shown = {"question": question, "lines": lines, "hopeful": len(hopeful), "queue": queue}
    return _page(request, "admin/jobs/letters/confirm.html", {"title": question.title, **shown})


def _done_page(request: HttpRequest, queue: str, report: Report, *, act: Act) -> HttpResponse:
    """Shown by the answer itself: to send it again finds other letters than it names, and does nothing."""
    done = len(report.of(Result.DONE))
    shown = {
        "title": f"{act.label}: {done} of {_counted(report.outcomes)} {act.done}",
        "report": report,
        "lines": _lines(report.outcomes, done=act.done),
        "queue": queue,
    }
    return _page(request, "admin/jobs/letters/done.html", shown)


class PurgeForm(ReasonForm):
    typed_name = forms.CharField(
        label="The dead-letter queue's name",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Typed in, so that this one is meant.",
    )


def purge_view(request: HttpRequest, queue: str) -> HttpResponse:
    _require(request, _PURGE)
    name = _name_of(queue)
    try:
        letters = _count(queue)
    except UnavailableError as refusal:
        return _back(request, queue, refusal)
    form = PurgeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            purged = purge(queue, given["typed_name"], by=user_of(request), reason=given["reason"])
        except InvalidError as refusal:
            form.add_error("typed_name", f"{refusal.message} {refusal.hint}")
        except (ConflictError, UnavailableError) as refusal:
            form.add_error(None, f"{refusal.message} {refusal.hint}")
        else:
            messages.success(request, f"Thrown away: all letters of {name}, about {purged.letters}.")
            return HttpResponseRedirect(reverse("admin:jobs_letters_queue", args=[queue]))
    question = Question(
        title=f"Purge {name}",
        effects=(
            f"All letters of {name} are deleted for good, about {letters}, also those that you did not see.",
            "Uploads and jobs stay. Failed jobs can be retried; what is no message of the platform is lost.",
            "Jobs whose attempts are not used up are begun anew by the relay within minutes.",
        ),
        items=[],
        form=form,
        button="Purge",
        hidden=[],
        back=reverse("admin:jobs_letters_queue", args=[queue]),
    )
    shown = {"title": question.title, "question": question, "hopeful": True, "queue": queue}
    return _page(request, "admin/jobs/letters/confirm.html", shown)


# --- Parts ---


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):  # type: ignore[union-attr]
        raise PermissionDenied


def _name_of(queue: str) -> str:
    try:
        return queue_called(queue).dead_letter_name
    except InvalidError as error:
        raise Http404(error.message) from error


def _count(queue: str) -> int:
    """About how many letters there are, asked within a bounded time, before anybody waits for SQS in earnest.
    UnavailableError where it does not answer."""
    queues = line_status(within=WITHIN_SECONDS).queues
    if queues.problem:
        raise UnavailableError(
            f"Nothing was done: SQS does not answer. {queues.problem}", hint="Try again when it does."
        )
    return next(each.dead_letters or 0 for each in queues.items if each.queue == queue)


def _digest(act: Act, planned: Report) -> str:
    """What the page rests on: which letters there are, and what would come of each."""
    states = sorted(f"{each.message_id} {each.result}" for each in planned.outcomes)
    return hashlib.sha256("\n".join([act.name, *states]).encode()).hexdigest()


def _lines(outcomes: Iterable[Outcome], *, done: str) -> list[Line]:
    said = {Result.DONE: done, Result.REFUSED: "refused", Result.GONE: "gone"}
    return [Line(outcome=each, said=said[each.result]) for each in outcomes]


def _counted(outcomes: Collection[Outcome]) -> str:
    return f"{len(outcomes)} letter{'' if len(outcomes) == 1 else 's'}"


def _back(request: HttpRequest, queue: str, refusal: AnticipatedError) -> HttpResponse:
    messages.error(request, f"{refusal.message} {refusal.hint}".strip())
    return HttpResponseRedirect(reverse("admin:jobs_letters_queue", args=[queue]))


def _page(request: HttpRequest, template: str, shown: dict[str, Any]) -> HttpResponse:
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    return TemplateResponse(request, template, {**admin.site.each_context(request), **shown})


def _route(act: Act) -> str:
    return f"admin:jobs_letters_{act.name.replace('-', '_')}"


cast("ConsoleSite", admin.site).add_pages(
    path("jobs/letters/", first_queue, name="jobs_letters"),
    path("jobs/letters/<str:queue>/", screen, name="jobs_letters_queue"),
    *(
        path(
            f"jobs/letters/<str:queue>/{act.name}/",
            partial(act_view, act=act),
            name=_route(act).removeprefix("admin:"),
        )
        for act in ACTS
    ),
    path("jobs/letters/<str:queue>/purge/", purge_view, name="jobs_letters_purge"),
)
