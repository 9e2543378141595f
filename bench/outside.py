"""Every operation of the API called for long, as `tests/outside` does for a short while.

    python -m bench.outside --minutes 10 [--examples 200] [--seed N]

Ends with exit code 1 where something broke, was not as described, or held another department's data.
"""

import argparse
import secrets
import sys
from pathlib import Path

from aetherflow.registry import departments
from bench.platform import platform, scratch
from tests.e2e.people import Person
from tests.support.outside import WITHOUT_LIMITS, call_everything, foreign_words


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--minutes", type=float, default=10)
    given.add_argument(
        "--examples", type=int, default=200, help="a round and operation; rounds follow until time is up"
    )
    given.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    given.add_argument("--report", type=Path, help="keep every call and answer in this file (NDJSON)")
    asked = given.parse_args()
    with scratch() as folder, platform(folder, settings=WITHOUT_LIMITS) as stack:
        mine, *others = sorted(departments(), reverse=True)
        foreign = [word for slug in others for word in foreign_words(stack, department=slug)]
        person = Person(stack.url, department=mine)
        uploaded = person.upload(departments()[mine].samples.good)
        person.watch(uploaded["job"]["id"])
        done = call_everything(
            person,
            foreign=foreign,
            examples=asked.examples,
            seconds=round(asked.minutes * 60),
            seed=asked.seed,
            report=asked.report or folder / "outside.ndjson",
        )
        print(done.stdout, done.stderr)
        for name in ("web", "worker-etl", "worker-ml", "relay"):
            broken = stack.logs(name).count('"exception"')
            print(f"{name}: {'runs' if stack.is_running(name) else 'HAS STOPPED'}, {broken} exceptions in its log")
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
