"""The page in a real browser, served by `leaplab explore`: what a person does with it."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from leaplab.store.run import RunStore
from mnist.config import load_config
from mnist.data.preprocess import load_states
from tests.browser import chromium_browser, served_run

pytestmark = pytest.mark.browser
SLOW = 60_000  # ms: software rendering on two busy cores


@pytest.fixture(scope="module")
def address(mnist_runs: Path) -> Iterator[str]:
    with served_run(mnist_runs, "digits") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    page.wait_for_function("window.explorer && window.explorer.samples === 300", timeout=SLOW)
    page.evaluate("window.explorer.ready")
    yield page
    page.close()
    assert complaints == []


def lonely_row(store: RunStore, address: str) -> int:
    """The row whose nearest neighbour on the map is farthest, so that a click there can mean no other."""
    content = urlopen(f"{address}api/projection?space=model&method=pacmap").read()
    points = np.frombuffer(content, "<f4").reshape(-1, 2)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return int(distances.min(axis=1).argmax())


def pixels_of_map(page: Page) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(page.get_by_test_id("map").screenshot())).convert("RGB"))


def test_the_map_shows_the_digits_in_their_classes(page: Page) -> None:
    legend = page.get_by_test_id("legend")
    for digit in "0123456789":
        expect(legend).to_contain_text(digit)
    assert page.evaluate("window.explorer.colour") == "metadata.label"
    colours = np.unique(pixels_of_map(page).reshape(-1, 3), axis=0)
    assert len(colours) > 100, "an empty map has hardly any colours"


@pytest.mark.parametrize(
    ("column", "name"), [("loss.cross_entropy", "cross entropy"), ("input.border_share", "border share")]
)
def test_another_column_recolours_the_map(page: Page, column: str, name: str) -> None:
    before = pixels_of_map(page)
    page.get_by_test_id("colour-select").select_option(column)
    page.wait_for_function(f"window.explorer.colour === '{column}'", timeout=SLOW)
    expect(page.get_by_test_id("legend")).to_contain_text(name)
    page.wait_for_timeout(500)
    after = pixels_of_map(page)
    assert (before != after).any(axis=2).mean() > 0.001
    assert column in page.url, "a link must reproduce the view"


def test_a_click_on_a_point_shows_that_digit(page: Page, address: str, mnist_run: RunStore) -> None:
    row = lonely_row(mnist_run, address)
    x, y = page.evaluate(f"window.explorer.screenPosition({row})")
    page.mouse.move(x, y)
    page.wait_for_timeout(200)
    page.mouse.click(x, y)

    values = mnist_run.row(row)
    expect(page.get_by_test_id("details-title")).to_contain_text(values["sample_id"], timeout=SLOW)
    details = page.get_by_test_id("details")
    expect(details).to_contain_text("cross entropy")
    expect(details).to_contain_text("distance to own class")
    expect(details).to_contain_text("sharpness")

    picture = page.get_by_test_id("visual-digit").locator("img")
    expect(picture).to_be_visible(timeout=SLOW)
    source = picture.get_attribute("src")
    assert source
    shown = np.asarray(Image.open(urlopen(source)))
    digits = next(found for state, found in load_states(load_config()).items() if state.name == values["state"])
    np.testing.assert_array_equal(shown, digits.image(values["sample_id"]))
    expect(page.get_by_test_id("visual-class_probabilities")).to_be_visible(timeout=SLOW)


def test_a_state_can_be_left_out(page: Page) -> None:
    everything = pixels_of_map(page)
    page.get_by_test_id("state-training").click()
    page.wait_for_timeout(1000)
    assert (everything != pixels_of_map(page)).any(axis=2).mean() > 0.001
