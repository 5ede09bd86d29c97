"""What a person adds to a run in the page: select, tag, take away, close, and come back to the same."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Download, Page, expect

import leaplab
from leaplab.store.run import RunStore
from tests.browser import await_map, open_page, served_run, wait_until
from tests.leaplab.explorer.test_accessibility import AXE

pytestmark = pytest.mark.browser
SLOW = 60_000


@pytest.fixture(scope="module")
def runs(mnist_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run, since tags lie beside it."""
    folder = tmp_path_factory.mktemp("noted")
    shutil.copytree(mnist_runs / "digits", folder / "digits")
    return folder


@pytest.fixture(scope="module")
def table(runs: Path) -> list[dict[str, Any]]:
    """Every sample as the Parquet files hold it."""
    files = sorted(str(file) for file in (runs / "digits" / "samples").glob("*.parquet"))
    found = duckdb.execute("FROM read_parquet(?)", [files])
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    with served_run(runs, "digits") as address:
        await_map(address)
        yield address


@pytest.fixture
def page(browser: Browser, address: str, runs: Path) -> Iterator[Page]:
    (runs / ".notes" / "digits.json").unlink(missing_ok=True)
    page = open_page(browser, viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    is_drawn(page)
    yield page
    page.close()
    assert complaints == []


def is_drawn(page: Page) -> None:
    wait_until(page, "window.explorer && window.explorer.samples === 300")
    page.evaluate("window.explorer.ready")


def on_disk(runs: Path) -> dict[str, Any]:
    notes: dict[str, Any] = json.loads((runs / ".notes" / "digits.json").read_text(encoding="utf-8"))
    return notes


def members(runs: Path, tag: str) -> set[tuple[str, str]]:
    return {(state, each) for state, ids in on_disk(runs)["tags"].get(tag, {}).items() for each in ids}


def tag_as(page: Page, name: str) -> None:
    page.get_by_test_id("gallery").get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("Name of a new tag").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("tags").get_by_role("button", name=name).first).to_be_visible()


def taken(page: Page, form: str) -> list[dict[str, Any]]:
    with page.expect_download() as download:
        page.get_by_test_id(f"export-{form}").click()
    saved: Download = download.value
    assert saved.suggested_filename.endswith(f".{form}")
    samples: list[dict[str, Any]] = json.loads(Path(saved.path()).read_text(encoding="utf-8"))["samples"]
    return samples


def test_what_a_lasso_surrounds_is_tagged_and_is_there_after_a_reload(
    page: Page, runs: Path, table: list[dict[str, Any]]
) -> None:
    places = page.evaluate("Array.from({ length: 300 }, (_, row) => window.explorer.screenPosition(row))")
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    upper = {row for row, place in enumerate(places) if place[1] < middle}
    corners = [(box["x"] + 2, box["y"] + 2), (box["x"] + box["width"] - 60, box["y"] + 2),
               (box["x"] + box["width"] - 60, middle), (box["x"] + 2, middle)]  # fmt: skip
    upper = {row for row in upper if places[row][0] < corners[1][0]}
    page.get_by_role("button", name="Draw around samples").click()
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    gallery = page.get_by_test_id("gallery")
    expect(gallery).to_contain_text(f"{len(upper)} selected")

    tag_as(page, "upper half")
    expected = {(table[row]["state"], table[row]["sample_id"]) for row in upper}
    assert members(runs, "upper half") == expected
    tag = page.get_by_test_id("tags").get_by_role("button", name="upper half").first
    expect(tag).to_contain_text(str(len(upper)))
    page.locator(".selection").get_by_role("button", name="Clear").click()
    expect(gallery).to_contain_text("300 shown")
    tag.click()
    expect(gallery).to_contain_text(f"{len(upper)} selected")
    assert "tag=upper+half" in page.url, "a link must reproduce the view"

    page.reload()
    is_drawn(page)
    expect(gallery).to_contain_text(f"{len(upper)} selected")
    found = taken(page, "json")
    assert {(each["state"], each["sample_id"]) for each in found} == expected
    wanted = {(row["state"], row["sample_id"]): row for row in table}
    for each in found:
        row = wanted[each["state"], each["sample_id"]]
        values = {name: value for name, value in each.items() if not name.startswith("analysis.")}
        assert values.keys() == row.keys()
        assert values == row
    page.go_back()
    expect(gallery).to_contain_text("300 shown")


def test_a_selection_by_hand_outlives_a_reload(page: Page) -> None:
    tiles = page.locator("[data-place]")
    expect(tiles.first).to_be_visible(timeout=SLOW)
    tiles.nth(2).click(modifiers=["Control"])
    tiles.nth(5).click(modifiers=["Shift"])
    gallery = page.get_by_test_id("gallery")
    expect(gallery).to_contain_text("4 of 300 selected")
    rows = [tiles.nth(place).get_attribute("data-place") for place in range(2, 6)]
    page.reload()
    is_drawn(page)
    expect(gallery).to_contain_text("4 selected")
    expect(tiles).to_have_count(4)
    assert [tiles.nth(place).get_attribute("data-place") for place in range(4)] == rows
    page.goto("about:blank")
    page.go_back()
    is_drawn(page)
    expect(gallery).to_contain_text("4 selected")
    page.locator(".selection").get_by_role("button", name="Clear").click()
    expect(gallery).to_contain_text("300 shown")


def test_by_key_tiles_are_selected_tagged_and_taken_away(page: Page, runs: Path, table: list[dict[str, Any]]) -> None:
    tiles = page.locator("[data-place]")
    expect(tiles.first).to_be_visible(timeout=SLOW)
    worst = sorted(range(300), key=lambda row: -table[row]["loss.cross_entropy"])
    tiles.first.focus()
    page.keyboard.press("Space")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Shift+Space", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    chosen = {worst[0], worst[1], worst[3]}
    gallery = page.get_by_test_id("gallery")
    expect(gallery).to_contain_text("3 of 300 selected")
    ticked = page.locator(".tile-tick:checked")
    expect(ticked).to_have_count(3)
    expect(page.get_by_test_id("details")).to_have_count(0)

    opener = gallery.get_by_role("button", name="Tag", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name of a new tag")).to_be_focused()
    page.keyboard.type("look at again")
    page.keyboard.press("Enter")
    expect(gallery).to_contain_text("3 samples in \u201clook at again\u201d")
    expect(opener).to_be_focused()
    names = {(table[row]["state"], table[row]["sample_id"]) for row in chosen}
    assert members(runs, "look at again") == names
    found = {(each["state"], each["sample_id"]) for each in taken(page, "json")}
    assert found == names
    gallery.get_by_role("button", name="Only these").click()
    expect(tiles).to_have_count(3)
    tiles.first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("details-title")).to_have_text(table[worst[0]]["sample_id"], timeout=SLOW)


def test_a_filter_narrows_what_is_selected(page: Page, runs: Path, table: list[dict[str, Any]]) -> None:
    tag_as(page, "all")
    page.get_by_test_id("tags").get_by_role("button", name="all").first.click()
    gallery = page.get_by_test_id("gallery")
    expect(gallery).to_contain_text("300 selected")
    page.get_by_test_id("state-training").click()
    expect(gallery).to_contain_text("150 of 300 selected")
    tag_as(page, "some")
    assert members(runs, "some") == {(row["state"], row["sample_id"]) for row in table if row["state"] == "validation"}


def test_histograms_follow_what_is_selected(page: Page, table: list[dict[str, Any]]) -> None:
    page.get_by_test_id("column-metadata.label").click()
    fours = [row for row in range(300) if table[row]["metadata.label"] == 4]
    shown = page.locator(".column-value", has=page.get_by_text("4", exact=True)).locator(".entry-count").first
    expect(page.locator(".column-value").first).to_be_visible()
    tiles = page.locator("[data-place]")
    first = int(tiles.first.get_attribute("data-place") or "")
    digit = table[first]["metadata.label"]
    tiles.first.focus()
    page.keyboard.press("Space")
    counts = page.locator(".column-value .entry-count")
    expect(counts).to_have_text(["1" if number == digit else "0" for number in range(10)])
    page.keyboard.press("Space")
    expect(shown).to_have_text(str(len(fours)))


def test_a_tag_is_renamed_and_deleted_and_a_sample_shows_its_own(
    page: Page, runs: Path, table: list[dict[str, Any]]
) -> None:
    page.get_by_test_id("state-training").click()
    expect(page.get_by_test_id("gallery")).to_contain_text("150 shown")
    tag_as(page, "odd")
    page.evaluate("window.explorer.select(200)")
    chips = page.get_by_test_id("sample-tags")
    expect(chips).to_contain_text("odd")
    chips.get_by_role("button", name="Remove the tag odd").click()
    expect(chips).not_to_contain_text("odd")
    tags = page.get_by_test_id("tags")
    expect(tags).to_contain_text("149")
    assert (table[200]["state"], table[200]["sample_id"]) not in members(runs, "odd")
    chips.get_by_role("button", name="+ Tag").click()
    page.get_by_role("dialog").get_by_role("button", name="odd").first.click()
    expect(chips).to_contain_text("odd")
    expect(tags).to_contain_text("150")

    tags.get_by_role("button", name="odd").first.click()
    tags.get_by_role("button", name="Change the tag odd").click()
    page.get_by_label("New name of odd").fill("strange")
    tags.get_by_role("button", name="Rename").click()
    expect(chips).to_contain_text("strange")
    assert "tag=strange" in page.url
    assert len(members(runs, "strange")) == 150
    tag_as(page, "other")
    tags.get_by_role("button", name="Change the tag other").click()
    tags.get_by_role("button", name="Delete").click()
    tags.get_by_role("button", name="its 150 samples stay").click()
    expect(tags).not_to_contain_text("other")
    assert list(on_disk(runs)["tags"]) == ["strange"]


def test_a_dismissed_insight_is_folded_and_keeps_its_note(page: Page, runs: Path) -> None:
    found = leaplab.open_run("digits", runs=runs).insights(members=None).insights
    whole = [each for each in found if each.parent is None]
    insights = page.get_by_test_id("insights")
    card = insights.locator("button.insight").first
    expect(card).to_contain_text(whole[0].title, timeout=SLOW)
    card.click()
    expect(page.get_by_test_id("gallery")).to_contain_text("selected")
    assert f"insight={whole[0].stable_id}" in page.url
    for each in whole[0].differences[:3]:
        label = each.column.partition(".")[2].replace("_", " ")
        expect(page.get_by_test_id("apart")).to_contain_text(label)
    note = page.get_by_label(f"Note on {whole[0].title}")
    note.fill("known: the camera of 2019")
    note.blur()
    expect(insights).to_contain_text("saved")
    insights.get_by_role("radio", name="dismissed").check()
    folded = page.get_by_test_id("dismissed")
    expect(folded).to_contain_text("1 dismissed")
    expect(folded.locator("button.insight").first).not_to_be_visible()
    note_of = on_disk(runs)["insights"][whole[0].stable_id]
    assert note_of == {"status": "dismissed", "note": "known: the camera of 2019"}

    page.reload()
    is_drawn(page)
    expect(folded).to_contain_text("1 dismissed", timeout=SLOW)
    members = {(member.state, member.sample_id) for member in whole[0].members}
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(members)} selected")
    folded.locator("summary").click()
    expect(folded.locator("button.insight").first).to_contain_text(whole[0].title)
    expect(folded.locator("button.insight").first).to_contain_text("dismissed")
    expect(folded.get_by_label("Note on")).to_have_value("known: the camera of 2019")
    folded.get_by_role("radio", name="accepted").check()
    expect(folded).to_have_count(0)
    expect(insights.locator("button.insight").first).to_contain_text("accepted")


def test_notes_that_cannot_be_kept_are_a_sentence_and_the_page_goes_on(
    browser: Browser, address: str, runs: Path, mnist_run: RunStore
) -> None:
    notes = runs / ".notes" / "digits.json"
    notes.parent.mkdir(exist_ok=True)
    notes.write_text("{")
    page = open_page(browser, viewport={"width": 1280, "height": 800})
    page.goto(f"{address}#tag=gone")
    is_drawn(page)
    expect(page.locator(".sidebar")).to_contain_text("digits.json cannot be read")
    page.get_by_test_id("gallery").get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("Name of a new tag").fill("odd")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("mend it, or move it away")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("window.explorer.select(7)")
    expect(page.get_by_test_id("details-title")).to_have_text(mnist_run.row(7)["sample_id"], timeout=SLOW)
    assert notes.read_text() == "{"
    notes.unlink()
    page.reload()
    is_drawn(page)
    expect(page.locator(".sidebar")).to_contain_text("no tag \u201cgone\u201d")
    for name in ("one", "two"):
        tag_as(page, name)
    page.get_by_role("button", name="Change the tag two").click()
    page.get_by_label("New name of two").fill("one")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator(".sidebar").get_by_role("alert")).to_contain_text("There is a tag \u201cone\u201d already")
    assert list(on_disk(runs)["tags"]) == ["one", "two"]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_out_of_reach(browser: Browser, address: str, runs: Path, scheme: Any) -> None:
    (runs / ".notes" / "digits.json").unlink(missing_ok=True)
    page = open_page(browser, viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page.goto(address)
    is_drawn(page)
    tag_as(page, "odd")
    page.evaluate("window.explorer.select(7)")
    expect(page.get_by_test_id("visual-class_probabilities")).to_be_visible(timeout=SLOW)
    page.get_by_test_id("insights").locator("button.insight").first.click(timeout=SLOW)
    expect(page.get_by_test_id("gallery")).to_contain_text("selected")
    page.get_by_test_id("tags").get_by_role("button", name="Change the tag odd").click()
    page.locator("[data-place]").first.focus()
    page.keyboard.press("Space")
    page.get_by_test_id("gallery").get_by_role("button", name="Tag", exact=True).click()
    page.evaluate(AXE.read_text(encoding="utf-8"))

    def told() -> list[str]:
        found: Any = page.evaluate("window.axe.run(document, { resultTypes: ['violations'] })")
        return [f"{each['id']}: {node['target']}" for each in found["violations"] for node in each["nodes"]]

    assert told() == []
    page.keyboard.press("Escape")
    page.get_by_test_id("sample-tags").get_by_role("button", name="+ Tag").click()
    assert told() == []
    page.close()
