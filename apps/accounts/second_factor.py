"""The second factor at the console's door: of whom it is asked, and the page that asks for the code.

Between the password and the code nobody is logged in: the session keeps who showed the right password, and no more.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp import login as mark_held
from unfold.widgets import UnfoldAdminTextInputWidget

from aetherflow.errors import AnticipatedError, TooManyError
from apps.accounts import services
from apps.accounts.errors import FieldError
from apps.accounts.lockout import count_wrong_code, is_kept_out, keeps_out, kept_out, was_just_locked
from apps.accounts.models import User

# In the session: who showed the right password.
_PENDING = "second_factor_pending"
_PATIENCE = timedelta(minutes=5)
# What is open to who has still to set it up.
_BEFORE = frozenset({"logout", "second_factor_enrol"})
secret = sensitive_post_parameters("password", "code")


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
        help_text="The six digits that your app shows, or one of your recovery codes.",
    )


# --- What the rest of the console asks ---


def is_missing(request: HttpRequest) -> bool:
    """Whether this log-in has to set up a second factor before it sees anything."""
    return settings.CONSOLE_TOTP == "required" and DEVICE_ID_SESSION_KEY not in request.session


def leads_to_enrolment(request: HttpRequest) -> HttpResponseRedirect | None:
    """Where a page of the console is asked for by who has still to set it up; None for all others."""
    here = request.resolver_match.url_name if request.resolver_match else None
    if here in _BEFORE or not is_missing(request):
        return None
    return HttpResponseRedirect(reverse("admin:second_factor_enrol"))


def ask(request: HttpRequest, user: User, *, then: str) -> HttpResponseRedirect:
    """The password was right: on to the code."""
    logout(request)
    request.session[_PENDING] = {
        "user": str(user.pk),
        "backend": user.backend,  # type: ignore[attr-defined]  # put there by authenticate()
        # Void when the password is changed meanwhile.
        "hash": user.get_session_auth_hash(),
        "at": timezone.now().timestamp(),
        "then": then,
    }
    request.session.set_expiry(_PATIENCE)
    return HttpResponseRedirect(reverse("admin:second_factor_code"))


# --- At the door ---


@never_cache
@csrf_protect
@secret
def code_page(request: HttpRequest) -> HttpResponseBase:
    if admin.site.has_permission(request):
        return HttpResponseRedirect(reverse("admin:index"))
    asked = _PENDING in request.session
    user = _pending_user(request)
    if user is None:
        if asked:
            request.session.flush()
            messages.warning(
                request, "This log-in is void: it took too long, or the account was changed. Log in again."
            )
        return HttpResponseRedirect(reverse("admin:login"))
    form = CodeForm(request.POST if request.method == "POST" else None)
    wait = 0
    if request.method == "POST" and keeps_out(request, user.email):
        wait = _shut(request, form)
    elif form.is_valid():
        try:
            return _enter(request, user, form.cleaned_data["code"])
        except AnticipatedError as refusal:
            wait = _refused(request, user, form, refusal)
    answer = page(
        request, "admin/console/second_factor_code.html", title="Second factor", form=form, shut=is_kept_out(request)
    )
    if wait:
        answer.status_code = HTTPStatus.TOO_MANY_REQUESTS
        answer["Retry-After"] = str(wait)
    return answer


def _pending_user(request: HttpRequest) -> User | None:
    """Who showed the right password in this session, if that is still good."""
    kept = request.session.get(_PENDING)
    if not kept or timezone.now().timestamp() - kept["at"] > _PATIENCE.total_seconds():
        return None
    user = User.objects.filter(pk=kept["user"]).first()
    if user is None or not user.may_enter or not user.is_staff:
        return None
    return user if constant_time_compare(kept["hash"], user.get_session_auth_hash()) else None


@sensitive_variables("code")
def _enter(request: HttpRequest, user: User, code: str) -> HttpResponseRedirect:
    """AnticipatedError where the code is not taken."""
    device = services.prove(user=user, code=code, at=timezone.now())
    kept = request.session[_PENDING]
    request.session.flush()
    with transaction.atomic():
        login(request, user, backend=kept["backend"])
        mark_held(request, device)
        services.enter_console(user=user, at=timezone.now())
    return HttpResponseRedirect(kept["then"])


def _refused(request: HttpRequest, user: User, form: CodeForm, refusal: AnticipatedError) -> int:
    """Say why; a wrong code counts like a wrong password. The seconds to wait; 0: the next may be tried at once."""
    if isinstance(refusal, FieldError):
        with transaction.atomic():
            count_wrong_code(request, user.email)
            if was_just_locked(request):
                services.lock_console(email=user.email, at=timezone.now())
    if is_kept_out(request):
        return _shut(request, form)
    say(form, refusal)
    return refusal.retry_after if isinstance(refusal, TooManyError) else 0


def _shut(request: HttpRequest, form: CodeForm) -> int:
    """When the door opens again, the password is asked for again."""
    request.session.flush()
    form.errors.clear()
    form.add_error(None, kept_out("codes"))
    return int(settings.AXES_COOLOFF_TIME.total_seconds())


# --- What its pages have in common ---


def page(
    request: HttpRequest, template: str, *, title: str, beside_console: bool = False, **context: Any
) -> TemplateResponse:
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    frame = "unfold/layouts/unauthenticated.html" if beside_console else "admin/base_site.html"
    shown = {**admin.site.each_context(request), "title": title, "frame": frame, "beside_console": beside_console}
    return TemplateResponse(request, template, shown | context)


def say(form: forms.Form, refusal: AnticipatedError) -> None:
    field = refusal.field if isinstance(refusal, FieldError) else None
    form.add_error(field, f"{refusal.message} {refusal.hint}".strip())
