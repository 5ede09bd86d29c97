"""The panel of a sample in a real browser: the verdict, pictures as layers, objects, and data that have changed."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from leaplab.explorer import application
from leaplab.store.run import RunStore
from tests.browser import open_page, served_run, wait_until

pytestmark = pytest.mark.browser
AXE = Path(application.__file__).with_name("web") / "node_modules" / "axe-core" / "axe.min.js"
SLOW = 60_000
SHOWN = (
    "integration_test()\ndef integration_test(sample_id: str, response: PreprocessResponse) -> None:\n"
    "    image = encode_image(sample_id, response)\n"
)
VISUALIZERS = """custom_visualizer("picture", LeapDataType.Image)
def picture(image: Array) -> LeapImage:
    return LeapImage((np.squeeze(image)[..., None] * 255).repeat(3, 2).astype(np.uint8))


@tensorleap_custom_visualizer("marked", LeapDataType.ImageWithBBox)
def marked(image: Array) -> LeapImageWithBBox:
    pixels = (np.squeeze(image)[..., None] * 255).repeat(3, 2).astype(np.uint8)
    boxes = [BoundingBox(0.25, 0.5, 0.5, 0.5, 0.9, "left"), BoundingBox(0.75, 0.5, 0.25, 0.25, 0.8, "right")]
    return LeapImageWithBBox(pixels, boxes)


@tensorleap_"""
IMPORTS = """
from code_loader.contract.enums import LeapDataType
from code_loader.contract.responsedataclasses import BoundingBox
from code_loader.contract.visualizer_classes import LeapImage, LeapImageWithBBox
from code_loader.inner_leap_binder.leapbinder_decorators import tensorleap_custom_visualizer
"""


@pytest.fixture(scope="module")
def objects_run(make_project: Any, evaluated: Any, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """The integration `instances` with a picture, and one with boxes."""
    root: Path = make_project("instances", inputs=("image",))
    binder = root / "leap_binder.py"
    code = binder.read_text(encoding="utf-8").replace(
        SHOWN, VISUALIZERS + SHOWN + "    picture(image)\n    marked(image)\n"
    )
    binder.write_text(
        code.replace("from numpy.typing import NDArray\n", f"from numpy.typing import NDArray\n{IMPORTS}", 1)
    )
    run: RunStore = evaluated(tmp_path_factory.mktemp("runs"), root)
    return run


@pytest.fixture(scope="module")
def digits(mnist_runs: Path) -> Iterator[str]:
    with served_run(mnist_runs, "digits") as address:
        yield address


@pytest.fixture(scope="module")
def elements(objects_run: RunStore) -> Iterator[str]:
    with served_run(objects_run.path.parent, objects_run.path.name) as address:
        yield address


@pytest.fixture(scope="module")
def changed(objects_run: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The run as if another input had been evaluated for sample `a`.

    Of the module, as every server that is watched here: it has to outlive the pages, which ask it until they close.
    """
    runs = tmp_path_factory.mktemp("changed")
    shutil.copytree(objects_run.path, runs / "changed")
    part = next((runs / "changed" / "samples").glob("*.parquet"))
    renamed = part.with_suffix(".new")
    query = f"""copy (select * replace (case when sample_id = 'a' then 'other' else "input.hash" end as "input.hash")
        from read_parquet('{part}')) to '{renamed}' (format parquet)"""
    duckdb.execute(query)
    entry = next((runs / "changed" / "parts").glob("00000.json"))
    entry.write_text(entry.read_text().replace(str(part.stat().st_size), str(renamed.stat().st_size)))
    renamed.rename(part)
    with served_run(runs, "changed") as address:
        yield address


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`opened(address, hash)`: the page, of which nothing may complain."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_at(address: str, fragment: str = "", scheme: Literal["light", "dark"] = "light") -> Page:
        page = open_page(browser, viewport={"width": 1440, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address + fragment)
        wait_until(page, "window.explorer && window.explorer.samples > 0")
        page.evaluate("window.explorer.ready")
        pages.append(page)
        return page

    yield open_at
    for page in pages:
        page.close()
    assert complaints == []


def is_complaint(message: ConsoleMessage) -> bool:
    """An object without a mask has no picture, which a browser reports."""
    return message.type == "error" and not re.search(r"/objects/\d+/thumbnail", message.location["url"])


def worst_of(run: RunStore, state: str) -> tuple[int, dict[str, Any], int]:
    """The row with the highest loss of a state, its values, and how many samples the state has."""
    files = [str(path) for path in run.sample_files()]
    rows = duckdb.execute('select state, "loss.cross_entropy" from read_parquet(?)', [files]).fetchall()
    of_state = [(loss, row) for row, (each, loss) in enumerate(rows) if each == state]
    row = max(of_state)[1]
    return row, run.row(row), len(of_state)


def test_the_verdict_comes_first_and_the_loss_says_how_it_ranks(
    opened: Callable[..., Page], digits: str, mnist_run: RunStore
) -> None:
    row, values, count = worst_of(mnist_run, "validation")
    output = mnist_run.prediction("classes", row)
    assert output is not None
    page = opened(digits)
    page.evaluate(f"window.explorer.select({row})")
    verdict = page.get_by_test_id("verdict")
    share = f"{min(float(output.max()), 0.99):.2f}"[1:]
    expect(verdict).to_contain_text(f"truth {values['metadata.label']}, predicted {int(output.argmax())} {share}")
    facts = page.locator(".scores tr", has_text="cross entropy")
    expect(facts).to_contain_text(f"the worst of {count}")

    # All of it is within the first screen, whatever is folded.
    expect(page.get_by_test_id("visual-digit").locator("img")).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("similar").locator("img").first).to_be_visible(timeout=SLOW)
    heads = page.locator(".details summary")
    bottoms = [heads.nth(place).bounding_box() for place in range(heads.count())]
    assert len(bottoms) >= 2
    assert all(box is not None and box["y"] + box["height"] <= 900 for box in bottoms)


def test_the_heat_map_lies_over_the_picture_and_can_be_switched(opened: Callable[..., Page], digits: str) -> None:
    page = opened(digits)
    page.evaluate("window.explorer.select(7)")
    frame = page.get_by_test_id("visual-digit")
    expect(frame.locator("img")).to_be_visible(timeout=SLOW)
    page.get_by_test_id("explain").click()
    layer = frame.get_by_test_id("heatmap")
    expect(layer).to_be_visible(timeout=SLOW)
    under, over = frame.locator("img").first.bounding_box(), layer.bounding_box()
    assert under is not None
    assert over is not None
    assert over == pytest.approx(under, abs=0.5)
    page.get_by_test_id("heat-opacity").fill("0.25")
    expect(layer).to_have_css("opacity", "0.25")
    page.get_by_test_id("heat-switch").uncheck()
    expect(layer).to_have_count(0)
    page.get_by_test_id("heat-switch").check()
    expect(layer).to_be_visible()


def test_each_similar_sample_says_why(opened: Callable[..., Page], digits: str) -> None:
    page = opened(digits)
    page.evaluate("window.explorer.select(7)")
    why = page.get_by_role("button", name="Why is").first
    named = (why.get_attribute("aria-label") or "").removeprefix("Why is ").removesuffix(" similar?")
    sample_id, state = named.split(" of ")
    why.click()
    expect(page.get_by_test_id("heatmap")).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("explain-select")).to_have_value(f"similar:{state}/{sample_id}")


def test_an_object_is_outlined_where_it_is_pointed_at(opened: Callable[..., Page], elements: str) -> None:
    page = opened(elements, "#sample=training/a")
    frame = page.get_by_test_id("visual-picture")
    expect(frame.locator("img")).to_be_visible(timeout=SLOW)
    page.get_by_test_id("objects").locator("summary").click()
    outlined = page.get_by_test_id("outlined")
    expect(outlined).to_have_count(0)
    page.get_by_role("button", name="Outline object 1", exact=True).hover()
    expect(outlined).to_be_visible(timeout=SLOW)
    # Rows 1 and 2 of six.
    box, under = outlined.locator("path").last.bounding_box(), frame.locator("img").bounding_box()
    assert box is not None
    assert under is not None
    assert box["y"] - under["y"] == pytest.approx(under["height"] / 6, abs=4)
    assert box["height"] == pytest.approx(under["height"] / 3, abs=4)

    # It stays where it is chosen, and a link opens it.
    page.get_by_role("button", name="Outline object 2", exact=True).click()
    assert "object=2" in page.url
    page.get_by_role("button", name="Outline left", exact=True).focus()
    expect(outlined.locator("polygon").last).to_have_attribute("points", "0,250 500,250 500,750 0,750")
    again = opened(elements, "#" + page.url.partition("#")[2])
    expect(again.get_by_test_id("outlined")).to_be_visible(timeout=SLOW)


def test_pictures_of_one_size_share_a_frame(opened: Callable[..., Page], elements: str) -> None:
    page = opened(elements, "#sample=training/a")
    first = page.get_by_test_id("visual-picture")
    expect(first.locator("img")).to_be_visible(timeout=SLOW)
    before = first.locator("img").bounding_box()
    page.get_by_test_id("layer-marked").click()
    expect(first).to_have_count(0)
    second = page.get_by_test_id("visual-marked")
    expect(second).to_contain_text("left (1)")
    frame = second.locator("button").bounding_box()
    assert before is not None
    assert frame is not None
    np.testing.assert_allclose(
        [frame[k] for k in ("x", "y", "width", "height")], [before[k] for k in ("x", "y", "width", "height")], atol=1
    )
    page.keyboard.press("]")
    expect(page.get_by_test_id("visual-marked")).to_be_visible(timeout=SLOW)


def test_the_objects_have_a_map_and_tiles_of_their_own(
    opened: Callable[..., Page], elements: str, objects_run: RunStore
) -> None:
    files = str(objects_run.path / "instances" / "*.parquet")
    stored = duckdb.execute("select sample_id, state, number from read_parquet(?)", [files]).fetchall()
    page = opened(elements)
    page.get_by_role("group", name="Points", exact=True).get_by_role("button", name="Objects").click()
    expect(page.get_by_test_id("objects-shown")).to_contain_text(f"{len(stored)} objects", timeout=SLOW)
    page.evaluate("window.explorer.ready")
    assert "points=objects" in page.url
    places = [page.evaluate(f"window.explorer.screenPosition({place})") for place in range(len(stored))]
    drawn = [place for place, at in enumerate(places) if at]
    place = drawn[1]
    page.mouse.move(*places[place])
    expect(page.get_by_test_id("tooltip")).to_contain_text("Object 1 of a")
    page.mouse.click(*places[place])
    expect(page.get_by_test_id("details-title")).to_have_text("a", timeout=SLOW)
    expect(page.get_by_test_id("outlined")).to_be_visible(timeout=SLOW)
    assert "object=1" in page.url

    page.get_by_role("group", name="Tiles", exact=True).get_by_role("button", name="Objects").click()
    tiles = page.get_by_test_id("gallery").locator(".tile")
    expect(tiles).to_have_count(len(drawn))
    expect(tiles.nth(1)).to_have_attribute("aria-current", "true")
    expect(tiles.first.locator("img")).to_have_js_property("complete", True, timeout=SLOW)
    page.keyboard.press("]")
    expect(page.get_by_role("button", name="Outline object 2", exact=True)).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.get_by_role("button", name="Outline object 1", exact=True)).to_have_attribute("aria-pressed", "true")


def test_data_that_has_changed_since_the_evaluation_is_told(opened: Callable[..., Page], changed: str) -> None:
    page = opened(changed, "#sample=training/a")
    expect(page.get_by_test_id("changed")).to_contain_text("has changed since the evaluation", timeout=SLOW)
    page = opened(changed, "#sample=training/b")
    expect(page.get_by_test_id("visual-picture")).to_be_visible(timeout=SLOW)
    expect(page.get_by_test_id("changed")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_panel_and_on_the_map_of_objects(
    opened: Callable[..., Page], elements: str, scheme: Literal["light", "dark"]
) -> None:
    page = opened(elements, "#points=objects&tiles=objects&sample=training/a&object=1", scheme)
    expect(page.get_by_test_id("outlined")).to_be_visible(timeout=SLOW)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate("window.axe.run(document, { resultTypes: ['violations'] })")
    told = [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
    assert told == []
