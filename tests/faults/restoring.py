"""Backup, loss and restore of a whole platform, by the commands of docs/backup.md."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg2

from config.local import ROOT
from config.local.postgres import NAME
from tests.faults.platform import Platform

PROCESSES = ("web", "worker-etl", "worker-ml", "relay")


def documented(block: str) -> str:
    """The commands of a block of docs/backup.md."""
    text = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
    (commands,) = re.findall(rf"^```sh {block}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(commands)


def run(platform: Platform, block: str, *, backup: Path) -> None:
    """A block of the documentation, as a person copies it."""
    environment = platform.env | {
        "PATH": f"{Path(sys.executable).parent}:{platform.cluster.programs}:{os.environ['PATH']}",
        "BACKUP": str(backup),
        "OWNER_DATABASE_URL": platform.cluster.url(),
    }
    script = f"set -euo pipefail\n{documented(block)}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def wipe(platform: Platform) -> None:
    """The database with its roles, and everything that is in the queues."""
    owner = platform.cluster.url()
    with contextlib.closing(psycopg2.connect(owner.rpartition("/")[0] + "/postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {NAME}")
            cursor.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'aetherflow\\_%' AND NOT rolcanlogin")
            for (role,) in cursor.fetchall():
                cursor.execute(f"DROP ROLE {role}")
            cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'aetherflow_web'")
            assert cursor.fetchone() == (0,)
    client = platform.sqs()
    for url in client.list_queues()["QueueUrls"]:
        client.delete_queue(QueueUrl=url)


def lose_and_restore(platform: Platform, *, backup: Path) -> None:
    """All but the dump and the raw files is gone, and comes back; the processes are stopped."""
    wipe(platform)
    run(platform, "restore", backup=backup)
    # Until roles and policies are made, nobody but a superuser sees a row: not the owner either.
    assert platform.query("SELECT count(*) AS seen FROM datasets_dataset") == [{"seen": 0}]
    run(platform, "resume", backup=backup)
