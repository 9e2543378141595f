"""One's own second factor in the console: looked at, set up, given other recovery codes, removed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import qrcode
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp import login as mark_held
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex
from qrcode.image.svg import SvgPathImage

from aetherflow.errors import AnticipatedError
from apps.accounts import services
from apps.accounts.authentication import user_of
from apps.accounts.console import moment
from apps.accounts.models import RecoveryCode, User
from apps.accounts.second_factor import CodeForm, is_missing, page, say, secret
from apps.accounts.selectors import second_factor_of

if TYPE_CHECKING:
    from apps.accounts.site import ConsoleSite

# In the session: the key that the page of setting up shows.
_KEY = "second_factor_key"


class ChangeForm(CodeForm):
    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "none"}),
        help_text="The six digits that your app shows, or one of your recovery codes.",
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("password", "code")


class EnrolForm(ChangeForm):
    code = forms.CharField(
        max_length=40,
        label="The code that the app shows",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@secret
def own_page(request: HttpRequest) -> HttpResponseBase:
    _require_pages()
    user = user_of(request)
    device = second_factor_of(user)
    return page(
        request,
        "admin/console/second_factor.html",
        title="Second factor",
        device=device,
        set_up=moment(device.created_at if device else None),
        last_used=moment(device.last_used_at if device else None),
        left=RecoveryCode.objects.filter(user=user).count(),
        required=settings.CONSOLE_TOTP == "required",
    )


@secret
def enrol_page(request: HttpRequest) -> HttpResponseBase:
    _require_pages()
    user, missing = user_of(request), is_missing(request)
    if second_factor_of(user):
        if missing:  # logged in while none was asked for
            logout(request)
            return HttpResponseRedirect(reverse("admin:login"))
        return HttpResponseRedirect(reverse("admin:second_factor"))
    # Of this session: whoever looked at another one's page does not know this key.
    key = request.session.get(_KEY) or random_hex(20)
    request.session[_KEY] = key
    form = EnrolForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            enrolled = services.enrol(
                user=user, key=key, besides=request.session.session_key, at=timezone.now(), **form.cleaned_data
            )
        except AnticipatedError as refusal:
            say(form, refusal)
        else:
            del request.session[_KEY]
            request.session.cycle_key()
            mark_held(request, enrolled.device)
            return _codes(request, enrolled.codes, title="Your second factor is set up", beside_console=missing)
    address = TOTPDevice(user=user, key=key).config_url
    return page(
        request,
        "admin/console/second_factor_enrol.html",
        title="Set up a second factor",
        picture=_picture(address),
        key=_grouped(address),
        question=_question(form, "Set it up", back="" if missing else reverse("admin:second_factor")),
        beside_console=missing,
    )


@secret
def codes_page(request: HttpRequest) -> HttpResponseBase:
    return _change(
        request,
        title="New recovery codes",
        effects=["The recovery codes you had are void from then on.", "Ten new ones are shown, once."],
        button="Make new recovery codes",
        act=lambda user, given: _codes(
            request,
            services.renew_recovery_codes(user=user, at=timezone.now(), **given),
            title="Your new recovery codes",
        ),
    )


@secret
def remove_page(request: HttpRequest) -> HttpResponseBase:
    def remove(user: User, given: dict[str, str]) -> HttpResponse:
        services.remove_second_factor(user=user, at=timezone.now(), **given)
        request.session.pop(DEVICE_ID_SESSION_KEY, None)
        messages.success(request, "Your second factor was removed.")
        return HttpResponseRedirect(reverse("admin:second_factor"))

    return _change(
        request,
        title="Remove the second factor",
        effects=["Your password alone lets you in from then on.", "The recovery codes are void too."],
        button="Remove it",
        act=remove,
    )


def _change(
    request: HttpRequest,
    *,
    title: str,
    effects: list[str],
    button: str,
    act: Callable[[User, dict[str, str]], HttpResponse],
) -> HttpResponseBase:
    """A page that asks for password and code, and then does it."""
    _require_pages()
    user, back = user_of(request), reverse("admin:second_factor")
    if second_factor_of(user) is None:
        return HttpResponseRedirect(back)
    form = ChangeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return act(user, form.cleaned_data)
        except AnticipatedError as refusal:
            say(form, refusal)
    question = _question(form, button, back=back)
    return page(request, "admin/console/second_factor_change.html", title=title, effects=effects, question=question)


def _codes(request: HttpRequest, codes: list[str], *, title: str, beside_console: bool = False) -> TemplateResponse:
    """Shown in the answer that makes them, and nowhere else."""
    return page(
        request,
        "admin/console/second_factor_codes.html",
        title=title,
        codes=codes,
        file=f"data:text/plain;charset=utf-8,{quote(chr(10).join([*codes, '']))}",
        beside_console=beside_console,
    )


def _question(form: forms.Form, button: str, *, back: str) -> dict[str, Any]:
    """What `admin/accounts/confirm_form.html` shows."""
    return {"form": form, "button": button, "back": back, "hidden": ()}


def _require_pages() -> None:
    if settings.CONSOLE_TOTP == "off":
        raise Http404


def _picture(address: str) -> SafeString:
    """The address as a QR code, a part of the page: no other address has it."""
    drawn = qrcode.make(address, image_factory=SvgPathImage, border=2)
    return mark_safe(drawn.to_string(encoding="unicode"))  # noqa: S308  (qrcode's, of squares)


def _grouped(address: str) -> str:
    """The key as it is typed into an app that cannot read the picture."""
    key = address.partition("secret=")[2].partition("&")[0]
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))


cast("ConsoleSite", admin.site).add_pages(
    path("second-factor/", own_page, name="second_factor"),
    path("second-factor/enrol/", enrol_page, name="second_factor_enrol"),
    path("second-factor/codes/", codes_page, name="second_factor_codes"),
    path("second-factor/remove/", remove_page, name="second_factor_remove"),
)
