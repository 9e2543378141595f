"""The step between asking for something and doing it, one for all pages of the console.

A ModelAdmin names its `steps`. Each is a button on an object's page, an action of the list, and an address; all three
ask for the step's permission and show the same page: what will happen, to how many, and why it is done. Only when that
page is sent it is done, by a service.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from aetherflow.errors import AnticipatedError
from apps.accounts.authentication import user_of
from apps.accounts.console import ConsoleAdmin
from apps.accounts.models import User

Thing = TypeVar("Thing", bound=Model)

# What the page sends that an action's first request does not: that it was seen, and what it said.
_SEEN = "seen"
_REFUSALS_SHOWN = 20


class ReasonForm(forms.Form):
    """A step that asks for more than a reason adds its fields."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Why, in your words; it is kept in the audit.",
        error_messages={"required": "Say in a few words why."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"])


class Step(Generic[Thing]):
    """Something that is done to objects when it was confirmed. `permission` is given as `app.codename`.

    `done` ends the sentence "3 of 4 …". A step `in_list` is done to as many as `most` at once.
    """

    name: str
    label: str
    permission: str
    done: str
    form: type[ReasonForm] = ReasonForm
    in_list: bool = True
    most: int = 200

    def may(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(self.permission))  # type: ignore[union-attr]

    def applies(self, one: Thing) -> bool:  # noqa: ARG002
        """Whether an object's page shows the button. The service decides for itself."""
        return True

    def effects(self, chosen: Sequence[Thing], *, at: datetime) -> Iterable[str]:
        """What will happen, in sentences."""
        raise NotImplementedError

    def remark(self, one: Thing) -> str:  # noqa: ARG002
        """What is said beside an object's name."""
        return ""

    def state(self, one: Thing) -> str:  # noqa: ARG002
        """What of the object the page rests on: where it is another when the page is sent, the page is shown again."""
        return ""

    def initial(self, chosen: Sequence[Thing]) -> Mapping[str, Any]:  # noqa: ARG002
        return {}

    def act(self, one: Thing, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        """Do it; False where there was nothing to do. `given` is what was typed in, the `reason` too."""
        raise NotImplementedError

    def now(self) -> datetime:
        return timezone.now()


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the page asks. `items` are the objects with a remark each; `hidden` is sent with the answer."""

    title: str
    effects: Iterable[str]
    items: Sequence[tuple[str, str]]
    form: ReasonForm
    button: str
    hidden: Sequence[tuple[str, str]]
    back: str


def question_page(request: HttpRequest, model_admin: admin.ModelAdmin, question: Question) -> HttpResponse:
    """The page by itself, for what is done to more objects than can be listed."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "opts": model_admin.opts,
        "media": model_admin.media + question.form.media,
        "question": question,
    }
    request.current_app = model_admin.admin_site.name  # type: ignore[attr-defined]
    return TemplateResponse(request, "admin/accounts/confirm.html", context)


class ConfirmsSteps(ConsoleAdmin):
    """A ModelAdmin with `steps`; before the others among the bases."""

    steps: Sequence[Step[Any]] = ()
    change_form_template = "admin/accounts/change_form_with_steps.html"

    def get_urls(self) -> list[Any]:
        own = [
            path(
                f"<path:object_id>/{step.name}/",
                self.admin_site.admin_view(partial(self._step_view, step=step)),
                name=self._route(step),
            )
            for step in self.steps
        ]
        return [*own, *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        offered = super().get_actions(request)
        if self.actions is None or IS_POPUP_VAR in request.GET:
            return offered
        mine = (step for step in self.steps if step.in_list and step.may(request))
        return offered | {step.name: (_action(step), step.name, step.label) for step in mine}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        one = context["original"]
        context["steps"] = [
            {"label": step.label, "address": reverse(f"admin:{self._route(step)}", args=[one.pk])}
            for step in (self.steps if one else ())
            if step.may(request) and step.applies(one)
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    def ask_of_list(self, request: HttpRequest, matching: QuerySet[Any], *, step: Step[Any]) -> HttpResponse | None:
        """The action of the list. What is confirmed are the objects that were shown, also where all that match the
        filter were chosen: who comes to match it meanwhile was not looked at."""
        chosen = list(matching[: step.most + 1])
        if len(chosen) > step.most:
            too_many = f"At most {step.most} at once, and more are chosen. Nothing was done: choose fewer."
            self.message_user(request, too_many, messages.ERROR)
            return None
        if not chosen:
            gone = "Nothing was done: what was chosen is not in this list any more."
            self.message_user(request, gone, messages.WARNING)
            return None
        hidden = [("action", step.name), ("select_across", "0")]
        hidden += [(ACTION_CHECKBOX_NAME, str(each.pk)) for each in chosen]
        return self._take(request, chosen, step, hidden=hidden, back=request.get_full_path())

    @method_decorator(sensitive_post_parameters())
    def _step_view(self, request: HttpRequest, object_id: str, *, step: Step[Any]) -> HttpResponse:
        if not step.may(request):
            raise PermissionDenied
        one = self.get_object(request, unquote(object_id))
        if one is None:
            self.message_user(request, f"There is no such {self.opts.verbose_name}.", messages.WARNING)
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[one.pk])
        return self._take(request, [one], step, hidden=[], back=back)

    def _take(
        self,
        request: HttpRequest,
        chosen: Sequence[Any],
        step: Step[Any],
        *,
        hidden: Sequence[tuple[str, str]],
        back: str,
    ) -> HttpResponse:
        at, seen = step.now(), _digest(step, chosen)
        sent = request.POST.get(_SEEN)
        form = step.form(request.POST if sent is not None else None, initial=step.initial(chosen))
        if sent is not None and sent != seen:
            changed = "Nothing was done: it has changed since you looked. Read again what would happen now."
            self.message_user(request, changed, messages.WARNING)
        elif sent is not None and form.is_valid() and self._done(request, chosen, step, form=form, at=at):
            return HttpResponseRedirect(back)
        question = Question(
            title=f"{step.label}: {self._called(chosen)}",
            effects=step.effects(chosen, at=at),
            items=[(str(each), step.remark(each)) for each in chosen],
            form=form,
            button=step.label,
            hidden=[*hidden, (_SEEN, seen)],
            back=back,
        )
        return question_page(request, self, question)

    def _done(
        self, request: HttpRequest, chosen: Sequence[Any], step: Step[Any], *, form: ReasonForm, at: datetime
    ) -> bool:
        """Do it to each; say how many were done and why the others were not. False where the page is to say why."""
        by, done, refusals = user_of(request), 0, []
        for each in chosen:
            try:
                if step.act(each, given=form.cleaned_data, by=by, at=at):
                    done += 1
                else:
                    refusals.append(f"Not {step.done}: {each}. Nothing had to be changed.")
            except AnticipatedError as refusal:
                said = f"{refusal.message} {refusal.hint}".strip()
                if len(chosen) == 1:
                    form.add_error(None, said)
                    return False
                refusals.append(f"Not {step.done}: {each}. {said}")
        for said in refusals[:_REFUSALS_SHOWN]:
            self.message_user(request, said, messages.WARNING)
        if len(refusals) > _REFUSALS_SHOWN:
            self.message_user(request, f"And {len(refusals) - _REFUSALS_SHOWN} more.", messages.WARNING)
        if len(chosen) > 1:
            level = messages.SUCCESS if done else messages.WARNING
            self.message_user(request, f"{done} of {len(chosen)} {step.done}.", level)
        elif done:
            self.message_user(request, f"{step.done.capitalize()}: {chosen[0]}.", messages.SUCCESS)
        return True

    def _called(self, chosen: Sequence[Any]) -> str:
        return str(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} {self.opts.verbose_name_plural}"

    def _route(self, step: Step[Any]) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{step.name.replace('-', '_')}"


def _action(step: Step[Any]) -> Callable[..., HttpResponse | None]:
    def act(model_admin: ConfirmsSteps, request: HttpRequest, matching: QuerySet[Any]) -> HttpResponse | None:
        return model_admin.ask_of_list(request, matching, step=step)

    return act


def _digest(step: Step[Any], chosen: Sequence[Any]) -> str:
    states = sorted(f"{each.pk} {step.state(each)}" for each in chosen)
    return hashlib.sha256("\n".join([step.name, *states]).encode()).hexdigest()
