"""What must be true of a platform whose demo was seeded: `python .ci/smoke.py http://127.0.0.1:8000`.

Each department's user logs in, its sample file goes through the line, and its dashboard has insights. Standard library
alone, so that it runs beside a platform in containers too.
"""

import json
import sys
import time
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, Request, build_opener

PASSWORD = "try-it-on-monday"  # noqa: S105  (the demo's, which everybody knows)
DEPARTMENTS = ("sales", "supply_chain", "finance")
SECONDS = 180


def call(url: str, *, token: str = "", body: object = None) -> Any:
    request = Request(url, data=None if body is None else json.dumps(body).encode())  # noqa: S310  (given by the caller)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with build_opener(HTTPCookieProcessor(CookieJar())).open(request, timeout=20) as answer:
        return json.load(answer)


def worked(api: str, department: str) -> str:
    """What the department's dashboard tells once its jobs are done."""
    account = {"email": f"{department.replace('_', '-')}@aetherflow.example", "password": PASSWORD}
    token = call(f"{api}/auth/login", body=account)["access"]
    until = time.monotonic() + SECONDS
    while True:
        jobs = call(f"{api}/jobs", token=token)["results"]
        if jobs and all(job["status"] == "succeeded" for job in jobs):
            break
        if any(job["status"] == "failed" for job in jobs) or time.monotonic() > until:
            raise SystemExit(f"{department}: {json.dumps(jobs, indent=1)}")
        time.sleep(1)
    insights = call(f"{api}/dashboards/{department}", token=token)["insights"]
    if not insights:
        raise SystemExit(f"{department}: no insights")
    other = next(each for each in DEPARTMENTS if each != department)
    try:
        call(f"{api}/dashboards/{other}", token=token)
    except HTTPError as refusal:
        if refusal.code != 403:
            raise
    else:
        raise SystemExit(f"{department} sees the dashboard of {other}")
    return str(insights[0]["summary"])


if __name__ == "__main__":
    api = f"{sys.argv[1].rstrip('/')}/api/v1"
    for each in DEPARTMENTS:
        print(f"{each}: {worked(api, each)}")  # noqa: T201
