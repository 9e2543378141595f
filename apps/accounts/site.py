"""The operators' console as a whole: Django's, but for what would pass our services by: log-in, log-out, a password."""

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.forms import AdminOwnPasswordChangeForm

from aetherflow.errors import AnticipatedError
from apps.accounts import second_factor, services
from apps.accounts.authentication import user_of
from apps.accounts.lockout import LogInForm, is_kept_out, was_just_locked
from apps.accounts.models import User
from apps.accounts.selectors import asks_second_factor

# Unfold tells no types: where they are looked at, its site is Django's, which it extends.
if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as _Site
else:
    from unfold.sites import UnfoldAdminSite as _Site


class OwnPasswordView(PasswordChangeView):
    """One's own password, changed by the service: Django's form would end no session of the API, and tell nobody."""

    form_class = AdminOwnPasswordChangeForm

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        user, given = user_of(self.request), form.cleaned_data
        try:
            services.change_password(
                user=user, current=given["old_password"], new=given["new_password1"], at=timezone.now()
            )
        except AnticipatedError as refusal:
            form.add_error("new_password1", f"{refusal.message} {refusal.hint}")
            return self.form_invalid(form)
        update_session_auth_hash(self.request, user)
        return HttpResponseRedirect(self.get_success_url())


class LogInView(LoginView):
    """The password; and where the account has a second factor, on to its page before anybody is logged in."""

    template_name = "admin/login.html"
    authentication_form = LogInForm
    next_page = "admin:index"

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if asks_second_factor(user):
            return second_factor.ask(self.request, user, then=self.get_success_url())
        login(self.request, user)
        services.enter_console(user=user, at=timezone.now())
        return HttpResponseRedirect(self.get_success_url())


class ConsoleSite(_Site):
    index_title = "Operations"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pages: list[URLPattern] = []

    def add_pages(self, *pages: URLPattern) -> None:
        """Pages of what is in no table. Each view asks for its permission; that one is logged in is seen to here."""
        for page in pages:
            page.callback = self.admin_view(page.callback)
            self._pages.append(page)

    def get_urls(self) -> list[Any]:
        # Unfold's search finds names of models, which the menu shows all of.
        # Not by `admin_view`: nobody is logged in there yet.
        code = path("login/code/", second_factor.code_page, name="second_factor_code")
        return [code, *self._pages, *(each for each in super().get_urls() if getattr(each, "name", "") != "search")]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # The page's policy allows no style in it; the colours stand in console.css.
        return super().each_context(request) | {"colors": None}

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  (Django's signature)
        @wraps(view)
        def held(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return second_factor.leads_to_enrolment(request) or view(request, *args, **kwargs)

        return super().admin_view(held, cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        request.current_app = self.name  # type: ignore[attr-defined]
        context = {
            **self.each_context(request),
            "title": "Log in",
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        with transaction.atomic():
            answer = cast("HttpResponse", LogInView.as_view(extra_context=context)(request))
            if request.method == "POST" and not isinstance(answer, HttpResponseRedirect):
                services.refuse_console(email=request.POST.get("username", ""))
                if was_just_locked(request):
                    services.lock_console(email=request.POST.get("username", ""), at=timezone.now())
        if is_kept_out(request):
            answer.status_code = HTTPStatus.TOO_MANY_REQUESTS
            answer["Retry-After"] = f"{settings.AXES_COOLOFF_TIME.total_seconds():.0f}"
        return answer

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        user = request.user
        was_in = user.is_authenticated
        with transaction.atomic():
            answer = super().logout(request, extra_context)
            if was_in and not request.user.is_authenticated:
                services.leave_console(user=cast("User", user), at=timezone.now())
        return answer

    # The stubs know only of the answer that shows the form; the other one leads on.
    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        request.current_app = self.name  # type: ignore[attr-defined]
        change = OwnPasswordView.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return change(request)
