"""A dead letter of the running platform in the console: seen, put back, worked, told of in the audit."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from playwright.sync_api import Locator, Page, expect

from aetherflow.registry import departments
from tests.e2e.people import Person
from tests.e2e.test_console import WIDTHS, enter_console
from tests.e2e.test_screens import check
from tests.support.stack import Stack

FOREIGN = "<b>nobody</b> sent a file; " * 20
BAD = b"date;amount\n2026-01-01;5\n"


def aws(stack: Stack, service: Any) -> Any:
    return boto3.client(service, endpoint_url=stack.endpoint.url, region_name=stack.env["AWS_DEFAULT_REGION"])


def put_foreign(stack: Stack) -> None:
    sqs = aws(stack, "sqs")
    queue = sqs.get_queue_url(QueueName="aetherflow-etl-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=FOREIGN)


def dead(person: Person, *, filename: str) -> dict[str, Any]:
    """A file that does not fit, once all its attempts are used up."""
    upload = person.upload(BAD, filename=filename, name=filename)
    person.watch(upload["job"]["id"], until=lambda job: job["stages"][0]["dead_lettered"])
    return upload


def row_of(page: Page, stack: Stack, name: str) -> Locator:
    """SQS moves a message some time after its last attempt has failed."""
    deadline = time.monotonic() + 60
    while True:
        page.goto(f"{stack.url}/admin/jobs/letters/etl/")
        expect(page.get_by_text("In the queue, about")).to_be_visible()
        row = page.get_by_role("row").filter(has_text=name)
        if row.count():
            return row
        assert time.monotonic() < deadline, page.locator("#letters").inner_text()
        time.sleep(1)


def test_a_dead_letter_is_put_back_and_its_job_succeeds(stack: Stack, page: Page) -> None:
    person = Person(stack.url, department="finance")
    upload = dead(person, filename="put-back.csv")
    # What made it fail is mended: the file fits now.
    s3 = aws(stack, "s3")
    (bucket,) = (each["Name"] for each in s3.list_buckets()["Buckets"])
    key = f"raw/finance/{upload['dataset']['id']}/put-back.csv"
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(BAD)
    s3.put_object(Bucket=bucket, Key=key, Body=departments()["finance"].samples.good.read_bytes())

    enter_console(page, stack)
    page.get_by_role("link", name="Dead letters").click()
    expect(page.get_by_role("heading", name="Dead letters of ETL")).to_be_visible()
    row = row_of(page, stack, "put-back.csv")
    expect(row).to_contain_text("missing-label")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Redrive chosen").click()
    expect(page.get_by_role("row").filter(has_text="put-back.csv")).to_contain_text("will be put back into the queue")
    page.get_by_label("Reason").fill("the file was mended in the bucket")
    page.get_by_role("button", name="Redrive").click()
    expect(page.get_by_role("heading", name="Redrive: 1 of 1 letter put back into the queue")).to_be_visible()

    assert person.watch(upload["job"]["id"])["status"] == "succeeded"
    page.get_by_role("row").filter(has_text="put-back.csv").get_by_role("link").click()
    page.get_by_role("link", name="what was done to it").click()
    entry = page.get_by_role("row").filter(has_text="put dead letters back into their queue")
    expect(entry).to_contain_text("the file was mended in the bucket")
    page.goto(f"{stack.url}/admin/jobs/letters/etl/")
    expect(page.get_by_text("In the queue, about")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="put-back.csv")).to_have_count(0)


@pytest.mark.parametrize(("colours", "width"), [("light", "wide"), ("dark", "narrow"), ("dark", "wide")])
def test_the_screens_of_the_dead_letters(stack: Stack, page: Page, colours: Any, width: str) -> None:
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    page.set_viewport_size({"width": WIDTHS[width][0], "height": WIDTHS[width][1]})
    person = Person(stack.url, department="finance")
    name = f"seen-{colours}-{width}.csv"
    dead(person, filename=name)
    put_foreign(stack)
    enter_console(page, stack)
    row = row_of(page, stack, name)
    kept = (colours, width) != ("dark", "wide")
    check(page, name="console-letters", look=colours, picture=kept)
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Discard chosen").click()
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    check(page, name="console-letters-discard", look=colours, picture=False)
    page.get_by_label("Reason").fill("only a picture")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("row").filter(has_text=name)).to_contain_text("thrown away")
    check(page, name="console-letters-done", look=colours, picture=False)
    page.goto(f"{stack.url}/admin/jobs/letters/etl/redrive-all/")
    expect(page.get_by_role("heading", name="To which letters")).to_be_visible()
    check(page, name="console-letters-all", look=colours, picture=False)
    page.goto(f"{stack.url}/admin/jobs/letters/etl/purge/")
    page.get_by_role("button", name="Purge").click()
    expect(page.get_by_text("Nothing was done yet.")).to_be_visible()
    check(page, name="console-letters-purge", look=colours, picture=False)
