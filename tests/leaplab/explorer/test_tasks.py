"""Twelve things that a person comes to do, with the clicks of docs/explorer.md, on runs of the four examples.

Nothing is tied to rows of a certain run: what is expected is asked of the same run in Python.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import leaplab
from leaplab.population.opened import Run
from tests.browser import chromium_browser, open_page, wait_until
from tests.leaplab.explorer.task_runs import TaskRuns, prepared

pytestmark = [pytest.mark.browser, pytest.mark.real_data("mnist/mnist.npz", "cifar10/cifar-10-batches-py")]
SLOW = 120_000  # ms: what is asked of a run for the first time


@pytest.fixture(scope="module")
def task_runs(tmp_path_factory: pytest.TempPathFactory) -> TaskRuns:
    return prepared(tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


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


def counts_in_column(page: Page, column: str) -> dict[str, int]:
    """Category -> its count, as an unfolded column shows them."""
    entries = page.locator(f"li:has([data-testid='column-{column}']) .column-value")
    expect(entries.first).to_be_visible()
    return {
        each.locator(".entry-name").text_content() or "": int(
            (each.locator(".entry-count").text_content() or "").replace(",", "")
        )
        for each in entries.all()
    }


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
    page.get_by_test_id("headline").get_by_title("The worst of").click()
    filters = page.get_by_test_id("filters")
    expect(filters).to_contain_text("class name: ")
    worst = (filters.get_by_role("button", name="Remove: class name").text_content() or "").split(": ")[1].split(" ")[0]
    page.get_by_test_id("column-metric.accuracy").click()
    page.get_by_test_id("high-metric.accuracy").fill("0")
    page.get_by_test_id("high-metric.accuracy").press("Enter")
    expect(filters).to_contain_text("accuracy: at most 0")

    judged = (filters.get_by_role("button", name="Remove: state").text_content() or "").split(": ")[1].split(" ")[0]
    where = f"state = '{judged}' and metadata.class_name = '{worst}' and metric.accuracy = 0"
    expect(page.get_by_test_id("status")).to_contain_text(f"{len(run.where(where)):,} of")
    page.get_by_test_id("column-metric.predicted_label").click()
    wrong = Counter(int(each) for each in run.read("metric.predicted_label", where=where))
    bars = page.locator("li:has([data-testid='column-metric.predicted_label']) .histogram .bin")
    expect(bars.first).to_be_attached()
    heights = [float(bar.get_attribute("height") or 0) for bar in bars.all()]
    every = sorted({int(each) for each in run.read("metric.predicted_label")})
    place = (wrong.most_common(1)[0][0] - every[0]) / (every[-1] - every[0])
    assert abs(int(np.argmax(heights)) / (len(heights) - 1) - place) < 0.06


def test_3_a_label_to_look_at_again(opened: Any) -> None:
    page, run = opened("mnist")
    card = page.get_by_test_id("insights").get_by_role("button").filter(has_text="mislabeled samples").first
    card.click(timeout=SLOW)
    found = run.insights("mislabeled_samples", members=None).insights[0]
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{found.member_count:,} selected")
    page.locator(".gallery .tile").first.click()
    title = page.get_by_test_id("details-title")
    expect(title).not_to_have_text("")
    assert title.text_content() in {member.sample_id for member in found.members}


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
        page.get_by_test_id("export").click()
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
    where = "state = 'test' and metadata.class_name = 'cat'"
    losses, ids = run.read("loss.cross_entropy", where=where), run.read("sample_id", where=where)
    cat = str(ids[int(np.argmax(losses))])
    page.get_by_test_id("open-search").click()
    page.get_by_test_id("search").fill(cat)
    page.get_by_role("option", name="Go to the sample").click()
    expect(page.get_by_test_id("details-title")).to_have_text(cat)
    near = run.similar([f"test/{cat}"], count=12).similar
    tiles = page.get_by_test_id("similar").locator(".tile")
    expect(tiles).to_have_count(12)
    tiles.first.click()
    expect(page.get_by_test_id("details-title")).to_have_text(near[0].sample_id)
