"""The environment variables of a local platform: those of .env.example, with values for one machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from honcho.environ import parse

from config.local import ROOT, CannotStart
from config.local.home import Home

# A profile or session of a real AWS account must not mix with the local endpoints' made-up keys.
FOREIGN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_DEFAULT_PROFILE")
LOOPBACK = "127.0.0.1,localhost"


def outer() -> dict[str, str]:
    """What the person has set: the shell's variables, and below them those of the file .env."""
    env_file = ROOT / ".env"
    from_file: dict[str, str] = parse(env_file.read_text()) if env_file.is_file() else {}
    return {**from_file, **os.environ}


def local(home: Home, *, outer: Mapping[str, str]) -> dict[str, str]:
    """The platform's environment on one machine, before the addresses of database and endpoints are known."""
    defaults = {
        "SECRET_KEY": home.secret("secret_key"),
        "JWT_SIGNING_KEY": home.secret("jwt_signing_key"),
        "METRICS_TOKEN": home.secret("metrics_token"),
        "ALLOWED_HOSTS": LOOPBACK,
        "STORAGE": "disk",
        "RAW_ROOT": str(home.path / "raw"),
        "AWS_DEFAULT_REGION": "us-east-1",
        # A killed worker's message comes back after this long; production waits longer.
        "QUEUE_VISIBILITY_SECONDS": "30",
        "QUEUE_BACKOFF_SECONDS": "5,15",
        # Well below what the launcher waits for a worker before it kills it.
        "WORKER_STOP_SECONDS": "4",
        "REGISTRATION_POLICY": "open",
        "LOG_FORMAT": "console",
        "STATIC_ROOT": str(home.path / "static"),
        "PYTHONUNBUFFERED": "1",
    }
    given = {name: value for name, value in outer.items() if name not in FOREIGN}
    environment = {
        **defaults,
        **{name: value for name, value in given.items() if value or name not in defaults},
    }
    for name in ("NO_PROXY", "no_proxy"):
        # A proxy of the machine would be asked for 127.0.0.1 too.
        environment[name] = ",".join(filter(None, (LOOPBACK, outer.get(name, ""))))
    return environment


def port_of(outer: Mapping[str, str]) -> int:
    text = outer.get("PORT", "") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT={text!r} is no port number. Use one between 1 and 65535: PORT=8001 make up")
    return int(text)


def home_of(outer: Mapping[str, str]) -> Path:
    """AETHERFLOW_HOME, a relative path counting from the project's folder."""
    return ROOT / (outer.get("AETHERFLOW_HOME", "") or ".local")
