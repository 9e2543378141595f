"""From the log-in to the rows behind an insight without a mouse: where one is can be seen at every step."""

import re
from itertools import pairwise

from playwright.sync_api import FileChooser, Locator, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from aetherflow.registry import departments
from tests.e2e.people import PASSWORD, Person, enter
from tests.e2e.test_screens import worked
from tests.support.stack import Stack

#: How the focused element is told from others: an outline, a ring, or a border of another colour; of a field inside a
#: frame (such as the drop zone) the frame may show it.
IS_SEEN = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return 'nothing has the focus';
  if (document.adoptedStyleSheets.length === 0) {
    // What changes slowly would look the same at once.
    const still = new CSSStyleSheet();
    still.replaceSync('*, *::before, *::after { transition: none !important }');
    document.adoptedStyleSheets = [still];
  }
  const look = node => { const s = getComputedStyle(node);
    return [s.outlineStyle !== 'none' && s.outlineWidth !== '0px' && s.outlineStyle,
      s.boxShadow, s.borderColor, s.transform].join(); };
  const nodes = [at, at.parentElement, at.nextElementSibling, at.parentElement?.parentElement].filter(Boolean);
  const now = nodes.map(look);
  at.blur();
  const then = nodes.map(look);
  at.focus({preventScroll: true});
  const name = at.getAttribute('aria-label') ?? at.textContent ?? at.id;
  return now.some((each, place) => each !== then[place]) ? '' : `${at.tagName} ${name} looks the same with the focus`;
}"""


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def step_to(page: Page, goal: Locator, *, key: str = "Tab", most: int = 60) -> None:
    """Tab until the goal has the focus; every stop on the way can be seen."""
    expect(goal).to_be_visible()
    if goal.evaluate("node => node === document.activeElement"):
        return
    for _ in range(most):
        page.keyboard.press(key)
        unseen = page.evaluate(IS_SEEN)
        assert not unseen, unseen
        if goal.evaluate("node => node === document.activeElement"):
            return
    raise AssertionError(f"{goal} is not reached in {most} steps")


def asked_for_a_file(page: Page, *, tries: int = 3) -> FileChooser:
    """What Space opens. Pressed anew where a halted browser has shown nothing: it takes a key for a wish for a few
    seconds only."""
    step_to(page, page.get_by_label("The file to upload"))
    try:
        with page.expect_file_chooser(timeout=8_000) as asked:
            page.keyboard.press("Space")
    except NotInTime:
        if tries == 1:
            raise
        return asked_for_a_file(page, tries=tries - 1)
    return asked.value


def arrived(page: Page, title: str) -> None:
    heading = page.get_by_role("heading", level=1, name=title)
    expect(heading).to_be_focused()
    expect(page).to_have_title(f"{title} · AetherFlow")


def test_from_the_log_in_over_an_upload_to_the_rows(stack: Stack, page: Page) -> None:
    person = Person(stack.url, department="finance")
    page.goto(stack.url)
    step_to(page, page.get_by_label("E-mail"))
    page.keyboard.type(person.email)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    arrived(page, "Finance")

    step_to(page, page.get_by_role("main").get_by_role("link", name="Upload", exact=True))
    page.keyboard.press("Enter")
    arrived(page, "Upload")

    asked_for_a_file(page).set_files(departments()["finance"].samples.good)
    expect(page.get_by_role("region", name="A look at the file").get_by_role("table")).to_be_visible()
    step_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("By keyboard")
    step_to(page, page.get_by_role("radio", name="Load the good lines, keep the others aside"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Refuse the whole file")).to_be_focused()
    page.keyboard.press("ArrowUp")
    step_to(page, page.get_by_role("button", name="Upload", exact=True))
    page.keyboard.press("Enter")

    # The form is gone: the focus is where the news is.
    news = page.get_by_role("region", name="By keyboard")
    expect(news).to_be_visible()
    assert (
        focused(page).evaluate("node => node.contains(document.querySelector('h2')) || node === document.body") is True
    )
    see = page.get_by_role("link", name="See the dashboard")
    expect(see).to_be_visible(timeout=60_000)
    step_to(page, see)
    page.keyboard.press("Enter")
    arrived(page, "Finance")

    step_to(page, page.get_by_role("button", name="Evidence and review").first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("form", name=re.compile("^Review of"))).to_be_visible()
    step_to(page, page.get_by_role("form", name=re.compile("^Review of")).get_by_label("Note"))


def test_the_way_past_the_navigation_and_back_again(stack: Stack, page: Page) -> None:
    person, job, _ = worked(stack, "finance")
    enter(page, person, f"/jobs/{job}")
    expect(page.get_by_role("heading", level=1, name="sample.csv")).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").locator(":focus")).to_have_count(1)

    # A dialog keeps the focus to itself, and gives it back.
    undo = page.get_by_role("button", name="Undo upload")
    step_to(page, undo)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Undo this upload?")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_visible()
    for _ in range(7):
        page.keyboard.press("Tab")
        expect(dialog.locator(":focus")).to_have_count(1)
    page.keyboard.press("Shift+Tab")
    expect(dialog.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(undo).to_be_focused()

    # What the account's button opens: the first in it, Escape, and the focus back where it was.
    account = page.get_by_role("button", name=re.compile("^Account of"))
    step_to(page, account, key="Shift+Tab")
    page.keyboard.press("Enter")
    opened = page.get_by_role("dialog", name="Your account")
    expect(opened).to_be_focused()
    step_to(page, opened.get_by_role("link", name="Your account"), most=1)
    page.keyboard.press("Escape")
    expect(opened).to_be_hidden()
    expect(account).to_be_focused()


def test_a_page_is_read_in_the_order_it_is_seen_in(stack: Stack, page: Page) -> None:
    person, _, _ = worked(stack, "finance")
    enter(page, person, "/jobs")
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()
    places: list[tuple[bool, float]] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => { const at = document.activeElement; if (!at || at === document.body) return null;
            const box = at.getBoundingClientRect();
            return [Boolean(at.closest('main')), box.top + scrollY]; }"""
        )
        if at is None:
            break
        places.append((at[0], at[1]))
    inside = [is_inside for is_inside, _ in places]
    assert inside == sorted(inside), "the frame comes before the content"
    tops = [top for is_inside, top in places if is_inside]
    assert len(tops) > 3
    # What stands in one line may differ by the height of a control.
    assert all(later > earlier - 60 for earlier, later in pairwise(tops)), tops
