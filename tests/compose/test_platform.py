"""Files through containers: what a department sees, what a killed or stopped container leaves, what stays."""

import time

import pytest
import requests

from aetherflow.registry import departments
from tests.compose.platform import Platform, eventually, many_rows, sample

pytestmark = pytest.mark.timeout(1500)
ROLES = ("web", "worker-etl", "worker-ml", "relay")


@pytest.mark.parametrize("department", sorted(departments()))
def test_a_file_of_each_department_ends_in_insights(platform: Platform, department: str) -> None:
    person = platform.log_in(department)
    job = person.ended(person.upload(sample(department), name=f"{department}.csv"))
    assert job["status"] == "succeeded", job
    assert [stage["stage"] for stage in job["stages"]] == ["etl", "ml"]
    assert job["stages"][0]["rows"]["read"] > 20
    told = person.get(f"/dashboards/{department}").json()
    assert any(insight["dataset_id"] for insight in told["insights"])
    assert person.get(f"/datasets/{job['dataset_id']}/raw").content == sample(department)


@pytest.mark.parametrize("content", [b"\x00\x01\xff", sample("sales", "bad")], ids=["noise", "most rows rejected"])
def test_an_ugly_file_fails_and_says_why(platform: Platform, content: bytes) -> None:
    person = platform.log_in("sales")
    job = person.ended(person.upload(content, name="ugly.csv"))
    assert job["status"] == "failed"
    error = job["stages"][0]["error"]
    assert error["message"]
    assert error["hint"]


def test_the_dashboard_is_in_the_image_with_its_assets(platform: Platform) -> None:
    page = requests.get(f"{platform.address}/", timeout=10)
    assert page.status_code == 200
    (script,) = [part for part in page.text.split('"') if part.startswith("/assets/index") and part.endswith(".js")]
    answer = requests.get(platform.address + script, headers={"Accept-Encoding": "br"}, timeout=10)
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "br")
    door = requests.get(f"{platform.address}/admin/login/", timeout=10)
    style = next(part for part in door.text.split('"') if part.startswith("/static/") and part.endswith(".css"))
    assert requests.get(platform.address + style, timeout=10).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_a_container_is_nobody_and_can_write_nothing(platform: Platform, role: str) -> None:
    (container,) = platform.containers(role)
    told = platform.inspect(container)
    assert told["HostConfig"]["ReadonlyRootfs"] is True
    assert told["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in told["HostConfig"]["SecurityOpt"]
    assert platform.inside(container, "id", "-u").stdout.strip() == "10001"
    refused = platform.inside(container, "touch", "/srv/aetherflow/here", check=False)
    assert "Read-only file system" in refused.stderr
    assert platform.inside(container, "sh", "-c", "touch $HOME/here").returncode == 0
    capabilities = platform.inside(container, "grep", "CapEff", "/proc/1/status").stdout.split()[1]
    assert int(capabilities, 16) == 0
    # The password of the tables' owner is migrate's alone; row-level security holds the others.
    assert "OWNER_DATABASE_URL" not in platform.inside(container, "env").stdout


def test_nothing_but_the_web_server_is_published_and_that_here_alone(platform: Platform) -> None:
    published = {}
    for container in platform.compose("ps", "-q").stdout.split():
        told = platform.inspect(container)
        ports = {port: bound for port, bound in told["NetworkSettings"]["Ports"].items() if bound}
        if ports:
            published[told["Config"]["Labels"]["com.docker.compose.service"]] = ports
    assert published == {"web": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(platform.port)}]}}
    # So large files go by the web server too.
    assert requests.get(f"{platform.address}/api/v1/auth/config", timeout=10).json()["direct_upload"] is False


def test_every_volume_has_a_name(platform: Platform) -> None:
    """One without is left behind by each container that is removed, with all that was in work there."""
    names = {
        mount["Name"]
        for container in platform.compose("ps", "-q").stdout.split()
        for mount in platform.inspect(container)["Mounts"]
        if mount["Type"] == "volume"
    }
    assert names == {"aetherflowtest_postgres", "aetherflowtest_s3", "aetherflowtest_work"}


def test_four_workers_share_the_files(platform: Platform) -> None:
    platform.compose("up", "-d", "--no-build", "--scale", "worker-etl=4")
    workers = platform.containers("worker-etl")
    assert len(workers) == 4
    eventually(lambda: all("ready." in platform.engine.docker("logs", each).stdout for each in workers))
    people = {department: platform.log_in(department) for department in departments()}
    jobs = [
        (person, person.upload(sample(department), name=f"{department}-{number}.csv"))
        for number in range(8)
        for department, person in people.items()
    ]
    assert {person.ended(job, seconds=300)["status"] for person, job in jobs} == {"succeeded"}
    worked = [platform.engine.docker("logs", each).stdout.count('"stage_ended"') for each in workers]
    assert all(worked), worked
    platform.up("--scale", "worker-etl=1")


def test_a_killed_worker_loses_nothing(platform: Platform) -> None:
    person = platform.log_in("sales")
    job = person.upload(many_rows(600_000), name="killed.csv")
    person.working(job)
    (container,) = platform.containers("worker-etl")
    platform.engine.docker("kill", "--signal", "KILL", container)
    assert person.job(job)["status"] != "succeeded"
    platform.up()
    ended = person.ended(job, seconds=240)
    assert ended["status"] == "succeeded", ended
    etl = ended["stages"][0]
    assert (etl["rows"]["read"], etl["rows"]["loaded"]) == (600_000, 600_000)
    assert etl["attempts"] == 2


def test_a_stopped_worker_hands_its_file_back(platform: Platform) -> None:
    person = platform.log_in("sales")
    job = person.upload(many_rows(3_000_000, beginning=1_000_000), name="stopped.csv")
    person.working(job)
    (container,) = platform.containers("worker-etl")
    began = time.monotonic()
    platform.compose("stop", "worker-etl")
    took = time.monotonic() - began
    # By itself, and not by the SIGKILL after stop_grace_period.
    assert platform.inspect(container)["State"]["ExitCode"] == 0
    assert took < 40
    platform.up()
    ended = person.ended(job, seconds=300)
    assert ended["status"] == "succeeded", ended
    assert ended["stages"][0]["rows"]["loaded"] == 3_000_000


def test_what_the_queue_forgot_is_sent_again(platform: Platform) -> None:
    person = platform.log_in("supply_chain")
    platform.compose("stop", "worker-etl")
    job = person.upload(sample("supply_chain"), name="forgotten.csv")
    eventually(lambda: platform.sql(f"SELECT dispatched_at FROM jobs_stagerun WHERE job_id = '{job}'"))  # noqa: S608
    platform.compose("restart", "sqs")
    # `migrate` makes the queues anew, where they are forgotten too.
    platform.up()
    assert person.ended(job, seconds=180)["status"] == "succeeded"


def test_what_was_there_is_there_after_all_containers_were_removed(platform: Platform) -> None:
    person = platform.log_in("finance")
    job = person.ended(person.upload(sample("finance"), name="kept.csv"))
    platform.compose("down", "--timeout", "25")
    assert platform.compose("ps", "-q").stdout == ""
    platform.up()
    again = platform.log_in("finance")
    assert again.job(job["id"])["status"] == "succeeded"
    assert again.get(f"/datasets/{job['dataset_id']}/raw").content == sample("finance")
    assert again.ended(again.upload(sample("finance"), name="after.csv"))["status"] == "succeeded"


def test_without_the_database_no_container_is_called_ill(platform: Platform) -> None:
    containers = {role: platform.containers(role)[0] for role in ROLES}
    platform.compose("stop", "postgres")
    try:
        time.sleep(45)
        for role, container in containers.items():
            state = platform.inspect(container)["State"]
            assert (state["Running"], state["Health"]["Status"]) == (True, "healthy"), role
            assert platform.inspect(container)["RestartCount"] == 0, role
            if role != "web":
                age = "import os, time; print(time.time() - os.stat('/tmp/alive').st_mtime)"
                assert float(platform.inside(container, "python", "-c", age).stdout) < 30, role
        assert requests.get(f"{platform.address}/api/v1/health/ready", timeout=20).status_code == 503
    finally:
        platform.up()
    person = platform.log_in("sales")
    assert person.ended(person.upload(sample("sales"), name="again.csv"))["status"] == "succeeded"
