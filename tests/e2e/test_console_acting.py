"""A bad release has failed many files: an operator finds them by their error code, retries all that match as one
operation, and follows it until every file is through."""

from __future__ import annotations

import contextlib
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import psycopg2.extras
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import PASSWORD, Person
from tests.e2e.test_screens import LOOKS, check, look  # noqa: F401  (a fixture)
from tests.jobs.files import row, sales
from tests.support.stack import Stack

# More than a page of the list has: all that match are not all that are ticked. 200 do as well, in four minutes.
FILES = 60
CODE = "bad-release"
WHY = "the release of Monday could not read them; the one of Tuesday can"
SECONDS = 240

# What such a release leaves: each file failed at its last attempt, and nothing of insights.
FAIL = """
LOCK TABLE jobs_stagelog IN SHARE MODE; -- what the last attempts logged comes a moment after their end
DELETE FROM jobs_stagelog USING jobs_stagerun AS run
    WHERE run.id = run_id AND stage = 'ml' AND job_id = ANY(%(jobs)s);
DELETE FROM jobs_stageevent USING jobs_stagerun AS run
    WHERE run.id = run_id AND stage = 'ml' AND job_id = ANY(%(jobs)s);
DELETE FROM jobs_stagerun WHERE stage = 'ml' AND job_id = ANY(%(jobs)s);
UPDATE jobs_stagerun SET state = 'failed', attempts = 3, dead_lettered = true, error_code = %(code)s,
    error_message = 'Something broke on our side.', finished_at = now() WHERE job_id = ANY(%(jobs)s);
UPDATE jobs_job SET status = 'failed', stage = 'etl', finished_at = now() WHERE id = ANY(%(jobs)s);
"""
STATUSES = "SELECT status, count(*) FROM jobs_job WHERE id = ANY(%(jobs)s) GROUP BY status"


class Release:
    """The jobs that it failed, and what the database says of them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.person = Person(stack.url, department="sales")
        with ThreadPoolExecutor(4) as uploading:
            self.jobs = list(uploading.map(self._upload, range(FILES)))
        self.await_success()
        self._ask(FAIL, code=CODE)

    def statuses(self) -> dict[str, int]:
        return dict(self._ask(STATUSES))

    def await_success(self) -> None:
        deadline = time.monotonic() + SECONDS
        while (found := self.statuses()) != {"succeeded": FILES}:
            assert "failed" not in found, found
            assert time.monotonic() < deadline, found
            time.sleep(0.5)

    def retried(self) -> list[tuple[str, str]]:
        """(job, reason), as the audit has them."""
        return self._ask("SELECT target_id, reason FROM accounts_auditentry WHERE action = 'job-retried'")

    def _upload(self, number: int) -> str:
        file = sales(row(number, sku=f"SKU-{number % 5}"))
        job: str = self.person.upload(file, filename=f"store-{number}.csv")["job"]["id"]
        return job

    def _ask(self, question: str, **given: Any) -> list[Any]:
        asked = {"jobs": [uuid.UUID(job) for job in self.jobs], **given}
        opened = contextlib.closing(psycopg2.connect(self.stack.env["DATABASE_URL"], options="-c aetherflow.scope=*"))
        with opened as connection, connection, connection.cursor() as cursor:
            cursor.execute(question, asked)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def release(stack: Stack) -> Release:
    psycopg2.extras.register_uuid()
    return Release(stack)


def enter(page: Page, stack: Stack) -> str:
    """As an operator, who is no admin and a member of a department."""
    email = f"operator-{uuid.uuid4().hex[:8]}@example.com"
    stack.env["OPERATOR_PASSWORD"] = PASSWORD
    named = ("--email", email, "--full-name", "Olive Operator", "--department", "finance")
    stack.manage("create_user", *named, "--console-role", "operator", "--password-env", "OPERATOR_PASSWORD")
    page.goto(f"{stack.url}/admin/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return email


def test_what_a_bad_release_failed_is_found_by_its_code_retried_and_succeeds(
    stack: Stack, page: Page, release: Release
) -> None:
    email = enter(page, stack)
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.get_by_label("Error code").select_option(CODE)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("navigation", name="Pages").get_by_text(f"{FILES} jobs")).to_be_visible()
    page.locator("#action-toggle").check()
    page.get_by_role("link", name=f"Select all {FILES} jobs").click()
    page.locator("select[name=action]").select_option("retry")
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_role("heading", name=f"Retry: {FILES} jobs")).to_be_visible()
    expect(
        page.get_by_text(f"Chosen: all jobs with error code {CODE}. Their status now: {FILES} failed.")
    ).to_be_visible()
    assert release.statuses() == {"failed": FILES}, "a look does nothing"
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Say in a few words why.")).to_be_visible()
    page.get_by_label("Reason").fill(WHY)
    page.get_by_label("Rate").fill("1200")
    page.get_by_role("button", name="Retry").click()

    # The page reads itself anew until all are done.
    expect(page.get_by_text(f"{FILES} done of {FILES}").first).to_be_visible(timeout=SECONDS * 1000)
    release.await_success()
    assert sorted(release.retried()) == sorted((job, WHY) for job in release.jobs)

    page.get_by_role("link", name="and what was done by it").click()
    expect(page.get_by_text(f"{FILES + 1} audit")).to_be_visible()
    expect(page.get_by_text(WHY).first).to_be_visible()
    expect(page.get_by_text(f"Olive Operator <{email}>").first).to_be_visible()


def test_what_is_asked_and_what_came_of_it_looks_as_the_console_does(
    stack: Stack,
    page: Page,
    release: Release,
    look: str,  # noqa: F811
) -> None:
    enter(page, stack)
    page.goto(f"{stack.url}/admin/jobs/job/?status=succeeded&department=sales")
    page.get_by_role("checkbox", name="Select record").nth(list(LOOKS).index(look)).check()
    page.locator("select[name=action]").select_option("reprocess_etl")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Reason").fill(WHY)
    check(page, name="console-confirm", look=look)
    page.get_by_role("button", name="Reprocess from etl").click()
    expect(page.get_by_text("1 done of 1").first).to_be_visible()
    check(page, name="console-operation", look=look)
    page.goto(f"{stack.url}/admin/jobs/operation/")
    check(page, name="console-operations", look=look)
    page.goto(f"{stack.url}/admin/jobs/job/rescue/")
    check(page, name="console-rescue", look=look, picture=False)


def test_one_job_is_worked_again_from_its_own_page(stack: Stack, page: Page, release: Release) -> None:
    release.await_success()
    enter(page, stack)
    page.goto(f"{stack.url}/admin/jobs/job/{release.jobs[0]}/change/")
    page.get_by_role("link", name="Reprocess from ml").click()
    page.get_by_label("Reason").fill("to see whether it is the same")
    page.get_by_role("button", name="Reprocess from ml").click()
    expect(page.get_by_text("Queued as a new job")).to_be_visible()
    expect(page.get_by_text("Another job:")).to_be_visible()
