"""The departments there are: one folder each in `aetherflow/departments`, found here and nowhere listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from aetherflow import departments as folders
from aetherflow.department import Department
from aetherflow.errors import NotFoundError


class UnknownDepartment(NotFoundError):  # noqa: N818 - it reads as the sentence it is
    """There is no department of that name."""

    default_code = "unknown-department"


class BrokenDepartment(RuntimeError):  # noqa: N818
    """A folder among the departments declares none. Raised at start: a department must not vanish quietly."""


@cache
def departments() -> Mapping[str, Department]:
    """Every department by its slug, in the order of their slugs.

    Raises BrokenDepartment for a folder that cannot be imported, has no `DEPARTMENT`, or one of another name.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(folders.__path__) if module.ispkg)
    return MappingProxyType({name: _load(name) for name in names})


def department(slug: str) -> Department:
    """The department of that slug; raises UnknownDepartment."""
    known = departments()
    if slug not in known:
        raise UnknownDepartment(
            f"There is no department {slug!r}.",
            hint=f"The departments are {', '.join(known)}.",
            details={"departments": list(known)},
        )
    return known[slug]


def _load(name: str) -> Department:
    try:
        module = importlib.import_module(f"{folders.__name__}.{name}")
    except Exception as error:
        raise BrokenDepartment(f"The department folder {name!r} cannot be imported: {error}") from error
    declared = getattr(module, "DEPARTMENT", None)
    if not isinstance(declared, Department):
        raise BrokenDepartment(f"The department folder {name!r} must declare DEPARTMENT, a Department.")
    if declared.slug != name:
        raise BrokenDepartment(f"The department folder {name!r} declares the slug {declared.slug!r}; they must agree.")
    return declared
