"""Every change to accounts, sessions and invitations: a module for each, because they change for reasons
of their own and together would be too long to read."""

from apps.accounts.services.accounts import (
    activate,
    approve,
    change_password,
    create_account,
    deactivate,
    rename,
    reset_password,
    set_access,
    set_console_role,
    set_department,
    set_role,
)
from apps.accounts.services.auditing import Target, record
from apps.accounts.services.codes import prove
from apps.accounts.services.registration import Issued, Policy, invite, is_backed, register, withdraw
from apps.accounts.services.second_factor import (
    enrol,
    remove_second_factor,
    renew_recovery_codes,
    reset_second_factor,
)
from apps.accounts.services.sessions import (
    SignedIn,
    end_session,
    end_sessions,
    enter_console,
    leave_console,
    lock_console,
    log_in,
    log_out,
    refuse_console,
    rotate,
)

__all__ = [
    "Issued",
    "Policy",
    "SignedIn",
    "Target",
    "activate",
    "approve",
    "change_password",
    "create_account",
    "deactivate",
    "end_session",
    "end_sessions",
    "enrol",
    "enter_console",
    "invite",
    "is_backed",
    "leave_console",
    "lock_console",
    "log_in",
    "log_out",
    "prove",
    "record",
    "refuse_console",
    "register",
    "remove_second_factor",
    "rename",
    "renew_recovery_codes",
    "reset_password",
    "reset_second_factor",
    "rotate",
    "set_access",
    "set_console_role",
    "set_department",
    "set_role",
    "withdraw",
]
