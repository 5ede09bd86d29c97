"""Charts in a real browser: made, changed, saved, taken away; and their marks as ways to samples."""

import json
import re
import shutil
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from leaplab.explorer import application
from tests.browser import open_page, served_run, wait_until
from tests.leaplab.explorer.trees import COUNT, KINDS, write_trees

pytestmark = pytest.mark.browser
API = "api/v1"
AXE = Path(application.__file__).with_name("web") / "node_modules" / "axe-core" / "axe.min.js"
Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trees(Path(tmp_path_factory.mktemp("boards")) / "trees")


@pytest.fixture(scope="module")
def digits(mnist_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, since boards are kept beside it."""
    copy = Path(tmp_path_factory.mktemp("digits")) / "digits"
    shutil.copytree(mnist_runs / "digits", copy)
    return copy


@pytest.fixture(scope="module")
def trees_address(trees: Path) -> Iterator[str]:
    with served_run(trees.parent, trees.name) as address:
        yield address


@pytest.fixture(scope="module")
def digits_address(digits: Path) -> Iterator[str]:
    with served_run(digits.parent, digits.name) as address:
        yield address


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`opened(address, run, hash)`: the page of a run that has no boards yet."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_charts(address: str, run: Path, hash: str = "tab=charts", **options: Any) -> Page:
        page = open_page(browser, **{"viewport": {"width": 1280, "height": 1000}, **options})
        pages.append(page)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        (run.parent / ".notes" / f"{run.name}.json").unlink(missing_ok=True)
        page.goto(f"{address}#{hash}")
        wait_until(page, "window.explorer && window.explorer.samples > 0")
        return page

    yield open_charts
    for page in pages:
        page.close()
    assert complaints == []


def sql(run: Path) -> Ask:
    """Rows of a query of `samples`, the run's own files."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        files = sorted(map(str, (run / "samples").glob("*.parquet")))
        with duckdb.connect() as connection:
            connection.execute(f"CREATE VIEW samples AS SELECT * FROM read_parquet({files!r})")
            return connection.execute(query).fetchall()

    return ask


def here(page: Page, at: int) -> Locator:
    """A card that is drawn."""
    card = page.get_by_test_id(f"card-{at}")
    card.scroll_into_view_if_needed()
    expect(card).to_have_attribute("data-state", "here")
    return card


def menu(card: Locator, entry: str) -> None:
    card.get_by_test_id("card-menu").click()
    card.get_by_test_id(entry).click()


def board_menu(page: Page, entry: str) -> None:
    page.get_by_test_id("board-menu").click()
    page.get_by_test_id(entry).click()


def add(page: Page, kind: str, **fields: str) -> None:
    page.get_by_test_id("chart-add").click()
    fill(page, kind=kind, **fields)


def fill(page: Page, **fields: str) -> None:
    """Write a chart's form, and keep it."""
    for name, value in fields.items():
        field = page.get_by_test_id(f"chart-{name}")
        if field.evaluate("(node) => node.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
            field.press("Tab")
    page.get_by_test_id("chart-keep").click()
    expect(page.get_by_test_id("chart-form")).to_have_count(0)


def kept(run: Path) -> dict[str, Any]:
    boards: dict[str, Any] = json.loads((run.parent / ".notes" / f"{run.name}.json").read_text())["boards"]
    return boards


def saved(page: Page, card: Locator, entry: str) -> Path:
    with page.expect_download() as download:
        menu(card, entry)
    return Path(download.value.path())


def marks(card: Locator) -> list[str]:
    return [mark.get_attribute("aria-label") or "" for mark in card.get_by_test_id("mark").all()]


def number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace(",", ""))


OF_DIGITS: dict[str, dict[str, str]] = {
    "bar": {"x": "metadata.label", "y": "loss.cross_entropy"},
    "line": {"x": "metadata.distance_to_own_class", "y": "loss.cross_entropy"},
    "scatter": {"x": "metadata.distance_to_own_class", "y": "loss.cross_entropy", "split": "sample.state"},
    "histogram": {"x": "input.brightness"},
    "box": {"y": "input.contrast", "x": "sample.state"},
    "heatmap": {"x": "metadata.label", "y": "input.brightness"},
    "group-means": {"x": "metadata.distance_to_own_class", "y": "loss.cross_entropy", "split": "metadata.label"},
    "correlation": {"y": "loss.cross_entropy"},
    "confusion": {},
    "roc": {},
    "precision-recall": {},
    "calibration": {},
    "curves": {},
}


def test_each_chart_is_made_kept_and_taken_away(opened: Any, digits_address: str, digits: Path) -> None:
    page = opened(digits_address, digits)
    board_menu(page, "board-new")
    expect(page.get_by_test_id("board-empty")).to_be_visible()
    for at, (kind, fields) in enumerate(OF_DIGITS.items()):
        add(page, kind, **fields)
        card = here(page, at)
        expect(card).to_have_attribute("data-kind", kind)
        expect(card.get_by_test_id("card-told")).not_to_be_empty()
        expect(card.locator("svg.chart")).to_be_visible()
        question = {"kind": kind, **fields}
        answer = read(page, digits_address, question)
        table = page.request.post(
            f"{digits_address}{API}/chart/table", data=question, headers=origin(digits_address)
        ).text()
        assert saved(page, card, "card-csv").read_text(encoding="utf-8") == table, kind
        picture = ElementTree.parse(saved(page, card, "card-svg")).getroot()
        assert picture.tag.endswith("svg")
        drawn = [each for each in picture.iter() if each.get("data-testid") == "mark"]
        if not answer["curves"] and answer["points"] is None:
            assert len(drawn) == len([group for group in answer["groups"] if group["value"] is not None]), kind
        with Image.open(saved(page, card, "card-png")) as image:
            image.load()
            width = float(picture.get("width") or 0)
            assert image.width == round(2 * width)
            assert len(set(image.convert("RGB").resize((200, 100)).getdata())) > 3, "an empty picture has few colours"

    (name,) = kept(digits)
    assert kept(digits)[name]["charts"] == [{"kind": kind, **fields} for kind, fields in OF_DIGITS.items()]
    page.reload()
    for at, kind in enumerate(OF_DIGITS):
        expect(here(page, at)).to_have_attribute("data-kind", kind)


def origin(address: str) -> dict[str, str]:
    return {"origin": address.rstrip("/")}


def test_the_values_are_those_of_sql(opened: Any, trees_address: str, trees: Path) -> None:
    page = opened(trees_address, trees)
    card = here(page, 0)
    expected = {
        kind: (mean, count)
        for kind, mean, count in sql(trees)(
            'SELECT "metadata.class_name", avg("metric.accuracy"), count(*) FROM samples'
            ' WHERE "metadata.class_name" IS NOT NULL GROUP BY 1'
        )
    }
    told = {}
    for words in marks(card):
        found = re.fullmatch(r"(\w+): mean ([\d.]+) \(.*\), (\d+) samples", words)
        assert found, words
        told[found[1]] = (float(found[2]), int(found[3]))
    assert set(told) == set(KINDS)
    assert {kind: count for kind, (_, count) in told.items()} == {kind: count for kind, (_, count) in expected.items()}
    for kind, (mean, _) in expected.items():
        assert told[kind][0] == pytest.approx(mean, rel=5e-4)

    menu(card, "card-table")
    rows = card.locator("tbody tr")
    expect(rows).to_have_count(len(KINDS))
    cells = [cell.text_content() or "" for cell in rows.first.locator("td").all()]
    assert number(cells[2]) == expected[cells[0]][1]
    assert number(cells[3]) == pytest.approx(expected[cells[0]][0], rel=5e-4)


def test_a_chart_is_changed_split_moved_copied_and_removed(opened: Any, trees_address: str, trees: Path) -> None:
    page = opened(trees_address, trees)
    menu(here(page, 0), "card-edit")
    fill(page, y="loss.entropy", aggregate="median", split="metadata.site", title="My own title")
    expect(page.get_by_test_id("board-select")).to_have_value("My board")
    card = here(page, 0)
    expect(card).to_have_attribute("aria-label", "My own title")
    expect(card.get_by_test_id("mark")).to_have_count(2 * len(KINDS))
    medians = {
        f"{kind}, {site}": value
        for kind, site, value in sql(trees)(
            'SELECT "metadata.class_name", "metadata.site", median("loss.entropy") FROM samples'
            ' WHERE NOT isnan("loss.entropy") GROUP BY 1, 2'
        )
        if kind
    }
    for words in marks(card):
        name, value = re.findall(r"^(\w+, \w+): median ([\d.]+) ", words)[0]
        assert float(value) == pytest.approx(medians[name], rel=5e-4)

    before = [chart["kind"] for chart in kept(trees)["My board"]["charts"]]
    menu(card, "card-right")
    expect(page.get_by_test_id("card-1")).to_have_attribute("aria-label", "My own title")
    menu(here(page, 1), "card-duplicate")
    expect(page.get_by_test_id("card-2")).to_have_attribute("aria-label", "My own title")
    menu(here(page, 2), "card-wide")
    expect(page.get_by_test_id("card-2")).to_have_class(re.compile("wide"))
    menu(here(page, 0), "card-remove")
    expect(page.get_by_test_id("card-0")).to_have_attribute("aria-label", "My own title")
    expect(page.locator("[data-testid^='card-'][data-kind]")).to_have_count(len(before))
    wait_kept(trees, lambda boards: len(boards["My board"]["charts"]) == len(before))
    first, second = kept(trees)["My board"]["charts"][:2]
    assert first == {
        "kind": "bar", "x": "metadata.class_name", "y": "loss.entropy", "split": "metadata.site",
        "aggregate": "median", "title": "My own title",
    }  # fmt: skip
    assert second == {**first, "width": 2}
    page.go_back()
    expect(page.get_by_test_id("board-select")).to_have_value("")
    expect(page.get_by_test_id("card-0")).to_have_attribute("aria-label", "Accuracy by class name")


def wait_kept(run: Path, fits: Callable[[dict[str, Any]], bool]) -> None:
    end = time.monotonic() + 10
    while not fits(kept(run)):
        assert time.monotonic() < end, kept(run)
        time.sleep(0.02)


def shown(page: Page) -> int:
    return int((page.get_by_test_id("status").text_content() or "").split()[0].replace(",", ""))


def test_a_mark_is_a_filter_that_all_follow(opened: Any, trees_address: str, trees: Path) -> None:
    page = opened(trees_address, trees)
    first, second = here(page, 0), here(page, 1)
    page.get_by_test_id("board").locator(".board-scroll").evaluate("(node) => node.scrollTo(0, 0)")
    oak = first.get_by_role("button", name=re.compile("^oak: "))
    oak.click()
    count = sql(trees)("SELECT count(*) FROM samples WHERE \"metadata.class_name\" = 'oak'")[0][0]
    expect(page.get_by_test_id("filters")).to_contain_text("class name: oak")
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{count} shown")
    expect(oak).to_have_attribute("aria-pressed", "true")
    # Its own chart shows what else there is to choose, the others are of these samples.
    expect(first.get_by_test_id("mark")).to_have_count(len(KINDS))
    states = sql(trees)("SELECT state, count(*) FROM samples WHERE \"metadata.class_name\" = 'oak' GROUP BY 1")
    for state, of_state in states:
        expect(second.get_by_role("button", name=re.compile(f"^{state}: .*, {of_state} samples"))).to_be_visible()

    fir = first.get_by_role("button", name=re.compile("^fir: "))
    fir.click(modifiers=["Shift"])
    expect(page.get_by_test_id("filters")).to_contain_text("class name: oak, fir")
    fir.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label').split(':')[0]")
    expect(page.get_by_test_id("filters")).to_contain_text(f"class name: {focused}")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{COUNT} shown")
    page.go_back()
    expect(page.get_by_test_id("filters")).to_contain_text(f"class name: {focused}")


def test_a_brush_is_just_its_bins(opened: Any, trees_address: str, trees: Path) -> None:
    page = opened(trees_address, trees)
    board_menu(page, "board-new")
    add(page, "histogram", x="metadata.away", bins="12")
    card = here(page, 0)
    asked = {"kind": "histogram", "x": "metadata.away", "bins": 12}
    groups = read(page, trees_address, asked)["groups"]
    gallery = page.get_by_test_id("gallery")
    bars = card.get_by_test_id("mark")
    boxes: list[Any] = [bar.bounding_box() for bar in bars.all()]
    foot = boxes[0]["y"] + boxes[0]["height"] - 2
    page.mouse.move(boxes[2]["x"] + boxes[2]["width"] / 2, foot)
    page.mouse.down()
    page.mouse.move(boxes[4]["x"] + boxes[4]["width"] / 2, foot, steps=5)
    page.mouse.up()
    expect(gallery).to_contain_text(f"{sum(group['count'] for group in groups[2:5])} shown")
    pressed = [bar.get_attribute("aria-pressed") for bar in bars.all()]
    assert [at for at, each in enumerate(pressed) if each == "true"] == [2, 3, 4]

    bars.nth(1).click()
    expect(gallery).to_contain_text(f"{groups[1]['count']} shown")
    bars.nth(1).click()
    expect(gallery).to_contain_text(f"{COUNT} shown")
    # The same by keyboard.
    menu(card, "card-range")
    card.get_by_test_id("range-x-low").fill("2.5")
    card.get_by_test_id("range-x-low").press("Enter")
    expected = sql(trees)('SELECT count(*) FROM samples WHERE "metadata.away" >= 2.5')[0][0]
    expect(gallery).to_contain_text(f"{expected} shown")


def test_a_drawn_box_of_a_scatter_filters_both_numbers(opened: Any, trees_address: str, trees: Path) -> None:
    page = opened(trees_address, trees)
    board_menu(page, "board-new")
    add(page, "scatter", x="metadata.away", y="loss.entropy")
    box: Any = here(page, 0).locator("svg.chart").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    filters = page.get_by_test_id("filters").get_by_role("button", name=re.compile("^Remove: "))
    expect(filters).to_have_count(2)
    texts = page.evaluate("new URLSearchParams(location.hash.slice(1)).getAll('filter')")
    chosen = [json.loads(text) for text in texts]
    conditions = [f'"{each["column"]}" BETWEEN {each["low"]} AND {each["high"]}' for each in chosen]
    count = sql(trees)(f"SELECT count(*) FROM samples WHERE {' AND '.join(conditions)}")[0][0]
    assert 0 < count < COUNT
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{count} shown")


def test_a_cell_of_the_confusion_matrix_leads_to_its_samples(opened: Any, digits_address: str, digits: Path) -> None:
    page = opened(digits_address, digits)
    at = kinds(page).index("confusion")
    card = here(page, at)
    cells = card.get_by_test_id("mark")
    words = marks(card)
    nines = next(place for place, each in enumerate(words) if each.startswith("9 taken for 9:"))
    count = int(re.findall(r": ([\d,]+) samples", words[nines])[0])
    cells.nth(nines).click()
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{count} selected")
    expected = sql(digits)('SELECT count(*) FROM samples WHERE "metadata.label" = 9 AND "metric.predicted_label" = 9')[
        0
    ][0]
    assert count == expected
    expect(cells.nth(nines)).to_have_attribute("aria-pressed", "true")
    expect(cells).to_have_count(len(words))
    page.get_by_test_id("gallery").locator(".tile").first.click()
    expect(page.get_by_test_id("details-title")).to_be_visible()
    page.keyboard.press("Escape")
    cells.nth(nines).click()
    expect(page.get_by_test_id("gallery")).to_contain_text("300 shown")


def kinds(page: Page) -> list[str]:
    cards = page.locator("[data-testid^='card-'][data-kind]")
    expect(cards.first).to_be_visible()
    return [card.get_attribute("data-kind") or "" for card in cards.all()]


def test_a_threshold_moves_all_that_have_one(opened: Any, digits_address: str, digits: Path) -> None:
    page = opened(digits_address, digits)
    board_menu(page, "board-new")
    add(page, "confusion")
    add(page, "precision-recall")
    matrix, curve = here(page, 0), here(page, 1)
    page.locator(".board-scroll").evaluate("(node) => node.scrollTo(0, 0)")
    told = [card.get_by_test_id("threshold-told") for card in (matrix, curve)]
    before = [each.text_content() for each in told]
    matrix.get_by_test_id("threshold-slider").fill("0.99")
    for card, each, text in zip((matrix, curve), told, before, strict=True):
        expect(each).not_to_have_text(text or "")
        expect(card.get_by_test_id("threshold-slider")).to_have_value("0.99")
    answer = read(page, digits_address, {"kind": "confusion", "threshold": 0.99})
    of_all = next(outcome for outcome in answer["outcomes"] if outcome["name"] == "all")
    expect(told[0]).to_contain_text(f"{of_all['true_positives']} right, {of_all['false_positives']} false")
    assert any(", no answer" in each or "no answer" in each for each in marks(matrix))
    wait_kept(digits, lambda boards: boards["New board"]["charts"][0].get("threshold") == 0.99)
    curve.get_by_test_id("threshold-best").click()
    outcomes = read(page, digits_address, {"kind": "precision-recall"})["best"]
    best = next(outcome["f1"] for outcome in outcomes if outcome["name"] == "all")
    expect(told[1]).to_contain_text(f"F1 {float(f'{best:.3g}'):g}")


def read(page: Page, address: str, question: dict[str, Any]) -> dict[str, Any]:
    answer = page.request.post(f"{address}{API}/chart", data=question, headers=origin(address))
    read: dict[str, Any] = answer.json()
    return read


def test_a_board_goes_to_a_file_and_comes_back(opened: Any, trees_address: str, trees: Path, tmp_path: Path) -> None:
    page = opened(trees_address, trees)
    here(page, 0)
    menu(here(page, 0), "card-wide")
    board_menu(page, "board-rename")
    page.get_by_test_id("board-name").fill("Trees & sites")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("board-select")).to_have_value("Trees & sites")
    with page.expect_download() as download:
        board_menu(page, "board-save")
    file = tmp_path / "trees.json"
    shutil.copy(download.value.path(), file)
    assert json.loads(file.read_text())["charts"] == kept(trees)["Trees & sites"]["charts"]
    board_menu(page, "board-delete")
    page.get_by_test_id("board-delete-yes").click()
    expect(page.get_by_test_id("board-select")).to_have_value("")
    page.get_by_test_id("board-file").set_input_files(file)
    expect(page.get_by_test_id("board-select")).to_have_value("Trees & sites")
    expect(here(page, 0)).to_have_class(re.compile("wide"))
    page.get_by_test_id("board-file").set_input_files(file)
    expect(page.get_by_test_id("board-select")).to_have_value("Trees & sites 2")

    bad = tmp_path / "bad.json"
    for content, sentence in (("nonsense", "not JSON"), ('{"name": "a", "charts": [{"kind": "pie"}]}', "pie")):
        bad.write_text(content)
        page.get_by_test_id("board-file").set_input_files(bad)
        expect(page.get_by_test_id("board-problem")).to_contain_text(sentence)
    assert list(kept(trees)) == ["Trees & sites", "Trees & sites 2"]


def test_a_board_that_is_gone_is_told(opened: Any, trees_address: str, trees: Path) -> None:
    page = opened(trees_address, trees, "tab=charts&board=Yesterday")
    expect(page.get_by_test_id("board-gone")).to_contain_text("no board \u201cYesterday\u201d")
    page.get_by_role("button", name="Show the proposed charts").click()
    here(page, 0)
    assert "board=" not in page.url


@pytest.mark.parametrize(
    ("chart", "sentence"),
    [
        ({"kind": "curves"}, "no history"),
        ({"kind": "confusion"}, "nothing says what was taken for what"),
        ({"kind": "histogram", "x": "metadata.height"}, "metadata.height"),
        ({"kind": "bar", "x": "metadata.planet"}, "earth"),
        ({"kind": "bar", "x": "metadata.nothing"}, "metadata.nothing"),
        ({"kind": "pie"}, "no chart 'pie'"),
    ],
)
def test_what_cannot_be_shown_is_told(
    opened: Any, trees_address: str, trees: Path, chart: dict[str, str], sentence: str
) -> None:
    page = opened(trees_address, trees, "tab=map")
    board = {"name": "Odd", "charts": [chart]}
    page.request.put(f"{trees_address}{API}/boards", data=board, headers=origin(trees_address))
    page.goto("about:blank")
    page.goto(f"{trees_address}#tab=charts&board=Odd")
    card = page.get_by_test_id("card-0")
    expect(card).to_have_attribute("data-state", re.compile("here|failed"))
    expect(card).to_contain_text(sentence)
    if card.get_attribute("data-state") == "failed":
        card.get_by_role("button", name="Edit the chart").click()
        fill(page, kind="bar", x="metadata.site")
        expect(here(page, 0).get_by_test_id("mark")).to_have_count(2)


def test_notes_that_cannot_be_written_are_told_and_the_board_stays(
    opened: Any, trees_address: str, trees: Path
) -> None:
    page = opened(trees_address, trees)
    here(page, 0)
    notes = trees.parent / ".notes" / "trees.json"
    notes.parent.mkdir(exist_ok=True)
    notes.write_text("{")
    try:
        menu(here(page, 0), "card-wide")
        expect(page.get_by_test_id("board-problem")).to_contain_text("cannot be read")
        expect(page.get_by_test_id("card-0")).to_have_class(re.compile("wide"))
        assert notes.read_text() == "{"
        notes.unlink()
        menu(here(page, 0), "card-wide")
        expect(page.get_by_test_id("board-problem")).to_have_count(0)
        assert len(kept(trees)["My board"]["charts"]) > 1
    finally:
        notes.unlink(missing_ok=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_the_charts_is_out_of_reach(opened: Any, digits_address: str, digits: Path, scheme: str) -> None:
    page = opened(digits_address, digits, "tab=map", color_scheme=scheme, viewport={"width": 1280, "height": 2600})
    board = {"name": "All", "charts": [{"kind": kind, **fields} for kind, fields in OF_DIGITS.items()]}
    page.request.put(f"{digits_address}{API}/boards", data=board, headers=origin(digits_address))
    page.goto("about:blank")
    page.goto(f"{digits_address}#tab=charts&board=All")
    for at in range(len(OF_DIGITS)):
        here(page, at)
    page.evaluate("window.explorer.ready")
    menu(here(page, 0), "card-table")
    menu(here(page, 3), "card-range")
    here(page, 4).get_by_test_id("card-menu").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_test_id("chart-add").click()
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(
        "axe.run().then((found) => found.violations.map((one) =>"
        " `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(' | ')}`))"
    )
    return found
