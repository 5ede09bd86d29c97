"""Seventeen things that a person comes to do, with the clicks of docs/explorer.md, on runs of the four examples.

Nothing is tied to rows of a certain run: what is expected is asked of the same run in Python.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import leaplab
from leaplab.population.opened import Run
from tests.browser import open_page, wait_until
from tests.leaplab.explorer.task_runs import NAMES, ROOT, TaskRuns, prepared

pytestmark = [pytest.mark.browser, pytest.mark.real_data("mnist/mnist.npz", "cifar10/cifar-10-batches-py")]
SLOW = 300_000  # ms: what is asked of a run for the first time is computed at low priority


@pytest.fixture(scope="module")
def task_runs(tmp_path_factory: pytest.TempPathFactory) -> TaskRuns:
    return prepared(tmp_path_factory.mktemp("tasks"))


def pages(example: str) -> Any:
    """A fixture of the page of an example's run; its server serves all tests of this file."""

    @pytest.fixture(scope="module", name=f"address_of_{example}")
    def address(task_runs: TaskRuns) -> Iterator[str]:
        with task_runs.served(example) as address:
            yield address

    return address


address_of_mnist = pages("mnist")
address_of_cifar10_resnet = pages("cifar10_resnet")
address_of_yolov7_foresight = pages("yolov7_foresight")
address_of_armbench_segmentation = pages("armbench_segmentation")


@pytest.fixture
def opened(browser: Browser, request: pytest.FixtureRequest, task_runs: TaskRuns) -> Iterator[Any]:
    """Opens the page of an example, and gives it with the run as Python has it."""
    contexts = []

    def open_example(example: str) -> tuple[Page, Run]:
        address = request.getfixturevalue(f"address_of_{example}")
        page = open_page(browser, viewport={"width": 1440, "height": 900})
        contexts.append(page)
        go(page, address)
        return page, leaplab.open_run(task_runs.path(example))

    yield open_example
    for page in contexts:
        page.close()


def go(page: Page, address: str) -> None:
    page.goto(address)
    wait_until(page, "window.explorer && window.explorer.samples > 0", SLOW / 1000)
    page.evaluate("window.explorer.ready")


def shown(page: Page) -> int:
    """How many samples the bar over the views counts."""
    return int((page.get_by_test_id("status").text_content() or "").split()[0].replace(",", ""))


def opened_sample(page: Page) -> tuple[str, str]:
    """State and id in the head of the panel."""
    state = page.get_by_test_id("details-state")
    # Until it is known the title is a number.
    expect(state).not_to_have_text("")
    return state.text_content() or "", page.get_by_test_id("details-title").text_content() or ""


@pytest.mark.parametrize("of", ["mnist", "cifar10_resnet"])
def test_1_how_good_is_it(opened: Any, of: str) -> None:
    page, run = opened(of)
    accuracy, states = run.read("metric.accuracy"), np.array(run.read("state"))
    headline = page.get_by_test_id("headline")
    of_validation = accuracy[states == "validation"]
    expect(headline).to_contain_text(f"validation {float(f'{of_validation.mean():.3g}'):g}")

    wrong = int((of_validation == 0).sum())
    headline.get_by_title("Show what is wrong of validation").click()
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{wrong:,} shown")


def test_2_what_is_the_worst_class_confused_with(opened: Any) -> None:
    page, run = opened("cifar10_resnet")
    headline, filters = page.get_by_test_id("headline"), page.get_by_test_id("filters")
    worst_of = headline.get_by_title("The worst of")
    judged = (worst_of.get_attribute("title") or "").removeprefix("The worst of ")
    headline.get_by_title(f"Show what is wrong of {judged}").click()
    worst_of.click()
    expect(filters).to_contain_text("class name: ")
    worst = (filters.get_by_role("button", name="Remove: class name").text_content() or "").split(": ")[1].split(" ")[0]
    names = run.columns["metadata.class_name"].categories
    accuracy = {
        name: run.read("metric.accuracy", where=f"state = '{judged}' and {in_class(name)}").mean() for name in names
    }
    assert worst == min(accuracy, key=lambda name: accuracy[name])

    where = f"state = '{judged}' and {in_class(worst)} and metric.accuracy = 0"
    expect(page.get_by_test_id("status")).to_contain_text(f"{len(run.where(where)):,} of")
    page.get_by_test_id("column-metric.predicted_label").click()
    wrong = Counter(int(each) for each in run.read("metric.predicted_label", where=where))
    bars = page.locator("li:has([data-testid='column-metric.predicted_label']) .histogram .bin")
    expect(bars.first).to_be_attached()
    heights = [float(bar.get_attribute("height") or 0) for bar in bars.all()]
    every = sorted({int(each) for each in run.read("metric.predicted_label")})
    most = [label for label, count in wrong.items() if count == max(wrong.values())]
    places = [(label - every[0]) / (every[-1] - every[0]) for label in most]
    highest = int(np.argmax(heights)) / (len(heights) - 1)
    assert min(abs(highest - place) for place in places) < 0.06

    # The first picture is the worst of them, and its panel calls both classes by name.
    page.locator(".gallery .tile").first.click()
    losses, labels = (run.read(name, where=where) for name in ("loss.cross_entropy", "metric.predicted_label"))
    taken_for = names[int(labels[int(np.argmax(losses))])]
    expect(page.get_by_test_id("verdict")).to_contain_text(f"truth {worst}, predicted {taken_for}")


def in_class(name: str) -> str:
    return f"metadata.class_name = '{name}'"


def test_3_a_label_to_look_at_again(opened: Any, task_runs: TaskRuns) -> None:
    page, run = opened("mnist")
    card = page.get_by_test_id("insights").get_by_role("button").filter(has_text="mislabeled samples").first
    card.click(timeout=SLOW)
    found = run.insights("mislabeled_samples", members=None).insights[0]
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{found.member_count:,} selected")
    page.locator(".gallery .tile").first.click()
    state, name = opened_sample(page)
    assert (state, name) in {(member.state, member.sample_id) for member in found.members}
    if task_runs.mislabeled is not None:
        assert state == "training"
        assert name in task_runs.mislabeled


def test_4_frames_of_another_camera_and_what_sets_them_apart(opened: Any) -> None:
    page, run = opened("yolov7_foresight")
    (fisheye,) = set(run.read("metadata.origin", where="state = 'unlabeled'"))
    (usual,) = set(run.read("metadata.origin", where="state = 'training'"))
    cards = page.get_by_test_id("insights").get_by_role("button")
    cards.filter(has_text="domain gap").filter(has_text=f"{fisheye} lies apart from {usual}").first.click(timeout=SLOW)
    count = len(run.where(f"metadata.origin = '{fisheye}'"))
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{count:,} selected")

    rows = page.get_by_test_id("apart").locator("tbody tr")
    expect(rows.first).to_be_visible()
    told = {
        row.locator("th").text_content() or "": [
            number_of(each.text_content() or "") for each in row.locator("td").all()
        ]
        for row in rows.all()
    }
    # Beside the name of the camera there are numbers that tell what the frames look like.
    labels = {column.label.replace("_", " "): name for name, column in run.columns.items()}
    numbers = {labels[label]: values for label, values in told.items() if label in labels}
    assert len(numbers) >= 3
    for column, values in numbers.items():
        medians = [np.median(run.read(column, where=f"metadata.origin = '{each}'")) for each in (fisheye, usual)]
        assert values == pytest.approx(medians, rel=0.005)

    page.locator(".gallery .tile").first.click()
    state, name = opened_sample(page)
    assert run.read("metadata.origin", where=f"state = '{state}' and sample_id = '{name}'").tolist() == [fisheye]


def number_of(text: str) -> float:
    """Of "7,231" and "\u22120.5" what they say, of "96 %" 0.96."""
    share = text.endswith("%")
    return float(text.removesuffix("%").replace(",", "").replace("\u2212", "-")) / (100 if share else 1)


def test_5_an_object_that_is_taken_for_several(opened: Any) -> None:
    page, run = opened("armbench_segmentation")
    column = "metric.segmentation_over_segmented_objects"
    counts, states, ids = run.read(column), run.read("state"), run.read("sample_id")
    most = np.nanmax(counts)
    assert most > 0, "no object of the run is over-segmented; evaluate more samples"
    page.get_by_test_id("sort-select").select_option(column)
    tile, divided = page.locator(".gallery .tile").first, np.flatnonzero(counts == most)
    expect(tile).to_have_attribute("aria-label", re.compile(f"^Open sample ({'|'.join(map(str, divided))})$"))
    tile.click()
    assert opened_sample(page) in {(states[row], ids[row]) for row in divided}

    page.get_by_test_id("layer-over_segmented").click(timeout=SLOW)
    legend = page.get_by_test_id("visual-over_segmented").locator(".legend-entry")
    expect(legend.filter(has_text="taken for")).to_have_count(int(most))
    # "Object 3 taken for Object 2 (91%) + Object 7 (34%) (2 %)", of the picture that is; each part has an entry, too.
    told = (legend.filter(has_text="taken for").first.text_content() or "").split(" taken for ")[1]
    parts = told.rsplit(" (", 1)[0].split(" + ")
    assert len(parts) >= 2
    for part in parts:
        expect(legend.filter(has_text=part).filter(has_not_text="taken for")).to_have_count(1)


def test_6_another_column_gives_the_colour(opened: Any) -> None:
    page, _ = opened("cifar10_resnet")
    page.get_by_test_id("colour-select").select_option("metadata.kind")
    wait_until(page, "window.explorer.colour === 'metadata.kind'")
    for kind in ("animal", "vehicle"):
        expect(page.get_by_test_id("legend")).to_contain_text(kind)


def test_7_a_region_of_the_map_is_taken_away_as_a_table(opened: Any) -> None:
    page, run = opened("mnist")
    box: Any = page.get_by_test_id("map").bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.keyboard.down("Shift")
    page.mouse.down()
    for x, y in ((box["width"] / 2, 3), (box["width"] / 2, box["height"] - 3), (3, box["height"] - 3), (3, 3)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.locator(".selection")).to_contain_text("selected")
    count = int((page.locator(".selection").text_content() or "").split()[0].replace(",", ""))
    assert 0 < count < len(run.read("state"))
    with page.expect_download() as download:
        page.get_by_test_id("export-csv").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines()))
    assert len(rows) == count
    first = run.read(
        "loss.cross_entropy", where=f"state = '{rows[0]['state']}' and sample_id = '{rows[0]['sample_id']}'"
    )
    assert float(rows[0]["loss.cross_entropy"]) == pytest.approx(float(first[0]))


def test_8_two_filters_are_shared_by_their_address(opened: Any, browser: Browser) -> None:
    page, run = opened("mnist")
    page.get_by_test_id("column-metadata.even_odd").click()
    page.get_by_role("checkbox", name="odd").check()
    page.get_by_test_id("column-loss.cross_entropy").click()
    page.get_by_test_id("low-loss.cross_entropy").fill("0.5")
    page.get_by_test_id("low-loss.cross_entropy").press("Enter")
    count = len(run.where("metadata.even_odd = 'odd' and loss.cross_entropy >= 0.5"))
    expect(page.get_by_test_id("status")).to_contain_text(f"{count:,} of")

    other = open_page(browser)
    go(other, page.url)
    expect(other.get_by_test_id("status")).to_contain_text(f"{count:,} of")
    other.close()


def test_9_samples_are_looked_at_one_after_another(opened: Any) -> None:
    page, run = opened("cifar10_resnet")
    page.get_by_test_id("state-validation").click()
    page.get_by_test_id("state-unlabeled").click()
    for other in run.states:
        if other not in ("test", "validation", "unlabeled"):
            page.get_by_test_id(f"state-{other}").click()
    losses = run.read("loss.cross_entropy", where="state = 'test'")
    ids = np.array(run.read("sample_id", where="state = 'test'"))
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(ids):,} shown")
    worst = ids[np.argsort(-losses, kind="stable")]
    page.get_by_test_id("map").focus()
    for key, place in (("]", 0), ("]", 1), ("]", 2), ("[", 1)):
        page.keyboard.press(key)
        expect(page.get_by_test_id("details-title")).to_have_text(str(worst[place]))


def test_10_what_is_similar_and_why(opened: Any) -> None:
    page, run = opened("cifar10_resnet")
    where = f"state = 'test' and {in_class('cat')}"
    losses, ids = run.read("loss.cross_entropy", where=where), run.read("sample_id", where=where)
    cat = str(ids[int(np.argmax(losses))])
    page.get_by_test_id("open-search").click()
    page.get_by_test_id("search").fill(cat)
    page.get_by_role("option", name="Go to the sample").click()
    title = page.get_by_test_id("details-title")
    expect(title).to_have_text(cat)
    near = run.similar([f"test/{cat}"], count=12).similar
    similar = page.get_by_test_id("similar")
    page.get_by_role("button", name="6 more").click()
    expect(similar.locator(".tile")).to_have_count(12)
    for tile, each in zip(similar.locator(".tile").all(), near, strict=True):
        expect(tile).to_have_attribute("title", re.compile(f"^{re.escape(each.sample_id)}, {each.state}: "))

    nearest = near[0]
    page.get_by_role("button", name=f"Why is {nearest.sample_id} of {nearest.state} similar?").click()
    expect(page.get_by_test_id("heatmap")).to_be_visible(timeout=SLOW)
    likeness = f"likeness to {nearest.state}/{nearest.sample_id}"
    expect(page.get_by_test_id("explain-select").locator("option:checked")).to_have_text(likeness)
    similar.locator(".tile").first.click()
    expect(title).to_have_text(nearest.sample_id)


def test_11_what_is_tagged_is_there_again_after_closing(opened: Any, browser: Browser) -> None:
    page, run = opened("mnist")
    page.get_by_test_id("colour-select").select_option("metadata.even_odd")
    page.get_by_test_id("headline").get_by_title("Show what is wrong of validation").click()
    where = "state = 'validation' and metric.accuracy = 0"
    wrong = run.read("sample_id", where=where)[np.argsort(-run.read("metric.confidence", where=where), kind="stable")]
    page.get_by_test_id("sort-select").select_option("metric.confidence")
    gallery, name = page.get_by_test_id("gallery"), "look at again"
    expect(gallery).to_contain_text(f"{len(wrong):,} shown")
    assert name not in run.tags
    gallery.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("Name of a new tag").fill(name)
    page.keyboard.press("Enter")
    listed = page.get_by_test_id("tags").get_by_role("button", name=name).first
    try:
        listed.click()
        expect(gallery).to_contain_text(f"{len(wrong):,} selected")
        assert set(run.tags[name]) == {("validation", each) for each in wrong}
        place = run.ids.index(str(wrong[0]))
        first = page.locator(".gallery .tile").first
        expect(first).to_have_attribute("aria-label", f"Open sample {place}")
        first.click()
        expect(page.get_by_test_id("details-title")).to_have_text(str(wrong[0]))
        filters, address = page.get_by_test_id("filters").inner_text(), page.url
        page.context.close()

        # Another browser, in which nothing is kept.
        page = open_page(browser, viewport={"width": 1440, "height": 900})
        go(page, address)
        gallery, listed = page.get_by_test_id("gallery"), page.get_by_test_id("tags").get_by_role("button", name=name)
        expect(gallery).to_contain_text(f"{len(wrong):,} selected")
        expect(listed.first).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_test_id("details-title")).to_have_text(str(wrong[0]))
        expect(page.get_by_test_id("sample-tags")).to_contain_text(name)
        expect(page.locator(".gallery .tile").first).to_have_attribute("aria-label", f"Open sample {place}")
        assert page.get_by_test_id("filters").inner_text() == filters
        assert page.evaluate("window.explorer.colour") == "metadata.even_odd"
        assert page.url == address
    finally:
        page.get_by_role("button", name=f"Change the tag {name}").click()
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("button", name="Delete: its").click()
        expect(page.get_by_test_id("tags").get_by_role("button", name=name)).to_have_count(0)
        page.context.close()
    assert name not in run.tags


@pytest.mark.parametrize("of", ["cifar10_resnet", "yolov7_foresight"])
def test_12_the_50_to_label_next(opened: Any, of: str) -> None:
    page, run = opened(of)
    page.get_by_test_id("tab-plan").click()
    page.get_by_test_id("tool-label").click()
    page.get_by_test_id("budget").fill("50")
    page.get_by_test_id("label-state").select_option("unlabeled")
    page.get_by_test_id("ask").click()
    lines = page.get_by_test_id("listed").locator("tbody tr")
    expect(lines).to_have_count(50, timeout=SLOW)
    expected = run.prioritize(50).samples
    for line, each in zip(lines.all(), expected, strict=True):
        expect(line).to_contain_text(each.sample_id)
        expect(line).to_contain_text(each.reason)
    with page.expect_download() as download:
        page.get_by_test_id("save-table").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines()))
    assert [row["sample_id"] for row in rows] == [each.sample_id for each in expected]
    unlabeled = set(run.read("sample_id", where="state = 'unlabeled'"))
    assert len({row["sample_id"] for row in rows} & unlabeled) == 50
    page.get_by_role("button", name="Select them on the map").click()
    expect(page.get_by_test_id("gallery")).to_contain_text("50 selected")


def card_of(page: Page, kind: str) -> Locator:
    """The first card of a kind of chart on the board, drawn."""
    page.get_by_test_id("tab-charts").click()
    card = page.locator(f"[data-testid^='card-'][data-kind='{kind}']").first
    card.scroll_into_view_if_needed()
    expect(card).to_have_attribute("data-state", "here", timeout=SLOW)
    return card


def test_13_which_class_is_worst_and_with_what_it_is_confused(opened: Any) -> None:
    page, run = opened("cifar10_resnet")
    card = card_of(page, "confusion")
    names = run.columns["metadata.class_name"].categories
    labelled = run.read("metric.predicted_label", where="metadata.class_name is not null").astype(int)
    truth = run.read("metadata.class_name", where="metadata.class_name is not null")
    wrong = {name: float((labelled[truth == name] != names.index(name)).mean()) for name in names}
    worst = max(names, key=lambda name: wrong[name])
    told = card.get_by_test_id("card-told")
    expect(told).to_contain_text(f"The worst is {worst}: {wrong[worst]:.2%} of its {(truth == worst).sum():,}")

    taken = Counter(names[label] for label in labelled[(truth == worst)] if names[label] != worst)
    for_what, count = taken.most_common(1)[0]
    cell = card.get_by_role("button", name=re.compile(f"^{worst} taken for {for_what}: {count:,} samples"))
    cell.click()
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{count:,} selected")
    page.locator(".gallery .tile").first.click()
    expect(page.get_by_test_id("verdict")).to_contain_text(f"truth {worst}, predicted {for_what}")


def test_14_the_loss_against_the_distance_from_the_mean(opened: Any) -> None:
    page, run = opened("mnist")
    page.get_by_test_id("tab-charts").click()
    page.get_by_test_id("chart-add").click()
    for field, value in {
        "kind": "group-means", "x": "metadata.distance_to_own_class",
        "y": "loss.cross_entropy", "split": "metadata.label",
    }.items():  # fmt: skip
        page.get_by_test_id(f"chart-{field}").select_option(value)
    try:
        page.get_by_test_id("chart-keep").click()
        card = page.locator("[data-testid^='card-'][data-kind='group-means']").last
        card.scroll_into_view_if_needed()
        expect(card).to_have_attribute("data-state", "here")
        labels = run.read("metadata.label")
        away, losses = run.read("metadata.distance_to_own_class"), run.read("loss.cross_entropy")
        known = np.isfinite(away) & np.isfinite(losses)
        of = [known & (labels == label) for label in range(10)]
        means = np.array([(away[rows].mean(), losses[rows].mean()) for rows in of])
        r = np.corrcoef(means.T)[0, 1]
        expect(card.get_by_test_id("card-told")).to_contain_text(f"r = {r:.2f}")
        marks = card.get_by_test_id("mark")
        expect(marks).to_have_count(10)
        for label, mark in enumerate(marks.all()):
            name, value = re.findall(r"^(\d): mean .*? ([\d.e\u2212]+) \(", mark.get_attribute("aria-label") or "")[0]
            assert int(name) == label
            assert number_of(value) == pytest.approx(means[label, 1], rel=5e-4)
    finally:
        page.get_by_test_id("board-menu").click()
        page.get_by_test_id("board-delete").click()
        page.get_by_test_id("board-delete-yes").click()
        expect(page.get_by_test_id("board-select")).to_have_value("")


def test_15_the_statistic_that_separates_the_generations_from_the_target(opened: Any) -> None:
    page, run = opened("yolov7_foresight")
    card = card_of(page, "box")
    origins = run.read("metadata.origin")
    strength = {}
    for name, column in run.columns.items():
        if column.kind == "continuous" and (column.group == "input" or name.startswith("metadata.image_")):
            values = run.read(name)
            within = np.array([values[origins == each].var() * (origins == each).mean() for each in set(origins)]).sum()
            strength[name] = 1 - within / values.var() if values.var() > 0 else 0.0
    strongest = max(strength, key=lambda name: strength[name])
    label = run.columns[strongest].label.replace("_", " ")
    expect(card).to_have_attribute("aria-label", f"{label[0].upper()}{label[1:]} by origin")
    values = run.read(strongest)
    for origin in ("cognata_a", "foresight"):
        words = card.get_by_role("button", name=re.compile(f"^{origin}: ")).get_attribute("aria-label") or ""
        told = re.findall(r"median ([\d.,\u2212]+) .*half of them from ([\d.,\u2212]+) to ([\d.,\u2212]+)", words)[0]
        quartiles = np.quantile(values[origins == origin], [0.5, 0.25, 0.75])
        assert [number_of(each) for each in told] == pytest.approx(quartiles, rel=0.005)


@pytest.mark.parametrize("of", ["mnist", "cifar10_resnet", "yolov7_foresight", "armbench_segmentation"])
def test_16_did_the_training_converge(opened: Any, task_runs: TaskRuns, of: str) -> None:
    page, _ = opened(of)
    card = card_of(page, "curves")
    (file,) = [*(task_runs.path(of)).rglob("*history.csv")][:1] or [ROOT / "models" / f"{NAMES[of]}.history.csv"]
    with file.open(encoding="utf-8") as lines:
        losses = [row for row in csv.DictReader(lines) if row["metric"] == "loss"]
    states = list(dict.fromkeys(row["state"] for row in losses))
    expect(card.get_by_test_id("curve")).to_have_count(len(states))
    held_out = next(state for state in states if state != "training")
    best = min((float(row["value"]), int(float(row["step"]))) for row in losses if row["state"] == held_out)
    told = card.get_by_test_id("card-told").text_content() or ""
    assert re.match(rf"The loss of {held_out} (has levelled off|still)", told), told
    assert f"it is best, {best[0]:.4g}, at step {best[1]:,}" in told


def test_17_the_confidence_of_the_best_f1(opened: Any, task_runs: TaskRuns) -> None:
    page, _ = opened("yolov7_foresight")
    card = card_of(page, "precision-recall")
    parts = str(task_runs.path("yolov7_foresight") / "confusion" / "*" / "*.parquet")
    with duckdb.connect() as connection:
        elements = connection.execute(
            "SELECT label, expected, probability FROM read_parquet(?) WHERE label <> 'background'", [parts]
        ).fetchnumpy()
    sure, right = np.asarray(elements["probability"], float), np.asarray(elements["expected"], bool)
    order = np.argsort(-sure, kind="stable")
    found, claimed = np.cumsum(right[order]), np.arange(1, len(order) + 1)
    f1 = np.where(sure[order] > 0, 2 * found / (claimed + right.sum()), 0)
    ends = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))
    best = ends[f1[ends].argmax()]
    button = card.get_by_test_id("threshold-best")
    words = re.findall(r"Best F1 ([\d.]+) at ([\d.]+)", button.text_content() or "")[0]
    assert [float(each) for each in words] == pytest.approx([f1[best], sure[order][best]], rel=0.005)
    card.get_by_test_id("threshold-slider").fill("0.9")
    few = int((right & (sure >= 0.9)).sum())
    expect(card.get_by_test_id("threshold-told")).to_contain_text(f"{few:,} right")
    button.click()
    expect(card.get_by_test_id("threshold-told")).to_contain_text(f"{found[best]:,} right")
