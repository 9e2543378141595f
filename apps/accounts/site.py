"""The operators' console as a whole: Django's, but for what would pass our services by: log-in, log-out, a password."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from unfold.forms import AdminOwnPasswordChangeForm

from aetherflow.errors import AnticipatedError
from apps.accounts import services
from apps.accounts.authentication import user_of
from apps.accounts.lockout import LogInForm, is_kept_out, was_just_locked
from apps.accounts.models import User

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


class ConsoleSite(_Site):
    index_title = "Operations"
    login_form = LogInForm

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
        return [*self._pages, *(each for each in super().get_urls() if getattr(each, "name", "") != "search")]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # The page's policy allows no style in it; the colours stand in console.css.
        return super().each_context(request) | {"colors": None}

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        with transaction.atomic():
            answer = super().login(request, extra_context)
            # To look at the page leads on too, whoever is logged in already.
            if request.method == "POST" and isinstance(answer, HttpResponseRedirect):
                services.enter_console(user=user_of(request), at=timezone.now())
            elif request.method == "POST":
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
