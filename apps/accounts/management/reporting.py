"""How the operators' commands tell what they did: JSON for scripts; lines and a sentence for people."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError

from aetherflow.errors import AnticipatedError, InvalidError

MISUSED = 2  # as Django exits where the arguments cannot be read


@dataclass(frozen=True, kw_only=True)
class Told:
    """`data` is what `--json` prints, None for nothing; `lines` and `summary` are for people. `failure` says what was
    not done: the command says it last, and exits with 1."""

    data: object = None
    lines: Sequence[str] = field(default=())
    summary: str = ""
    failure: str = ""


class ReportingCommand(BaseCommand):
    """A command that does its work in `tell`. What it cannot do is a sentence, never a traceback."""

    def tell(self, options: dict[str, Any]) -> Told:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        try:
            told = self.tell(options)
        except AnticipatedError as error:
            misused = isinstance(error, InvalidError)
            raise CommandError(f"{error.message} {error.hint}".strip(), returncode=MISUSED if misused else 1) from error
        except (OperationalError, InterfaceError) as error:
            raise CommandError("The database does not answer. Nothing that was not committed has happened.") from error
        if options["json"] and told.data is not None:
            self.stdout.write(json.dumps(told.data, cls=DjangoJSONEncoder))
        elif not options["json"]:
            for line in (*told.lines, *filter(None, [told.summary])):
                self.stdout.write(line)
        if told.failure:
            raise CommandError(told.failure)


def add_json(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def add_dry_run(parser: CommandParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")


def table(rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines with the columns under each other; None is a dash."""
    texts = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in texts]


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ago(seconds: float | None) -> str | None:
    """About how long: 40 s, 12 min, 3 h, 9 days."""
    if seconds is None:
        return None
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
