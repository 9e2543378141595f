"""What an account may be, how a session ends, what the audit tells of."""

from django.db import models


class Role(models.TextChoices):
    MEMBER = "member", "member of a department"
    ADMIN = "admin", "admin of all departments"


class ConsoleRole(models.TextChoices):
    """What may be done in the operators' console, where all departments are seen. Each may what those before it may."""

    NONE = "", "none"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(ConsoleRole).index(self)


CONSOLE_ROLE_HELP = (
    "A viewer looks at everything, of all departments. An operator also retries, reprocesses, undoes, cancels, "
    "redrives and rescues. An admin also sees to accounts, discards and purges, and exports the audit."
)


class Approval(models.TextChoices):
    PENDING = "pending", "waits for approval"
    APPROVED = "approved", "approved"


class SessionEnd(models.TextChoices):
    """Why a session ended before its time."""

    LOGOUT = "logout", "logged out"
    OWNER = "owner", "ended by its owner in the list of sessions"
    PASSWORD_CHANGE = "password-change", "the password was changed"
    ACCESS_CHANGE = "access-change", "department, role or activity was changed"
    SECOND_FACTOR = "second-factor", "a second factor was set up or taken away"
    REUSE = "reuse", "a spent refresh token was shown again"
    ADMIN = "admin", "ended by an operator"


class AuditAction(models.TextChoices):
    """What may be found in the audit. A label goes on where the name of who did it ends."""

    REGISTERED = "registered", "registered"
    LOGGED_IN = "logged-in", "logged in"
    LOGGED_OUT = "logged-out", "logged out"
    GUESSING_SLOWED = "guessing-slowed", "guessed at an account's password, and was slowed down"
    CONSOLE_ENTERED = "console-entered", "logged in to the console"
    CONSOLE_LOCKED = "console-locked", "was kept out of the console after wrong passwords or codes"
    CONSOLE_LEFT = "console-left", "logged out of the console"
    PASSWORD_CHANGED = "password-changed", "changed their password"
    ACCOUNT_CREATED = "account-created", "made an account"
    ACCOUNT_APPROVED = "account-approved", "approved an account"
    ACCOUNT_RENAMED = "account-renamed", "changed an account's name or address"
    ACCOUNT_MOVED = "account-moved", "moved an account to another department"
    ROLE_CHANGED = "role-changed", "gave an account another role"
    CONSOLE_ROLE_CHANGED = "console-role-changed", "gave an account another role in the console"
    ACCOUNT_DEACTIVATED = "account-deactivated", "shut an account"
    ACCOUNT_ACTIVATED = "account-activated", "opened an account again"
    PASSWORD_RESET = "password-reset", "gave an account another password"
    SECOND_FACTOR_SET_UP = "second-factor-set-up", "set up a second factor"
    SECOND_FACTOR_REMOVED = "second-factor-removed", "removed their second factor"
    SECOND_FACTOR_RESET = "second-factor-reset", "took an account's second factor away"
    RECOVERY_CODES_MADE = "recovery-codes-made", "made new recovery codes"
    RECOVERY_CODE_USED = "recovery-code-used", "used a recovery code"
    SESSIONS_ENDED = "sessions-ended", "ended sessions"
    INVITED = "invited", "invited somebody"
    INVITATION_WITHDRAWN = "invitation-withdrawn", "withdrew an invitation"
    UPLOADED = "uploaded", "uploaded a file"
    UNDONE = "undone", "undid an upload"
    MAPPING_FORGOTTEN = "mapping-forgotten", "had a mapping of labels forgotten"
    SETTINGS_CHANGED = "settings-changed", "changed what insights are computed with"
    JOB_RETRIED = "job-retried", "retried a job"
    JOB_CANCELLED = "job-cancelled", "cancelled a job"
    REPROCESSED = "reprocessed", "had an upload worked again"
    RESCUED = "rescued", "gave orphaned jobs back to the line"
    OPERATION_STARTED = "operation-started", "began to act on many jobs"
    OPERATION_STOPPED = "operation-stopped", "stopped acting on many jobs"
    REDRIVEN = "redriven", "put dead letters back into their queue"
    DISCARDED = "discarded", "threw a dead letter away"
    PURGED = "purged", "threw all dead letters of a queue away"
    PRUNED = "pruned", "deleted what was of no more use"
    AUDIT_EXPORTED = "audit-exported", "exported the audit"
