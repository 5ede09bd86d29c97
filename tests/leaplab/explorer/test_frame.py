"""The page's frame in a real browser: filters, search, tour, and what a person arranges."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from leaplab.store.run import RunStore
from tests.browser import open_page, served_run, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(mnist_runs: Path) -> Iterator[str]:
    with served_run(mnist_runs, "digits") as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = open_page(browser, viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if is_fault(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    go(page, address)
    yield page
    page.close()
    assert complaints == []


def is_fault(message: ConsoleMessage) -> bool:
    """A sample that is not there is an answer."""
    return message.type == "error" and "404 (Not Found)" not in message.text


def go(page: Page, address: str) -> None:
    page.goto(address)
    wait_until(page, "window.explorer && window.explorer.samples === 300")
    page.evaluate("window.explorer.ready")


def box_of(page: Page, test_id: str) -> Any:
    return page.get_by_test_id(test_id).bounding_box()


def test_a_range_is_drawn_on_a_histogram_and_the_others_follow(page: Page, mnist_run: RunStore) -> None:
    rows = [mnist_run.row(row) for row in range(300)]
    column = "metadata.brightness"
    page.get_by_test_id(f"column-{column}").click()
    page.get_by_test_id("column-metadata.label").click()
    histogram = page.locator(".brush")
    histogram.scroll_into_view_if_needed()
    box: Any = histogram.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 5, steps=4)
    page.mouse.up()

    expect(page.get_by_test_id("filters")).to_contain_text("brightness:")
    low, high = (float(page.get_by_test_id(f"{end}-{column}").input_value()) for end in ("low", "high"))
    values = sorted(row[column] for row in rows)
    span = values[297] - values[2]
    assert low == pytest.approx(values[2] + 0.5 * span, abs=span / 20)
    assert high == pytest.approx(values[2] + 0.78 * span, abs=span / 20)
    inside = [row for row in rows if low <= row[column] <= high]
    expect(page.get_by_test_id("status")).to_have_text(f"{len(inside)} of 300 samples shown")
    ones = sum(row["metadata.label"] == 1 for row in inside)
    expect(page.locator(".column-value", has_text=re.compile(rf"^1{ones}$"))).to_be_visible()

    page.get_by_role("button", name="Remove: brightness").click()
    expect(page.get_by_test_id("status")).to_have_text("300 samples")


def test_the_histograms_are_of_the_states_that_are_shown_and_of_what_is_selected(
    page: Page, mnist_run: RunStore
) -> None:
    rows = [mnist_run.row(row) for row in range(300)]
    page.get_by_test_id("column-metadata.label").click()
    for state in (None, "training"):
        if state:
            page.get_by_test_id(f"state-{state}").click()
        shown = [row for row in rows if row["state"] != state]
        for label in (1, 7):
            count = sum(row["metadata.label"] == label for row in shown)
            expect(page.locator(".column-value", has_text=re.compile(rf"^{label}{count}$"))).to_be_visible()
    expect(page.get_by_role("button", name="Remove: state: validation")).to_be_visible()

    page.evaluate("window.explorer.select(210)")
    page.get_by_role("button", name="Select them", exact=True).click()
    counts = page.locator(".column-value .entry-count")
    wait_until(page, "[...document.querySelectorAll('.column-value .entry-count')]"
                     ".reduce((sum, one) => sum + Number(one.textContent), 0) <= 12")  # fmt: skip
    assert sum(int(text) for text in counts.all_text_contents()) > 0


def test_the_search_finds_columns_actions_and_samples(page: Page, mnist_run: RunStore) -> None:
    page.keyboard.press("Control+k")
    field = page.get_by_test_id("search")
    expect(field).to_be_focused()
    field.fill("colour brightness")
    page.keyboard.press("Enter")
    wait_until(page, "window.explorer.colour?.endsWith('brightness')")

    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("show only validation")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("status")).to_have_text("150 of 300 samples shown")

    values = mnist_run.row(210)
    page.get_by_test_id("open-search").click()
    field.fill("no such sample at all")
    page.keyboard.press("Enter")
    expect(page.locator("dialog.search")).to_contain_text("No sample id contains")
    field.fill(values["sample_id"])
    page.keyboard.press("ArrowUp")
    expect(page.locator(".search [aria-selected=true]")).to_contain_text("Go to the sample")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("details-title")).to_have_text(values["sample_id"])


def test_a_filter_is_added_by_name(page: Page) -> None:
    page.get_by_test_id("add-filter").click()
    expect(page.get_by_test_id("search")).to_be_focused()
    page.keyboard.type("contrast")
    page.keyboard.press("Enter")
    column = page.locator(".column-name:focus")
    expect(column).to_contain_text("contrast")
    expect(column).to_have_attribute("aria-expanded", "true")


def test_the_tour_is_shown_once(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    go(page, address)
    tour = page.get_by_test_id("tour")
    for tip in range(1, 6):
        expect(tour).to_contain_text(f"{tip} of 5")
        box: Any = tour.bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= 1280
        assert box["y"] + box["height"] <= 800
        tour.get_by_role("button", name="Done" if tip == 5 else "Next").click()
    expect(tour).to_have_count(0)
    go(page, address)
    page.wait_for_timeout(300)
    expect(tour).to_have_count(0)
    page.get_by_test_id("help").click()
    page.get_by_role("button", name="Take the tour").click()
    expect(tour).to_contain_text("1 of 5")
    context.close()


def test_what_a_person_arranges_is_kept(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page = context.new_page()
    page.add_init_script("localStorage.setItem('leaplab.tour', 'seen')")
    go(page, address)
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_test_id("scheme").click()
    width = box_of(page, "splitter-controls")["x"]
    page.get_by_test_id("splitter-controls").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert box_of(page, "splitter-controls")["x"] == pytest.approx(width + 32, abs=1)
    edge = box_of(page, "splitter-gallery")
    page.mouse.move(edge["x"] + 300, edge["y"] + 3)
    page.mouse.down()
    page.mouse.move(edge["x"] + 300, edge["y"] - 77, steps=3)
    page.mouse.up()
    assert box_of(page, "splitter-gallery")["y"] == pytest.approx(edge["y"] - 80, abs=2)

    go(page, address)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert box_of(page, "splitter-controls")["x"] == pytest.approx(width + 32, abs=1)
    assert box_of(page, "splitter-gallery")["y"] == pytest.approx(edge["y"] - 80, abs=2)
    page.get_by_test_id("fold").click()
    expect(page.get_by_test_id("rail")).to_be_visible()
    go(page, address)
    expect(page.get_by_test_id("state-training")).to_have_count(0)
    context.close()


def test_on_a_narrow_page_the_controls_are_a_rail_over_the_map(browser: Browser, address: str) -> None:
    page = open_page(browser, viewport={"width": 1024, "height": 700})
    go(page, address)
    width = box_of(page, "map")["width"]
    page.get_by_test_id("rail").get_by_role("button", name="States").click()
    expect(page.get_by_test_id("state-training")).to_be_visible()
    assert box_of(page, "map")["width"] == width, "the map keeps its place"
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("state-training")).to_have_count(0)
    page.close()


def test_the_open_panel_lies_within_the_window(page: Page) -> None:
    page.evaluate("window.explorer.select(7)")
    expect(page.get_by_test_id("details-title")).not_to_have_text("Sample 7")
    for width in (1600, 1280, 1024, 760):
        page.set_viewport_size({"width": width, "height": 700})
        wait_until(page, f"window.innerWidth === {width}")
        box = box_of(page, "details")
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 0.5
        assert page.evaluate("document.documentElement.scrollWidth") <= width
