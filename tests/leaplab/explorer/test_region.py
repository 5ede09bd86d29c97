"""What is like a region of the open sample: asked of the server, and drawn on the page with a mouse and with keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

import leaplab
from leaplab.explorer.application import make_application
from leaplab.population.similar_region import SimilarRegions
from leaplab.store.run import RunStore
from tests.browser import chromium_browser, open_page, served_run, wait_until

SIDE = 28
"""Pixels of a digit."""
SLOW = 120_000  # ms
ROW = 160


@pytest.fixture(scope="module")
def client(mnist_run: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    web = Path(tmp_path_factory.mktemp("web"))
    (web / "index.html").write_text("<p>the page</p>")
    headers = {"origin": "http://localhost"}
    with TestClient(make_application(mnist_run, web), base_url="http://localhost", headers=headers) as client:
        yield client


def places_of(run: RunStore, row: int, pixels: tuple[float, float, float, float], count: int = 12) -> SimilarRegions:
    """What Python answers."""
    opened = leaplab.open_run(run.path)
    try:
        return opened.similar(f"{run.row(row)['state']}/{run.row(row)['sample_id']}", count, region=pixels)
    finally:
        opened.close()


@pytest.mark.parametrize("pixels", [(7, 7, 21, 14), (0, 0, 28, 28), (20.5, 3, 27, 25)])
def test_the_places_are_those_that_python_finds(
    client: TestClient, mnist_run: RunStore, pixels: tuple[float, float, float, float]
) -> None:
    asked = {"region": [side / SIDE for side in pixels], "count": 5}
    answer = client.post(f"/api/v1/samples/{ROW}/similar-region", json=asked)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    expected = places_of(mnist_run, ROW, pixels, 5)
    assert [each["row"] for each in told["similar"]] == [each.row for each in expected.similar]
    for each, other in zip(told["similar"], expected.similar, strict=True):
        assert each["distance"] == pytest.approx(other.distance)
        assert each["place"] == pytest.approx([side / SIDE for side in other.box])
        assert (each["state"], each["sample_id"]) == (mnist_run.row(each["row"])["state"], other.sample_id)
    assert told["region"] == pytest.approx([side / SIDE for side in expected.region])
    assert (told["size"], told["searched"]) == ([SIDE, SIDE], 299)


@pytest.mark.parametrize(
    ("row", "region", "status"),
    [
        (ROW, [0.5, 0.5, 0.5, 0.9], 422),  # has no width
        (ROW, [0.9, 0.1, 0.2, 0.5], 422),  # ends before it begins
        (ROW, [0.5, 0.5, 1.5, 0.9], 422),
        (ROW, [0.1, 0.2, 0.3], 422),
        (300, [0.1, 0.1, 0.5, 0.5], 404),
    ],
)
def test_what_is_no_region_of_a_sample_is_refused_in_a_sentence(
    client: TestClient, row: int, region: list[float], status: int
) -> None:
    answer = client.post(f"/api/v1/samples/{row}/similar-region", json={"region": region})
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"].endswith(".")


@pytest.fixture(scope="module")
def page(mnist_runs: Path) -> Iterator[Page]:
    with served_run(mnist_runs, "digits") as address, chromium_browser() as browser:
        page = open_page(browser, viewport={"width": 1440, "height": 900})
        page.goto(address)
        wait_until(page, "window.explorer && window.explorer.samples > 0")
        page.evaluate("window.explorer.ready")
        yield page


def region_on_page(page: Page) -> list[float]:
    """Its sides in shares of the picture's."""
    box: Any = page.get_by_test_id("region-drawing").locator("rect").last
    x, y, width, height = (float(box.get_attribute(name)) / 1000 for name in ("x", "y", "width", "height"))
    return [x, y, x + width, y + height]


@pytest.mark.browser
def test_a_region_is_dragged_and_what_is_like_it_can_be_selected(page: Page, mnist_run: RunStore) -> None:
    page.evaluate(f"window.explorer.select({ROW})")
    page.get_by_test_id("region-start").click(timeout=SLOW)
    drawing = page.get_by_test_id("region-drawing")
    box = drawing.bounding_box()
    assert box is not None
    # From the lower right corner to the upper left one.
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"], steps=4)
    page.mouse.up()
    sides = region_on_page(page)
    assert sides == pytest.approx([0.3, 0.2, 0.7, 0.6], abs=0.02)

    page.get_by_test_id("region-find").click()
    tiles = page.get_by_test_id("similar-places").locator(".tile")
    expect(tiles).to_have_count(12, timeout=SLOW)
    left, top, right, bottom = (SIDE * side for side in sides)
    expected = places_of(mnist_run, ROW, (left, top, right, bottom))
    for place, each in enumerate(expected.similar):
        told = f"{each.sample_id}, {each.state}: {each.distance:#.3g} away"
        expect(tiles.nth(place)).to_have_attribute("title", told)
    page.get_by_role("button", name="Select them", exact=True).last.click()
    expect(page.get_by_test_id("gallery")).to_contain_text("12 selected")
    expect(page.get_by_test_id("sort-select")).to_have_value("ranked")


@pytest.mark.browser
def test_by_key_a_region_is_moved_resized_asked_about_and_left(page: Page) -> None:
    page.evaluate("window.explorer.select(20)")
    start = page.get_by_test_id("region-start")
    start.focus()
    page.keyboard.press("Enter")
    drawing = page.get_by_test_id("region-drawing")
    drawing.focus()
    before = region_on_page(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    across, down, taller = 0.05, -0.05, 0.05
    expected = [before[0] + across, before[1] + down, before[2] + across, before[3] + down + taller]
    assert region_on_page(page) == pytest.approx(expected)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("similar-places").locator(".tile")).to_have_count(12, timeout=SLOW)

    # Another sample has no region yet; Escape in the drawing leaves the region, and not the panel.
    page.evaluate("window.explorer.select(21)")
    start.click()
    drawing.focus()
    page.keyboard.press("Escape")
    expect(start).to_be_visible()
    expect(page.get_by_test_id("similar-places")).to_have_count(0)
    expect(page.get_by_test_id("details")).to_be_visible()
