"""Settings from the environment; a missing or wrong variable stops the start and says how to set it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")


class _Env(environ.Env):
    """Knows what was asked for: a variable that is set and that nobody asks for may be misspelt."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.add(var)
        return super().get_value(var, *args, **kwargs)


env = _Env()


def required(name: str, *, example: str) -> str:
    """The variable's text; ImproperlyConfigured with an example where it is missing or empty."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Set it in the environment or in .env, e.g. {name}={example}")
    return value


def database(name: str) -> dict[str, Any]:
    """The database of NAME_URL. Its password may stand apart, in NAME_PASSWORD, where something else changes it."""
    found: dict[str, Any] = env.db(f"{name}_URL")
    apart = env.str(f"{name}_PASSWORD", default="")
    return found | ({"PASSWORD": apart} if apart else {})


def one_of(name: str, choices: tuple[str, ...], *, default: str) -> str:
    value: str = env.str(name, default=default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is not known. Use one of: {', '.join(choices)}")
    return value


def address(name: str, *, default: str, taken: tuple[str, ...]) -> str:
    """A path of this site, as `admin/` or `a/b/`; `taken` are first parts that lead elsewhere."""
    path = env.str(name, default=default).strip("/")
    if not re.fullmatch(r"[\w-]+(/[\w-]+)*", path, re.ASCII) or path.split("/")[0] in taken:
        raise ImproperlyConfigured(
            f"{name}={path!r} cannot be an address here. Use letters, digits, - and _, and none of "
            f"{', '.join(taken)} at the beginning, e.g. {name}={default}"
        )
    return f"{path}/"


def store_origin(endpoint: str | None, *, bucket: str, region: str) -> str:
    """Where an address that is signed for an object of the bucket leads: what a page has to be let speak to."""
    if endpoint:
        parts = urlsplit(endpoint)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ImproperlyConfigured(
                f"{endpoint!r} is no address of an S3 endpoint. DIRECT_UPLOAD_ENDPOINT (or AWS_ENDPOINT_URL_S3) is one "
                "such as https://files.example.org"
            )
        return f"{parts.scheme}://{parts.netloc}"
    # A name with dots fits no certificate as a host; it stands in the path then.
    return f"https://{'' if '.' in bucket else f'{bucket}.'}s3.{region}.amazonaws.com"


def _parsed(name: str, parse: Callable[[str], Value], *, default: str, means: str) -> Value:
    text: str = env.str(name, default=default)
    try:
        return parse(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={text!r} cannot be read. It is {means}, e.g. {name}={default}") from None


def positive(name: str, *, default: int) -> int:
    return _whole(name, least=1, default=default, means="a whole number above 0")


def natural(name: str, *, default: int) -> int:
    return _whole(name, least=0, default=default, means="a whole number, 0 or above")


def _whole(name: str, *, least: int, default: int, means: str) -> int:
    def parse(text: str) -> int:
        number = int(text)
        if number < least:
            raise ValueError
        return number

    return _parsed(name, parse, default=str(default), means=means)


_PERIODS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


def rate(name: str, *, default: str) -> tuple[int, timedelta]:
    """How many, in what time: `10/hour`."""

    def parse(text: str) -> tuple[int, timedelta]:
        count, _, period = text.partition("/")
        if period not in _PERIODS or int(count) < 1:
            raise ValueError
        return int(count), _PERIODS[period]

    return _parsed(name, parse, default=default, means="a number above 0 a minute, hour or day")


def seconds_list(name: str, *, default: str) -> tuple[int, ...]:
    def parse(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in text.split(","))

    return _parsed(name, parse, default=default, means="whole seconds separated by commas")
