"""Accounts in the operators' console. No powers of its own: what changes is changed by the services."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import admin as _registers_groups  # noqa: F401  (before ours is put in its place)
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_otp.plugins.otp_totp import admin as _registers_devices  # noqa: F401  (as above)
from django_otp.plugins.otp_totp.models import TOTPDevice

from aetherflow.errors import AnticipatedError
from apps.accounts import account_steps as steps
from apps.accounts import second_factor_pages as _adds_pages  # noqa: F401
from apps.accounts import services
from apps.accounts.authentication import user_of
from apps.accounts.choices import AuditAction, ConsoleRole, Role
from apps.accounts.confirming import ConfirmsSteps, ReasonForm
from apps.accounts.console import CappedPaginator, ConsoleAdmin, PeriodFilter, ReadOnlyAdmin, audit_address
from apps.accounts.exports import csv_response
from apps.accounts.models import AuditEntry, Invitation, Session, User, normalise_email
from apps.accounts.selectors import running_sessions


class NormalisedEmail(forms.ModelForm):
    def clean_email(self) -> str:
        return normalise_email(self.cleaned_data["email"])


class AccountAddForm(NormalisedEmail, BaseUserCreationForm, ReasonForm):
    class Meta:
        model = User
        fields = ("email", "full_name", "department", "role", "console_role")


class AccountChangeForm(NormalisedEmail):
    class Meta:
        model = User
        fields = ("email", "full_name")


class SaysRefusals(ConsoleAdmin):
    """A refusal of a service is a sentence for the operator, not an error page."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except AnticipatedError as refusal:
            self.message_user(request, f"{refusal.message} {refusal.hint}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


@admin.register(User)
class AccountAdmin(ConfirmsSteps, SaysRefusals):
    list_display = ["email", "full_name", "department", "role", "console_role", "approval", "is_active", "last_login"]
    list_filter = ["approval", "department", "role", "console_role", "is_active"]
    search_fields = ["email", "full_name"]
    ordering = ["email"]
    form = AccountChangeForm
    add_form = AccountAddForm
    readonly_fields = ["department", "role", "console_role", "superuser", "is_active", "approval", "approved_at",
                       "approved_by", "last_login", "created_at", "sessions", "audit"]  # fmt: skip
    fieldsets = [
        (None, {"fields": ["email", "full_name"]}),
        ("Access", {"fields": ["department", "role", "console_role", "superuser", "is_active", "sessions"]}),
        ("History", {"fields": ["approval", "approved_at", "approved_by", "last_login", "created_at", "audit"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["email", "full_name", "password1", "password2"]}),
        ("Access", {"fields": ["department", "role", "console_role"]}),
        (None, {"fields": ["reason"], "description": "The account can be used at once. Tell its owner the password."}),
    ]
    steps = [
        steps.Approve(),
        steps.Move(),
        steps.GiveRole(),
        steps.GiveConsoleRole(),
        steps.ResetPassword(),
        steps.ResetSecondFactor(),
        steps.EndSessions(),
        steps.Deactivate(),
        steps.Reopen(),
    ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        return super().get_form(request, obj, change, **({} if change else {"form": self.add_form}), **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_readonly_fields(request, obj) if obj else []

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django's own user page refuses it too: by many questions a hash could be guessed letter by letter.
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001
        by, at = user_of(request), timezone.now()
        if change:
            user = User.objects.get(pk=obj.pk)
            services.rename(user=user, email=obj.email, full_name=obj.full_name, by=by, at=at)
            return
        made = services.create_account(
            email=obj.email,
            full_name=obj.full_name,
            department=obj.department,
            role=Role(obj.role),
            console_role=ConsoleRole(obj.console_role),
            password=form.cleaned_data["password1"],
            by=by,
            at=at,
            reason=form.cleaned_data["reason"],
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False  # What a person did stays theirs; shut accounts are deactivated.

    @admin.display(description="superuser", boolean=True)
    def superuser(self, user: User) -> bool:
        return user.is_superuser

    @admin.display(description="sessions that run")
    def sessions(self, user: User) -> str:
        found = running_sessions([user], at=timezone.now())
        return f"{found.api} of the dashboard, {found.console} of the console"

    @admin.display(description="audit")
    def audit(self, user: User) -> str:
        return format_html(
            '<a href="{}">what was done to it</a>, <a href="{}">what it did</a>',
            audit_address(target_id=str(user.pk)),
            audit_address(actor=str(user.pk)),
        )


@admin.register(Session)
class SessionAdmin(ConfirmsSteps, ReadOnlyAdmin):
    list_display = ["id", "user", "ip", "created_at", "last_used_at", "expires_at", "ended_at", "ended_reason"]
    list_filter = ["ended_reason"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    # What makes a refresh token the good one is nobody's to read.
    exclude = ["current_jti", "previous_jti"]
    steps = [steps.EndSession()]


class InvitationForm(NormalisedEmail, ReasonForm):
    class Meta:
        model = Invitation
        fields = ("email", "department", "role", "console_role")


@admin.register(Invitation)
class InvitationAdmin(ConfirmsSteps, SaysRefusals):
    list_display = ["id", "email", "department", "role", "console_role", "invited_by", "created_at", "expires_at",
                    "standing"]  # fmt: skip
    list_filter = ["department", "role", "console_role"]
    list_select_related = ["invited_by", "used_by"]
    search_fields = ["email"]
    form = InvitationForm
    fieldsets = [(None, {"fields": ["email", "department", "role", "console_role", "invited_by", "created_at",
                                    "expires_at", "standing"]})]  # fmt: skip
    readonly_fields = ["invited_by", "created_at", "expires_at", "standing"]
    add_fieldsets = [
        (None, {
            "fields": ["email", "department", "role", "console_role", "reason"],
            "description": "Whoever shows the token at registration is let in at once, with this department and these "
            "roles. It is shown when this is saved, and only then. An open invitation of the same address is void.",
        }),
    ]  # fmt: skip
    steps = [steps.Withdraw()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    @admin.display(description="standing")
    def standing(self, invitation: Invitation) -> str:
        if invitation.used_by:
            return f"used by {invitation.used_by}"
        if invitation.used_at:
            return "withdrawn"
        if not services.is_backed(invitation):
            return "void: who made it administers the console no more"
        return "ran out" if invitation.expires_at <= timezone.now() else "open"

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        issued = services.invite(
            email=obj.email,
            department=obj.department,
            role=Role(obj.role),
            console_role=ConsoleRole(obj.console_role),
            by=user_of(request),
            at=timezone.now(),
            reason=form.cleaned_data["reason"],
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

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False  # It is withdrawn, so that one can see that it was there.


# It would show keys, and add devices that nobody has confirmed.
admin.site.unregister(TOTPDevice)
# Django's page would let permissions be given that the next `migrate` takes away.
admin.site.unregister(Group)


@admin.register(Group)
class ConsoleRoleAdmin(ReadOnlyAdmin):
    """What each role in the console may do; it is said in the code."""

    list_display = ["name"]
    fields = ["name", "may"]
    readonly_fields = ["may"]

    @admin.display(description="may")
    def may(self, group: Group) -> str:
        known = group.permissions.order_by("content_type__app_label", "name").values_list(
            "content_type__app_label", "name"
        )
        return format_html_join("", "<div>{}: {}</div>", known)


class AuditPeriod(PeriodFilter):
    field = "at"


class AuditActor(admin.SimpleListFilter):
    """Whoever may use the console, to choose from; any other account by its address, as from its own page."""

    title = "who"
    parameter_name = "actor"
    nobody = "command"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:  # noqa: ARG002
        staff = User.objects.filter(is_staff=True).order_by("email")
        return [(self.nobody, "a command"), *((str(user.pk), user.email) for user in staff)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:  # noqa: ARG002
        asked = self.value()
        if asked is None:
            return queryset
        if asked == self.nobody:
            return queryset.filter(actor=None)
        try:
            return queryset.filter(actor_id=UUID(asked))
        except ValueError:
            raise IncorrectLookupParameters(f"{asked!r} is no account.") from None


# Where what an entry is about is looked at, by the type of its target.
_PAGES = {
    "user": "accounts_user",
    "invitation": "accounts_invitation",
    "dataset": "datasets_dataset",
    "job": "jobs_job",
    "operation": "jobs_operation",
}


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["when", "actor_name", "action", "target", "department", "reason", "address", "request_id"]
    list_filter = [AuditPeriod, "department", AuditActor, "action"]
    search_fields = ["actor_name", "target", "reason", "request_id"]
    search_help_text = "Who, what, why, a request's id or the id of what it was done to."
    fields = ("when", "who", "action", "what", "department", "reason", "detail", "address", "request_id")
    readonly_fields = ("when", "who", "what", "detail")
    sortable_by = ()
    actions = None
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they count the whole table, once for every choice
    columns = ("at", "actor_id", "actor_name", "action", "target_type", "target_id", "target", "department", "reason",
               "details", "address", "request_id")  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """An id as it is, by its index: to look for it within every text takes as long as there are entries."""
        try:
            asked = str(UUID(search_term.strip()))
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(target_id=asked) | Q(actor_id=asked) | Q(request_id=asked)), False

    @admin.display(description="when (UTC)")
    def when(self, entry: AuditEntry) -> str:
        """To the second, which Django's format leaves out."""
        return f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="who")
    def who(self, entry: AuditEntry) -> str:
        if entry.actor_id is None:
            return entry.actor_name
        return format_html('{} (<a href="{}">all</a>)', entry.actor_name, audit_address(actor=str(entry.actor_id)))

    @admin.display(description="what it was done to")
    def what(self, entry: AuditEntry) -> str:
        page, said = _PAGES.get(entry.target_type), f"{entry.target_type} {entry.target}"
        if page is None or not entry.target_id:
            return said
        return format_html(
            '<a href="{}">{}</a> (<a href="{}">all that was done to it</a>)',
            reverse(f"admin:{page}_change", args=[entry.target_id]),
            said,
            audit_address(target_id=entry.target_id),
        )

    @admin.display(description="details")
    def detail(self, entry: AuditEntry) -> str:
        return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in entry.details.items())

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("accounts.export_auditentry")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {"may_export": self.has_export_permission(request)}
        return super().changelist_view(request, shown | (extra_context or {}))

    def get_urls(self) -> list[Any]:
        export = path("export/", self.admin_site.admin_view(self.export), name="accounts_auditentry_export")
        return [export, *super().get_urls()]

    @method_decorator(require_POST)
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """All entries that the list's filter and search match, as CSV. It is an entry of its own."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            matching = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(audit_address(e="1"))
        at = timezone.now()
        whole = services.Target(type="audit", name=request.GET.urlencode() or "all entries")
        with transaction.atomic():
            entry = services.record(AuditAction.AUDIT_EXPORTED, whole, by=user_of(request), at=at)
        # What is written from now on comes with the next export: this one would never end.
        rows = matching.filter(pk__lt=entry.pk).values_list(*self.columns).iterator(chunk_size=2_000)
        return csv_response(self.columns, map(_cells, rows), filename=f"audit-{at:%Y-%m-%d-%H%M%S}.csv")


def _cells(row: tuple[object, ...]) -> Iterator[object]:
    return (json.dumps(value) if isinstance(value, dict) else value for value in row)
