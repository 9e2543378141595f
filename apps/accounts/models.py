"""Who may come in: users, the sessions they hold, the invitations that let new ones in."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from aetherflow.registry import departments
from apps.accounts import rows
from apps.accounts.choices import CONSOLE_ROLE_HELP, Approval, AuditAction, ConsoleRole, Role, SessionEnd


def department_choices() -> list[tuple[str, str]]:
    """A callable, so that a new department needs no migration of this app."""
    return [(slug, department.label) for slug, department in departments().items()]


def normalise_email(text: str) -> str:
    return text.strip().lower()


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalise_email(username or ""))

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """What Django's own `createsuperuser` asks for; every other account is made by the services."""
        now = timezone.now()
        return self.create(
            email=normalise_email(email),
            password=make_password(password),
            role=Role.ADMIN,
            console_role=ConsoleRole.ADMIN,
            is_staff=True,
            is_superuser=True,
            approval=Approval.APPROVED,
            approved_at=now,
            created_at=now,
            **fields,
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person. A member works in one department and sees nothing of the others; an admin sees them all.

    That is the dashboard and the API. What one may do in the console is another question, and has a role of its own.
    """

    rows_of = rows.Account()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(
        "e-mail",
        unique=True,
        error_messages={"unique": "There is an account of this e-mail address already."},
    )
    full_name = models.CharField(max_length=150)
    department = models.SlugField(
        max_length=40,
        blank=True,
        db_index=False,
        choices=department_choices,
        help_text="Empty only for admins.",
    )
    worked_in = ArrayField(
        models.CharField(max_length=40),
        default=list,
        db_default=[],
        editable=False,
        help_text="The departments before this one, where what they uploaded is still told to be theirs. Kept by a "
        "trigger.",
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    console_role = models.CharField(
        "role in the console",
        max_length=10,
        blank=True,
        choices=ConsoleRole,
        default=ConsoleRole.NONE,
        db_default=ConsoleRole.NONE,
        help_text=CONSOLE_ROLE_HELP,
    )
    is_active = models.BooleanField("active", default=True, help_text="An inactive account is shut out at once.")
    # Follows from the role; the admin of Django asks for it.
    is_staff = models.BooleanField("may use the operators' console", default=False)
    approval = models.CharField(max_length=10, choices=Approval, default=Approval.PENDING)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty where the registration policy let them in.",
    )
    created_at = models.DateTimeField()

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        ordering = ["email"]
        permissions = [
            ("approve_user", "Can approve accounts"),
            ("deactivate_user", "Can shut accounts and open them again"),
            ("move_user", "Can move accounts to another department"),
            ("grant_user", "Can give accounts their roles"),
        ]
        constraints = [
            # With `unique`: one account an address, whatever its letters' case, also for rows written by
            # hand.
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(
                condition=Q(role=Role.ADMIN) | ~Q(department=""),
                name="user_member_has_department",
                violation_error_message="A member needs a department; only an admin can be without one.",
            ),
            models.CheckConstraint(condition=Q(console_role__in=ConsoleRole.values), name="user_console_role_known"),
            # The console looks across departments, so nobody must get there by a stray tick.
            models.CheckConstraint(
                condition=Q(console_role=ConsoleRole.NONE, is_staff=False)
                | (~Q(console_role=ConsoleRole.NONE) & Q(is_staff=True)),
                name="user_staff_iff_console_role",
            ),
            models.CheckConstraint(
                condition=Q(console_role=ConsoleRole.ADMIN) | Q(is_superuser=False),
                name="user_superuser_is_console_admin",
            ),
            models.CheckConstraint(
                condition=Q(approval=Approval.PENDING, approved_at=None)
                | Q(approval=Approval.APPROVED, approved_at__isnull=False),
                name="user_approved_at_iff_approved",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.full_name

    @property
    def may_enter(self) -> bool:
        return self.is_active and self.approval == Approval.APPROVED


class Session(models.Model):
    """One log-in to the API: a family of refresh tokens of which only the newest is good.

    The token before it is let through for a short grace, because two tabs may show it at the same time; any
    other token of the family is a copy in the wrong hands, and the whole session ends.
    """

    rows_of = rows.Parent("user")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions")
    user_agent = models.CharField(max_length=300, blank=True)
    ip = models.GenericIPAddressField(
        "address", null=True, blank=True, help_text="Where the log-in came from; empty where that is not known."
    )
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(help_text="The last log-in or refresh.")
    expires_at = models.DateTimeField()
    current_jti = models.UUIDField("current token", default=uuid.uuid4)
    previous_jti = models.UUIDField("token before it", null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=20, choices=SessionEnd, blank=True)

    class Meta:
        ordering = ["-created_at"]
        permissions = [("end_session", "Can end sessions")]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="session_expires_later"),
            models.CheckConstraint(
                condition=Q(previous_jti=None, rotated_at=None)
                | Q(previous_jti__isnull=False, rotated_at__isnull=False),
                name="session_rotated_at_iff_rotated",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_reason="")
                | Q(ended_at__isnull=False, ended_reason__in=SessionEnd.values),
                name="session_ended_at_iff_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.pk}"


class ConsoleSession(AbstractBaseSession):
    """One log-in to the console: Django's session, and whose it is, so that an account's can be counted and ended."""

    rows_of = rows.Operators(at_gate=True)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="console_sessions"
    )

    class Meta(AbstractBaseSession.Meta):
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        from apps.accounts.console_sessions import SessionStore  # noqa: PLC0415  (which stands on this model)

        return SessionStore


class RecoveryCode(models.Model):
    """What stands in once for the app of a second factor that is lost. Shown when it is made; kept is its digest."""

    rows_of = rows.Operators(at_gate=True)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "sha256"], name="recoverycode_once_a_user")]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class Invitation(models.Model):
    """A way in for one person, once. The token itself is shown when it is made and kept nowhere."""

    rows_of = rows.Department(at_gate=True)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("e-mail", blank=True, help_text="Empty: whoever holds the token may use it.")
    department = models.SlugField(max_length=40, blank=True, db_index=False, choices=department_choices)
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    console_role = models.CharField(
        "role in the console",
        max_length=10,
        blank=True,
        choices=ConsoleRole,
        default=ConsoleRole.NONE,
        db_default=ConsoleRole.NONE,
        help_text=CONSOLE_ROLE_HELP,
    )
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-created_at"]
        permissions = [("withdraw_invitation", "Can withdraw invitations")]
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_lower_case"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),
            models.CheckConstraint(
                condition=Q(console_role__in=ConsoleRole.values), name="invitation_console_role_known"
            ),
            models.CheckConstraint(
                condition=Q(role=Role.ADMIN) | ~Q(department=""),
                name="invitation_member_has_department",
                violation_error_message="A member needs a department; only an admin can be without one.",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"),
            models.CheckConstraint(
                condition=Q(used_by=None) | Q(used_at__isnull=False), name="invitation_used_by_only_if_used"
            ),
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(used_at=None) & ~Q(email=""),
                name="invitation_one_open_per_email",
                violation_error_message="This address has an open invitation already.",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class AuditEntry(models.Model):
    """Who did what to what, why and from where. Written with what it tells of and never changed: a trigger of the
    database refuses UPDATE, DELETE and TRUNCATE.

    The actor has no constraint in the database, so that an account that goes neither changes its entries nor is held by
    them: its id and name stay here.
    """

    rows_of = rows.Department(at_gate=True)

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty where no account acted, but a command.",
    )
    actor_name = models.CharField("who", max_length=500, help_text="As they were called then.")
    action = models.CharField(max_length=40, choices=AuditAction)
    target_type = models.CharField(max_length=40, help_text="Such as job, dataset, user, queue.")
    target_id = models.CharField(max_length=200, blank=True)
    target = models.CharField(max_length=300, blank=True, help_text="As it was called then.")
    department = models.CharField(
        max_length=40, blank=True, choices=department_choices, help_text="Empty where it is no department's."
    )
    reason = models.TextField(blank=True, help_text="In the words of who did it.")
    details = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    address = models.GenericIPAddressField(null=True, blank=True, help_text="Where it was asked for.")
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit"
        default_permissions = ("view",)
        permissions = [("export_auditentry", "Can export the audit")]
        # Each with the order of the list, so that the newest of a million are found without sorting them.
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_recent"),
            # The id first: it says enough by itself, and a list of ids of several types is asked for too.
            models.Index(fields=["target_id", "target_type", "-at", "-id"], name="audit_target"),
            models.Index(fields=["actor", "-at", "-id"], name="audit_actor"),
            models.Index(fields=["department", "-at", "-id"], name="audit_department"),
            models.Index(fields=["action", "-at", "-id"], name="audit_action"),
            models.Index(fields=["request_id"], name="audit_request", condition=~Q(request_id="")),
        ]
        constraints = [models.CheckConstraint(condition=~Q(actor_name=""), name="auditentry_somebody_did_it")]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.get_action_display()}"


class RateLimit(models.Model):
    """How far somebody has come with something that is limited (`services.limits`). The key is a hash that needs our
    secret to be made: it gives away no address and no account."""

    key = models.CharField(primary_key=True, max_length=64)
    due_at = models.DateTimeField(help_text="When the next one would be due at the steady rate.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"limit {self.key[:8]}"
