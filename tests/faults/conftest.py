"""One platform per module, with the settings the module asks for as `SETTINGS`."""

from collections.abc import Generator, Iterator

import pytest

from tests.faults.platform import Platform
from tests.support.session import clear, run_folder


@pytest.fixture(scope="module")
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    folder = run_folder() / request.module.__name__.rpartition(".")[2]
    running = Platform(folder, settings=getattr(request.module, "SETTINGS", {}))
    try:
        running.begin()
        yield running
    finally:
        running.close()
        clear(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the platform's processes said."""
    report = yield
    platform = getattr(item, "funcargs", {}).get("platform")
    if report.failed and platform:
        report.sections.append(("the platform's processes", platform.tails()))
    return report
