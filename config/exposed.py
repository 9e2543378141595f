"""What must not be where others reach the site: each stops the start and says how to mend it."""

from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
# 24 random bytes as text; `make up` makes 36, what .env.example says 50.
_LEAST_CHARACTERS = 32
_LEAST_KINDS = 10
# Keys that stand in somebody's repository or instructions, ours among them.
_KNOWN = ("django-insecure-", "of-no-use-outside-of-the-tests", "changeme", "change-me", "your-", "example", "secret")
NEW_KEY = "$(python3 -c 'import secrets; print(secrets.token_urlsafe(50))')"


def refuse_exposed(*, debug: bool, https: bool, hosts: Iterable[str], keys: dict[str, str]) -> None:
    """Raises ImproperlyConfigured. `keys` by the names of their variables; one machine alone may have weak ones."""
    names = set(hosts)
    if "*" in names:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS holds *: a forged Host header would be taken. Name the hosts under which the site is "
            "reached, e.g. ALLOWED_HOSTS=data.example.org"
        )
    if not https and names <= _LOOPBACK:
        return
    why = "HTTPS=true" if https else f"ALLOWED_HOSTS={','.join(sorted(names - _LOOPBACK))}"
    if debug:
        raise ImproperlyConfigured(
            f"DEBUG=true shows code and settings, and {why} says that others reach the site. Set DEBUG=false"
        )
    for name, key in keys.items():
        if fault := _fault(key):
            raise ImproperlyConfigured(
                f"{name} {fault}, and {why} says that others reach the site: they could make sessions and tokens of "
                f"their own. Set {name}={NEW_KEY}"
            )


def _fault(key: str) -> str:
    if key.lower().startswith(_KNOWN):
        return "is a key that others know"
    if len(key) < _LEAST_CHARACTERS:
        return f"is shorter than {_LEAST_CHARACTERS} characters"
    return "is made of too few different characters" if len(set(key)) < _LEAST_KINDS else ""
