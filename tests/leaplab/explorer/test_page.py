"""The page in a real browser, served by `leaplab explore`: what a person does with it."""

import csv
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

import leaplab
from leaplab.store.run import RunStore
from mnist.config import load_config
from mnist.data.preprocess import load_states
from tests.browser import await_map, open_page, served_run, wait_until

pytestmark = pytest.mark.browser
SLOW = 60_000  # ms: software rendering on two busy cores


@pytest.fixture(scope="module")
def address(mnist_runs: Path) -> Iterator[str]:
    with served_run(mnist_runs, "digits") as address:
        await_map(address)
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = open_page(browser, viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    wait_until(page, "window.explorer && window.explorer.samples === 300")
    page.evaluate("window.explorer.ready")
    yield page
    page.close()
    assert complaints == []


def lonely_row(store: RunStore, address: str) -> int:
    """The row whose nearest neighbour on the map is farthest, so that a click there can mean no other."""
    content = urlopen(f"{address}api/v1/map?space=model&method=pacmap").read()
    points = np.frombuffer(content, "<u2").reshape(-1, 2).astype(np.float64)
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
    wait_until(page, f"window.explorer.colour === '{column}'")
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


def test_a_link_opens_the_sample_by_its_id_and_back_undoes_a_step(
    page: Page, address: str, mnist_run: RunStore
) -> None:
    values = mnist_run.row(210)
    page.goto("about:blank")
    page.goto(f"{address}#colour=metadata.label&sample={values['state']}/{values['sample_id']}")
    expect(page.get_by_test_id("details-title")).to_have_text(values["sample_id"], timeout=SLOW)

    page.get_by_test_id("colour-select").select_option("loss.cross_entropy")
    wait_until(page, "window.explorer.colour === 'loss.cross_entropy'")
    page.go_back()
    wait_until(page, "window.explorer.colour === 'metadata.label'")
    expect(page.get_by_test_id("details-title")).to_have_text(values["sample_id"])


def test_a_lasso_selects_what_it_surrounds(page: Page) -> None:
    places = page.evaluate("Array.from({ length: 300 }, (_, row) => window.explorer.screenPosition(row))")
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    left = [place for place in places if place[0] < middle]
    corners = [(box["x"] + 2, box["y"] + 2), (middle, box["y"] + 2), (middle, box["y"] + box["height"] - 2),
               (box["x"] + 2, box["y"] + box["height"] - 2)]  # fmt: skip
    page.get_by_role("button", name="Draw around samples").click()
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()

    expect(page.locator(".selection")).to_contain_text(f"{len(left)} selected")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".selection")).to_have_count(0)


def by_loss(store: RunStore) -> list[dict[str, Any]]:
    """The validation digits, the highest loss first."""
    rows = [store.row(row) for row in range(300)]
    return sorted((row for row in rows if row["state"] == "validation"), key=lambda row: -row["loss.cross_entropy"])


def test_keys_step_through_the_samples_that_are_shown_in_the_order_of_the_gallery(
    page: Page, mnist_run: RunStore
) -> None:
    page.get_by_test_id("state-training").click()
    expect(page.get_by_test_id("gallery")).to_contain_text("150 shown")
    page.get_by_test_id("map").focus()
    for key, place in (("]", 0), ("]", 1), ("[", 0)):
        page.keyboard.press(key)
        expected = by_loss(mnist_run)[place]["sample_id"]
        expect(page.get_by_test_id("details-title")).to_have_text(expected, timeout=SLOW)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("details")).to_have_count(0)


def test_the_gallery_shows_what_is_shown_the_worst_first(page: Page, mnist_run: RunStore) -> None:
    page.get_by_test_id("state-training").click()
    gallery = page.get_by_test_id("gallery")
    expect(gallery).to_contain_text("150 shown")
    worst = by_loss(mnist_run)
    picture = gallery.locator(".tile img").first
    wait_until(page, "document.querySelector('.tile img').complete && document.querySelector('.tile img').naturalWidth")
    digits = next(found for state, found in load_states(load_config()).items() if state.name == "validation")
    content = page.request.get(urljoin(page.url, picture.get_attribute("src") or "")).body()
    shown = np.asarray(Image.open(BytesIO(content)).convert("L"))
    np.testing.assert_array_equal(shown, np.asarray(digits.image(worst[0]["sample_id"])).reshape(28, 28))

    gallery.locator(".tile").nth(1).click()
    expect(page.get_by_test_id("details-title")).to_have_text(worst[1]["sample_id"], timeout=SLOW)


def test_tiles_in_a_former_order_are_not_taken_for_the_new_one(page: Page, mnist_run: RunStore) -> None:
    gallery, tiles = page.get_by_test_id("gallery"), page.locator(".gallery-tiles")
    expect(gallery).to_have_attribute("aria-busy", "false", timeout=SLOW)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/columns/order?*", hold)
    page.get_by_test_id("sort-select").select_option("metadata.brightness")
    expect(gallery).to_have_attribute("aria-busy", "true")
    expect(tiles).to_have_css("opacity", "0.4")

    brightest = max(range(300), key=lambda row: mnist_run.row(row)["metadata.brightness"])
    held[0].continue_()
    expect(gallery).to_have_attribute("aria-busy", "false")
    expect(tiles).to_have_css("opacity", "1")
    expect(tiles.locator(".tile").first).to_have_attribute("data-place", str(brightest))


def test_the_headline_leads_to_what_is_wrong_and_a_filter_can_be_taken_away(page: Page, mnist_run: RunStore) -> None:
    rows = [row for row in map(mnist_run.row, range(300)) if row["state"] == "validation"]
    wrong = [row for row in rows if row["metric.accuracy"] == 0]
    headline = page.get_by_test_id("headline")
    expect(headline).to_contain_text(f"validation {float(f'{1 - len(wrong) / len(rows):.3g}'):g}")
    ways = headline.get_by_title("Show what is wrong of validation")
    if wrong:  # of few real digits none may be
        expect(ways).to_have_text(f"{len(wrong)} wrong")
        ways.click()
        expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(wrong)} shown")
        assert "filter=" in page.url, "a link must reproduce the view"
    else:
        expect(ways).to_have_count(0)
        headline.get_by_role("button", name="validation").click()
        expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(rows)} shown")
    page.get_by_test_id("filters").get_by_role("button", name="Clear").click()
    expect(page.get_by_test_id("gallery")).to_contain_text("300 shown")


def test_columns_filter_together_and_count_what_the_others_leave(page: Page, mnist_run: RunStore) -> None:
    rows = [mnist_run.row(row) for row in range(300)]
    page.get_by_test_id("column-metadata.label").click()
    page.get_by_test_id("column-metadata.brightness").click()
    middle = sorted(row["metadata.brightness"] for row in rows)[150]
    page.get_by_test_id("low-metadata.brightness").fill(str(middle))
    page.get_by_test_id("low-metadata.brightness").press("Enter")
    bright = [row for row in rows if row["metadata.brightness"] >= middle]
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(bright)} shown")
    ones = [row for row in bright if row["metadata.label"] == 1]
    label = page.locator(".column-value", has_text=re.compile(rf"^1{len(ones)}$"))
    expect(label).to_be_visible()
    label.get_by_role("checkbox").check()
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(ones)} shown")
    page.go_back()
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(bright)} shown")


def test_an_insight_selects_its_samples_and_says_what_to_do(page: Page, mnist_runs: Path) -> None:
    first = leaplab.open_run("digits", runs=mnist_runs).insights(members=None).insights[0]
    rows = {(member.state, member.sample_id) for member in first.members}
    card = page.get_by_test_id("insights").get_by_role("button").first
    expect(card).to_contain_text(first.title, timeout=SLOW)
    card.click()

    expect(page.locator(".selection")).to_contain_text(f"{len(rows)} selected")
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(rows)} selected")
    expect(page.get_by_test_id("insights")).to_contain_text(first.action.do)
    card.click()
    expect(page.locator(".selection")).to_have_count(0)


def test_similar_samples_are_shown_beside_one_and_what_is_chosen_can_be_taken_away(
    page: Page, mnist_run: RunStore, mnist_runs: Path
) -> None:
    row = 160
    near = leaplab.open_run("digits", runs=mnist_runs).similar([mnist_run.row(row)["sample_id"]], count=12).similar
    page.evaluate(f"window.explorer.select({row})")
    similar = page.get_by_test_id("similar")
    expect(similar.locator(".tile")).to_have_count(6, timeout=SLOW)
    page.get_by_role("button", name="6 more", exact=True).click()
    expect(similar.locator(".tile")).to_have_count(12)
    page.get_by_role("button", name="Select them", exact=True).click()
    expect(page.get_by_test_id("gallery")).to_contain_text("12 selected")
    with page.expect_download() as download:
        page.get_by_test_id("export-csv").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    taken = {(each["state"], each["sample_id"]) for each in csv.DictReader(lines)}
    assert taken == {(each.state, each.sample_id) for each in near}
    similar.locator(".tile").first.click()
    expect(page.get_by_test_id("details-title")).to_have_text(near[0].sample_id, timeout=SLOW)


def test_a_heat_map_is_drawn_when_it_is_asked_for(page: Page) -> None:
    page.evaluate("window.explorer.select(7)")
    page.get_by_test_id("explain-select").select_option("class:all")
    page.get_by_test_id("explain").click()
    expect(page.get_by_test_id("heatmap")).to_be_visible(timeout=SLOW)
    page.get_by_test_id("explain-select").select_option("loss")
    page.get_by_test_id("explain").click()
    expect(page.get_by_test_id("details")).to_contain_text("Without the region in row", timeout=SLOW)


def test_the_page_builds_no_code_from_text(browser: Browser, address: str) -> None:
    page = open_page(browser)
    page.goto(address)
    wait_until(page, "window.explorer && window.explorer.samples === 300")
    # Later, as the page's own: what a debugger evaluates may build code.
    page.evaluate(
        "setTimeout(() => { try { new Function('return 1')() } catch (error) { window.refused = error.name } })"
    )
    wait_until(page, "window.refused !== undefined")
    refused = page.evaluate("window.refused")
    page.close()
    assert refused == "EvalError"
