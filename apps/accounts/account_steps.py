"""What the console does to accounts, sessions and invitations once it is confirmed, and what its page says of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordMixin

from aetherflow.registry import departments
from apps.accounts import services
from apps.accounts.choices import CONSOLE_ROLE_HELP, Approval, ConsoleRole, Role, SessionEnd
from apps.accounts.confirming import ReasonForm, Step
from apps.accounts.models import Invitation, Session, User, department_choices
from apps.accounts.selectors import bound_to_department, running_sessions, second_factor_of


class AccountStep(Step[User]):
    def remark(self, one: User) -> str:
        known = [one.full_name, _place(one)]
        known += [f"{one.console_role} of the console"] if one.console_role else []
        known += [] if one.is_active else ["deactivated"]
        return ", ".join(known)

    def state(self, one: User) -> str:
        return f"{one.department} {one.role} {one.console_role} {one.is_active} {one.approval}"


class Approve(AccountStep):
    name, label, done = "approve", "Approve", "approved"
    permission = "accounts.approve_user"

    def applies(self, one: User) -> bool:
        return one.approval == Approval.PENDING

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:  # noqa: ARG002
        yield "They can log in from now on, and see all data of the department that stands beside their name."
        yield "They chose it themselves when they registered: make sure that they belong there."

    def remark(self, one: User) -> str:
        return f"{super().remark(one)}, registered {one.created_at:%Y-%m-%d}"

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        services.approve(user=one, by=by, at=at, reason=given["reason"])
        return True


class Deactivate(AccountStep):
    name, label, done = "deactivate", "Deactivate", "deactivated"
    permission = "accounts.deactivate_user"

    def applies(self, one: User) -> bool:
        return one.is_active

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:
        yield f"This ends {_sessions(chosen, at=at)}. Nobody logs in with these accounts any more."
        yield f"What they did stays, and work under way goes on{_counted(chosen)}."
        yield from _invitations(chosen)
        yield "A deactivated account can be opened again."

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        return services.deactivate(user=one, by=by, at=at, reason=given["reason"])


class Reopen(AccountStep):
    name, label, done = "reopen", "Open again", "opened again"
    permission = "accounts.deactivate_user"

    def applies(self, one: User) -> bool:
        return not one.is_active

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:  # noqa: ARG002
        yield "They can log in again with the password they had, and see and do what they could before."

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        return services.activate(user=one, by=by, at=at, reason=given["reason"])


class MoveForm(ReasonForm):
    department = forms.ChoiceField(
        choices=lambda: [("", "choose one"), *department_choices()], label="To the department"
    )


class Move(AccountStep):
    name, label, done = "move", "Move to another department", "moved"
    permission = "accounts.move_user"
    form = MoveForm

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:
        yield f"This ends {_sessions(chosen, at=at)}. They log in again."
        yield (
            "In the dashboard they see the new department from then on, and nothing of the one before: neither its "
            "dashboard nor what they uploaded themselves."
        )
        yield (
            f"What they did stays with the department before, under their name{_counted(chosen)}. Work under way goes "
            "on, and its results are that department's."
        )
        if any(each.role == Role.ADMIN for each in chosen):
            yield "Admins of all departments see all of them as before."
        if any(each.console_role for each in chosen):
            yield "Whoever has a role in the console keeps it, and sees all departments there."

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        return services.set_department(user=one, department=given["department"], by=by, at=at, reason=given["reason"])


class RoleForm(ReasonForm):
    role = forms.ChoiceField(choices=Role)
    department = forms.ChoiceField(
        choices=lambda: [("", "none"), *department_choices()], required=False, help_text="A member needs one."
    )

    def clean(self) -> dict[str, Any] | None:
        given = super().clean()
        if self.cleaned_data.get("role") == Role.MEMBER and not self.cleaned_data.get("department"):
            self.add_error("department", "A member needs a department; only an admin can be without one.")
        return given


class GiveRole(AccountStep):
    name, label, done = "role", "Change role", "given the role"
    permission = "accounts.grant_user"
    form = RoleForm
    in_list = False

    def initial(self, chosen: Sequence[User]) -> Mapping[str, Any]:
        return {"role": chosen[0].role, "department": chosen[0].department}

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:
        yield f"This ends {_sessions(chosen, at=at)}. They log in again."
        yield "A member sees one department. Whoever was an admin before loses the role in the console too."
        yield "An admin sees all departments, and is given the console's admin role with it."

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        role, department = Role(given["role"]), given["department"]
        return services.set_role(user=one, role=role, department=department, by=by, at=at, reason=given["reason"])


class ConsoleRoleForm(ReasonForm):
    console_role = forms.ChoiceField(
        choices=ConsoleRole, required=False, label="Role in the console", help_text=CONSOLE_ROLE_HELP
    )


class GiveConsoleRole(AccountStep):
    name, label, done = "console-role", "Change role in the console", "given the role in the console"
    permission = "accounts.grant_user"
    form = ConsoleRoleForm

    def initial(self, chosen: Sequence[User]) -> Mapping[str, Any]:
        return {"console_role": chosen[0].console_role if len(chosen) == 1 else ConsoleRole.VIEWER}

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:
        yield "The console shows all departments, whichever the account belongs to. The dashboard stays as it is."
        yield f"Whoever may do less than before is logged out. Of theirs run: {_sessions(chosen, at=at)}."
        yield "Whoever may do more stays logged in, and sees it at the next page."
        if any(each.is_superuser for each in chosen):
            yield "Whoever is a superuser is none any more, and logged out."

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        console_role = ConsoleRole(given["console_role"])
        return services.set_console_role(user=one, console_role=console_role, by=by, at=at, reason=given["reason"])


class EndSessions(AccountStep):
    name, label, done = "end-sessions", "End all sessions", "logged out"
    permission = "accounts.end_session"

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:
        yield f"This ends {_sessions(chosen, at=at)}."
        yield "They can log in again at once: to keep somebody out, deactivate the account."

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        ended = services.end_sessions(user=one, reason=SessionEnd.ADMIN, by=by, at=at, why=given["reason"])
        return bool(ended)


class PasswordForm(SetPasswordMixin, ReasonForm):
    password1, password2 = SetPasswordMixin.create_password_fields()

    def clean(self) -> dict[str, Any] | None:
        self.validate_passwords()
        return super().clean()


class ResetPassword(AccountStep):
    name, label, done = "password", "Give another password", "given another password"
    permission = "accounts.change_user"
    form = PasswordForm
    in_list = False

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:
        yield f"This ends {_sessions(chosen, at=at)}. They log in again with the new password, which you tell them."

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        services.reset_password(user=one, password=given["password1"], by=by, at=at, reason=given["reason"])
        return True


class ResetSecondFactor(AccountStep):
    name, label, done = "second-factor", "Take the second factor away", "left without a second factor"
    permission = "accounts.change_user"
    in_list = False

    def applies(self, one: User) -> bool:
        return second_factor_of(one) is not None

    def effects(self, chosen: Sequence[User], *, at: datetime) -> Iterable[str]:
        yield f"This ends {_sessions(chosen, at=at)}. The app and the recovery codes are void."
        yield "From then on the password alone lets them in, until they set up another one."
        if settings.CONSOLE_TOTP == "required":
            yield "They have to do so as soon as they log in."
        yield "Make sure that it is they who ask for this: by their voice or face, not by an e-mail."

    def act(self, one: User, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        return services.reset_second_factor(user=one, by=by, at=at, reason=given["reason"])


class EndSession(Step[Session]):
    name, label, done = "end", "End", "ended"
    permission = "accounts.end_session"

    def applies(self, one: Session) -> bool:
        return one.ended_at is None

    def effects(self, chosen: Sequence[Session], *, at: datetime) -> Iterable[str]:  # noqa: ARG002
        yield "Whoever works with it is asked to log in at the next click. Other sessions of theirs go on."

    def remark(self, one: Session) -> str:
        return f"of {one.user}, from {one.ip or 'an unknown address'}, last used {one.last_used_at:%Y-%m-%d %H:%M} UTC"

    def act(self, one: Session, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        return services.end_session(session_id=one.pk, reason=SessionEnd.ADMIN, by=by, at=at, why=given["reason"])


class Withdraw(Step[Invitation]):
    name, label, done = "withdraw", "Withdraw", "withdrawn"
    permission = "accounts.withdraw_invitation"

    def applies(self, one: Invitation) -> bool:
        return one.used_at is None

    def effects(self, chosen: Sequence[Invitation], *, at: datetime) -> Iterable[str]:  # noqa: ARG002
        yield "Nobody can register with it any more. Whoever has registered with one keeps the account."

    def remark(self, one: Invitation) -> str:
        return f"for {one.email or 'whoever holds it'}, {one.department or 'all departments'}"

    def act(self, one: Invitation, *, given: Mapping[str, Any], by: User, at: datetime) -> bool:
        services.withdraw(invitation=one, by=by, at=at, reason=given["reason"])
        return True


def _place(user: User) -> str:
    if user.role == Role.ADMIN:
        return "all departments"
    known = departments().get(user.department)
    return known.label if known else user.department


def _sessions(chosen: Sequence[User], *, at: datetime) -> str:
    found = running_sessions(chosen, at=at)
    if not found.api + found.console:
        return "no session"
    return f"{_number(found.api, 'session')} of the dashboard, {_number(found.console, 'session')} of the console"


def _invitations(chosen: Sequence[User]) -> Iterable[str]:
    if any(each.console_role == ConsoleRole.ADMIN for each in chosen):
        yield "Open invitations that they made are void from then on."


def _counted(chosen: Sequence[User]) -> str:
    found = bound_to_department(chosen)
    return f" ({', '.join(f'{count} {name}' for name, count in found.most_common())})" if found else ""


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
