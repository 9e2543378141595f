"""`make compose-env`: the secrets of a platform in containers, made up once and kept in `.compose/`.

Each file goes to those containers alone that need it: web and workers never learn the password of the tables' owner.
"""

import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".compose"

_PLATFORM = """\
# Of web, workers, relay and migrate. Settings of .env.example can be added: `docker compose up` takes them over.
SECRET_KEY={secret_key}
JWT_SIGNING_KEY={jwt_signing_key}
METRICS_TOKEN={metrics_token}
DATABASE_URL=postgres://aetherflow_platform:{platform_password}@postgres:5432/aetherflow
AWS_ACCESS_KEY_ID=aetherflow
AWS_SECRET_ACCESS_KEY={s3_secret}
# Anybody who reaches the site may register: for this machine alone. Where others reach it: approval or invite.
REGISTRATION_POLICY=open
# The S3 server is published nowhere: no browser could send a large file to it.
DIRECT_UPLOAD=false
"""
_OWNER = """\
# Of migrate alone.
OWNER_DATABASE_URL=postgres://aetherflow:{owner_password}@postgres:5432/aetherflow
"""
_POSTGRES = """\
# Of PostgreSQL alone, when it makes its data.
POSTGRES_PASSWORD={postgres_password}
OWNER_PASSWORD={owner_password}
"""
_S3 = """\
# Of the S3 server alone.
AWS_ACCESS_KEY_ID=aetherflow
AWS_SECRET_ACCESS_KEY={s3_secret}
"""
FILES = {"platform.env": _PLATFORM, "owner.env": _OWNER, "postgres.env": _POSTGRES, "s3.env": _S3}
_SECRETS = (
    "secret_key",
    "jwt_signing_key",
    "metrics_token",
    "platform_password",
    "owner_password",
    "postgres_password",
    "s3_secret",
)


def write(folder: Path) -> bool:
    """Whether they were made now. Never over one that is there: the data of the volumes are locked with it."""
    there = [name for name in FILES if (folder / name).exists()]
    if there and len(there) < len(FILES):
        missing = sorted(set(FILES) - set(there))
        sys.exit(
            f"{folder} has lost {', '.join(missing)}, which belongs to the others. Put it back; or, to begin anew "
            f"without the data: docker compose down --volumes && rm -r {folder}"
        )
    if there:
        return False
    folder.mkdir(mode=0o700, exist_ok=True)
    values = {name: secrets.token_urlsafe(50) for name in _SECRETS}
    for name, text in FILES.items():
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text.format(**values))
    return True


if __name__ == "__main__":
    made = write(FOLDER)
    sys.stdout.write(f"{FOLDER}: {'made' if made else 'is there, and stays as it is'}\n")
