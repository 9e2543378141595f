"""The dead letters: look at them, put them back, throw them away."""

from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.management.reporting import ReportingCommand, Told, add_dry_run, add_json, ago, counted
from apps.jobs.dead_letters import Letter, Look, peek
from apps.jobs.models import Stage
from apps.jobs.services.dead_letters import (
    Report,
    Result,
    discard,
    discard_settled,
    purge,
    redrive,
    redrive_all,
    require_name,
    would_discard,
    would_redrive,
)


class Command(ReportingCommand):
    help = "Look at the letters of a dead-letter queue (list), put them back (redrive) or throw them away."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="list|redrive|discard|purge")

        looking = acts.add_parser("list", help="show the letters, each with its job and why it failed")
        looking.add_argument("queue", nargs="?", choices=Stage.values, help="default: all")
        looking.add_argument("--limit", type=int, default=50, help="at most so many of a queue (50)")

        redriving = acts.add_parser("redrive", help="put letters back into their queue; their jobs are queued again")
        _add_queue(redriving)
        which = redriving.add_mutually_exclusive_group(required=True)
        which.add_argument("ids", nargs="*", default=[], metavar="ID", help="of the message, as `dlq list` shows it")
        which.add_argument("--all", action="store_true", help="all letters of the queue")
        redriving.add_argument("--reason", default="", help="why, for those who ask later")

        discarding = acts.add_parser("discard", help="throw letters away; their jobs stay failed")
        _add_queue(discarding)
        which = discarding.add_mutually_exclusive_group(required=True)
        which.add_argument("ids", nargs="*", default=[], metavar="ID", help="of the message, as `dlq list` shows it")
        which.add_argument("--settled", action="store_true", help="all whose work is done, or not wanted any more")
        discarding.add_argument("--reason", required=True, help="why they may go")

        purging = acts.add_parser("purge", help="throw all letters away")
        _add_queue(purging)
        purging.add_argument("--type-name", required=True, metavar="NAME", help="the DLQ's name, so that it is meant")
        purging.add_argument("--reason", required=True, help="why they may go")

        for act in (looking, redriving, discarding, purging):
            add_json(act)
        for act in (redriving, discarding, purging):
            add_dry_run(act)

    def tell(self, options: dict[str, Any]) -> Told:
        told: Told = getattr(self, f"_{options['act']}")(options)
        return told

    def _list(self, options: dict[str, Any]) -> Told:
        keys = [options["queue"]] if options["queue"] else Stage.values
        looks = [peek(key, limit=max(0, options["limit"])) for key in keys]
        lines = [line for look in looks for line in _look_lines(look)]
        shown = sum(len(look.letters) for look in looks)
        total = sum(max(look.total, len(look.letters)) for look in looks)
        held = sum(look.held for look in looks)
        return Told(
            data=[_look_data(look) for look in looks],
            lines=lines,
            summary=f"{shown} of {counted(total, 'dead letter')} shown"
            + (f"; {held} are in somebody else's hands now" if held else ""),
        )

    def _redrive(self, options: dict[str, Any]) -> Told:
        queue, ids = options["queue"], options["ids"]
        if options["dry_run"]:
            return _told(would_redrive(queue, None if options["all"] else ids), "redriven", dry_run=True)
        if options["all"]:
            return _told(redrive_all(queue, by=None, reason=options["reason"]), "redriven")
        return _told(redrive(queue, ids, by=None, reason=options["reason"]), "redriven")

    def _discard(self, options: dict[str, Any]) -> Told:
        queue, ids = options["queue"], options["ids"]
        if options["dry_run"]:
            return _told(would_discard(queue, None if options["settled"] else ids), "discarded", dry_run=True)
        if options["settled"]:
            return _told(discard_settled(queue, by=None, reason=options["reason"]), "discarded")
        return _told(discard(queue, ids, by=None, reason=options["reason"]), "discarded")

    def _purge(self, options: dict[str, Any]) -> Told:
        queue, typed = options["queue"], options["type_name"]
        if options["dry_run"]:
            require_name(queue, typed)
            look = peek(queue, limit=0)
            name, letters = look.name, look.total
        else:
            done = purge(queue, typed, by=None, reason=options["reason"])
            name, letters = done.name, done.letters
        verb = "would be thrown away" if options["dry_run"] else "thrown away"
        return Told(
            data={"queue": queue, "name": name, "letters": letters, "dry_run": options["dry_run"]},
            summary=f"about {counted(letters, 'letter')} of {name} {verb}",
        )


def _add_queue(parser: CommandParser) -> None:
    parser.add_argument("queue", choices=Stage.values, help="whose dead letters")


def _told(report: Report, verb: str, *, dry_run: bool = False) -> Told:
    counts = Counter(outcome.result for outcome in report.outcomes)
    whole = len(report.outcomes)
    summary = f"{counts[Result.DONE]} of {counted(whole, 'letter')} {'would be ' if dry_run else ''}{verb}"
    if report.way and counts[Result.DONE]:
        summary += f", by {report.way}" if report.way.startswith("Start") else f", {report.way}"
    left = [f"{counts[result]} {result}" for result in (Result.REFUSED, Result.GONE) if counts[result]]
    failure = f"{whole - counts[Result.DONE]} of {counted(whole, 'letter')} not {verb}: {', '.join(left)}."
    return Told(
        data={
            "queue": report.queue,
            "way": report.way,
            "problem": report.problem,
            "dry_run": dry_run,
            "letters": [
                {
                    "id": outcome.message_id,
                    "result": outcome.result,
                    "words": outcome.words,
                    "job": outcome.job_id or None,
                }
                for outcome in report.outcomes
            ],
        },
        lines=[f"{each.message_id}  {each.result}  {each.words}".rstrip() for each in report.outcomes],
        summary=summary,
        failure="" if report.complete else f"{failure} {report.problem}".strip(),
    )


def _look_lines(look: Look) -> list[str]:
    return [f"{look.name}: {look.total}", *(line for letter in look.letters for line in _letter_lines(letter))]


def _letter_lines(letter: Letter) -> list[str]:
    name = letter.dataset.name if letter.dataset else "no dataset"
    job = f"job {letter.run.job_id}" if letter.run else "no job"
    known = [f"{ago(letter.age_seconds)} old", f"received {letter.receive_count} times"]
    known += [letter.department, name, job] if letter.message else [repr(letter.beginning[:60])]
    said = [letter.reason, letter.obstacle and f"not to be redriven: {letter.obstacle}"]
    return [f"  {letter.message_id}  {'  '.join(known)}", *(f"      {text}" for text in said if text)]


def _look_data(look: Look) -> dict[str, object]:
    return {
        "queue": look.queue,
        "name": look.name,
        "total": look.total,
        "held": look.held,
        "letters": [_letter_data(letter) for letter in look.letters],
    }


def _letter_data(letter: Letter) -> dict[str, object]:
    run = letter.run
    return {
        "id": letter.message_id,
        "sent_at": letter.sent_at,
        "age_seconds": round(letter.age_seconds),
        "receive_count": letter.receive_count,
        "size_bytes": letter.size_bytes,
        "beginning": letter.beginning,
        "message": letter.message.as_dict() if letter.message else None,
        "unreadable": letter.unreadable,
        "foreign": letter.foreign,
        "dataset": {"id": str(letter.dataset.pk), "name": letter.dataset.name} if letter.dataset else None,
        "job": {"id": str(run.job_id), "state": run.state, "attempts": run.attempts} if run else None,
        "reason": letter.reason,
        "standing": letter.standing,
        "obstacle": letter.obstacle,
        "settled": letter.settled,
    }
