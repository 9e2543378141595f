"""Look at every setting and service, and say what to mend."""

from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.management.reporting import ReportingCommand, Told, add_json
from config.doctor import CHECKS, Finding, Standing, examine


class Command(ReportingCommand):
    help = (
        "Look at every setting, every service and this machine; say what is wrong and what to do. Changes nothing but "
        "one small file in the raw store. Exits with 1 where something is at fault."
    )
    # They are among what it looks at: where one fails, the others are to be told of too.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--without",
            action="append",
            default=[],
            choices=list(CHECKS),
            metavar="CHECK",
            help=f"leave one out, such as workers before they are started; may be repeated: {', '.join(CHECKS)}",
        )
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        found: list[Finding] = []
        for finding in examine(without=options["without"]):
            found.append(finding)
            if not options["json"]:
                # As they are found: a service that does not answer takes its time.
                self._say(finding)
        count = Counter(each.standing for each in found)
        worst = next((each for each in (Standing.FAULT, Standing.WARN) if count[each]), Standing.OK)
        return Told(
            data={"result": worst, "findings": [_told(each) for each in found]},
            summary=", ".join(f"{standing} {count[standing]}" for standing in Standing),
            failure=f"{count[Standing.FAULT]} at fault." if count[Standing.FAULT] else "",
        )

    def _say(self, finding: Finding) -> None:
        self.stdout.write(f"{finding.standing:<6}{finding.check:<13}{finding.detail}")
        if finding.fix:
            self.stdout.write(f"{'':<19}{finding.fix}")


def _told(finding: Finding) -> dict[str, str | None]:
    return {
        "check": finding.check,
        "standing": finding.standing,
        "detail": finding.detail,
        "fix": finding.fix or None,
    }
