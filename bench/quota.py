"""A share of a processor for some processes, as a container has it: a control group with a quota. Linux, as root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PERIOD = 20_000  # microseconds: short, so that nobody who waits for another waits for a whole turn


class NoQuota(Exception):  # noqa: N818  (named for what is missing)
    """This machine, or this user, has no control groups for processors."""


@contextmanager
def quota(share: float) -> Iterator[Path]:
    """A group's `cgroup.procs`: a process whose id is written there has, with all it begins, at most so much of a
    processor with the others. What is in it at the end goes back. NoQuota."""
    # Version 1 has a tree for processors, version 2 one for everything.
    is_first = (_ROOT / "cpu").is_dir()
    parent = _ROOT / "cpu" if is_first else _ROOT
    group = parent / f"aetherflow-bench-{os.getpid()}-{id(object())}"
    limit = round(share * _PERIOD)
    try:
        group.mkdir()
        if is_first:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(limit))
        else:
            (group / "cpu.max").write_text(f"{limit} {_PERIOD}")
    except OSError as error:
        raise NoQuota(str(error)) from error
    try:
        yield group / "cgroup.procs"
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (parent / "cgroup.procs").write_text(pid)
        group.rmdir()
