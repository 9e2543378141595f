"""The one database, by the log-ins and roles that it is reached with (docs/adr/0011)."""

from typing import Any

from config.env import database, env, required

WEB_ROLE, LOADER_ROLE = "aetherflow_web", "aetherflow_loader"

# A server that is gone without a word would hold a request, a heartbeat or a worker's main loop for ever.
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def configured() -> dict[str, dict[str, Any]]:
    """Django's DATABASES, from the environment. ImproperlyConfigured where that does not say enough."""
    required("DATABASE_URL", example="postgres://aetherflow:secret@127.0.0.1:5432/aetherflow")
    own = _held(database("DATABASE"))
    # Who owns the tables, migrates them and makes the roles; the same log-in where only one is given.
    owner = _held(database("OWNER_DATABASE")) if env.str("OWNER_DATABASE_URL", default="") else own
    everything = f"{owner['OPTIONS'].get('options', '')} -c aetherflow.scope=*".strip()
    return {
        "default": _as(WEB_ROLE, own),
        # The ETL's one long transaction has a connection of its own, so that progress is written beside it, not inside.
        # Its role alone may write into partitions, by COPY.
        "loader": _as(LOADER_ROLE, own),
        "owner": owner | {"OPTIONS": owner["OPTIONS"] | {"options": everything}, "TEST": {"DEPENDENCIES": []}},
    }


def _held(found: dict[str, Any]) -> dict[str, Any]:
    return found | {
        "ENGINE": "config.postgresql",
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _PATIENCE | found.get("OPTIONS", {}),
    }


def _as(role: str, log_in: dict[str, Any]) -> dict[str, Any]:
    """The log-in as one of its roles: neither owns a table, and row-level security holds both."""
    return log_in | {
        "OPTIONS": log_in["OPTIONS"] | {"assume_role": role},
        # The tests' database is made and migrated by its owner.
        "TEST": {"MIRROR": "owner"},
    }
