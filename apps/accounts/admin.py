"""Accounts in the operators' console. No powers of its own: what changes is changed by the services."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, BaseUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from aetherflow.errors import AnticipatedError
from apps.accounts import services
from apps.accounts.authentication import user_of
from apps.accounts.console import ReadOnlyAdmin
from apps.accounts.models import Invitation, Role, Session, SessionEnd, User, normalise_email


class NormalisedEmail(forms.ModelForm):
    def clean_email(self) -> str:
        return normalise_email(self.cleaned_data["email"])


class AccountAddForm(NormalisedEmail, BaseUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name", "department", "role")


class AccountChangeForm(NormalisedEmail):
    class Meta:
        model = User
        fields = ("email", "full_name", "department", "role", "is_active")


class AccountPasswordForm(AdminPasswordChangeForm):
    """Without the choice of no password at all: to shut an account is to deactivate it."""

    def __init__(self, user: User, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields.pop("usable_password", None)
        self.account, self.by = user, by

    def save(self, commit: bool = True) -> User:  # noqa: ARG002, FBT001, FBT002 (Django's signature)
        password = self.cleaned_data["password1"]
        services.reset_password(user=self.account, password=password, by=self.by, at=timezone.now())
        return self.account


class SaysRefusals(admin.ModelAdmin):
    """A refusal of a service is a sentence for the operator, not an error page."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except AnticipatedError as refusal:
            self.message_user(request, f"{refusal.message} {refusal.hint}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def each(self, request: HttpRequest, chosen: QuerySet[Any], act: Callable[[Any], object], *, done: str) -> None:
        """Do it to each; say how many were done and why the others were not."""
        count = 0
        for one in chosen:
            try:
                act(one)
            except AnticipatedError as refusal:
                self.message_user(request, f"{one}: {refusal.message}", messages.WARNING)
            else:
                count += 1
        self.message_user(request, f"{count} of {len(chosen)} {done}.")


@admin.register(User)
class AccountAdmin(SaysRefusals, UserAdmin):
    list_display = ["email", "full_name", "department", "role", "approval", "is_active", "last_login"]
    list_filter = ["approval", "department", "role", "is_active"]
    search_fields = ["email", "full_name"]
    ordering = ["email"]
    filter_horizontal = []
    form = AccountChangeForm
    add_form = AccountAddForm
    readonly_fields = ["approval", "approved_at", "approved_by", "last_login", "created_at"]
    fieldsets = [
        (None, {"fields": ["email", "full_name"]}),
        ("Access", {"fields": ["department", "role", "is_active"]}),
        ("History", {"fields": ["approval", "approved_at", "approved_by", "last_login", "created_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "full_name", "department", "role", "password1", "password2"]})]
    actions = ["approve", "deactivate", "end_sessions"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001
        by, at, role = user_of(request), timezone.now(), Role(obj.role)
        if not change:
            password = form.cleaned_data["password1"]
            made = services.create_account(
                email=obj.email,
                full_name=obj.full_name,
                department=obj.department,
                role=role,
                password=password,
                by=by,
                at=at,
            )
            obj.pk = made.pk
            obj.refresh_from_db()
            return
        user = User.objects.get(pk=obj.pk)
        services.set_access(
            user=user,
            department=obj.department,
            role=role,
            is_active=obj.is_active,
            by=by,
            at=at,
        )
        services.rename(user=user, email=obj.email, full_name=obj.full_name, by=by, at=at)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        # The form must know who acts; Django builds it from an attribute, and self is shared by all threads.
        for_this_request = copy.copy(self)
        for_this_request.change_password_form = partial(AccountPasswordForm, by=user_of(request))
        return UserAdmin.user_change_password(for_this_request, request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False  # What a person did stays theirs; shut accounts are deactivated.

    @admin.action(description="Approve")
    def approve(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        at = timezone.now()
        self.each(request, chosen, lambda u: services.approve(user=u, by=user_of(request), at=at), done="approved")

    @admin.action(description="Deactivate")
    def deactivate(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        at = timezone.now()
        self.each(
            request,
            chosen,
            lambda u: services.deactivate(user=u, by=user_of(request), at=at),
            done="deactivated",
        )

    @admin.action(description="End all sessions")
    def end_sessions(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        at = timezone.now()
        self.each(
            request,
            chosen,
            lambda u: services.end_sessions(user=u, reason=SessionEnd.ADMIN, by=user_of(request), at=at),
            done="logged out",
        )


@admin.register(Session)
class SessionAdmin(SaysRefusals, ReadOnlyAdmin):
    list_display = ["id", "user", "ip", "created_at", "last_used_at", "expires_at", "ended_at", "ended_reason"]
    list_filter = ["ended_reason"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    actions = ["end"]

    @admin.action(description="End")
    def end(self, request: HttpRequest, chosen: QuerySet[Session]) -> None:
        at = timezone.now()
        self.each(
            request,
            chosen,
            lambda s: services.end_session(session_id=s.pk, reason=SessionEnd.ADMIN, by=user_of(request), at=at),
            done="ended",
        )


class InvitationForm(NormalisedEmail):
    class Meta:
        model = Invitation
        fields = ("email", "department", "role")


@admin.register(Invitation)
class InvitationAdmin(SaysRefusals):
    list_display = ["id", "email", "department", "role", "invited_by", "created_at", "expires_at", "used_at"]
    list_filter = ["department", "role"]
    list_select_related = ["invited_by"]
    search_fields = ["email"]
    form = InvitationForm

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        issued = services.invite(
            email=obj.email,
            department=obj.department,
            role=Role(obj.role),
            by=user_of(request),
            at=timezone.now(),
        )
        obj.pk = issued.invitation.pk
        obj.refresh_from_db()
        self.message_user(
            request,
            f"The token, shown only now: {issued.token}. It is typed in at registration.",
            messages.WARNING,
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False
