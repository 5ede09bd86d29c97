"""The plan in a real browser: what a person asks, sees, and takes from there to the map."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import leaplab
from tests.browser import open_page, served_run, wait_until
from tests.leaplab.explorer.sites import write_sites
from tests.leaplab.runs_by_hand import write_run

pytestmark = pytest.mark.browser
SLOW = 60_000
NORTH, HARE = "metadata.site in ('north', 'south')", "metadata.site = 'o''hare'"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(tmp_path_factory.mktemp("runs"))
    write_sites(folder / "sites")
    return folder


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same run, read by leaplab's functions, so that the page's answers come from elsewhere."""
    return leaplab.open_run(write_sites(Path(tmp_path_factory.mktemp("twin")) / "sites"))


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    with served_run(runs, "sites") as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = open_page(browser, viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    go(page, address)
    yield page
    page.close()
    assert complaints == []


def go(page: Page, address: str) -> None:
    page.goto("about:blank")
    page.goto(address)
    wait_until(page, "window.explorer && window.explorer.samples === 400")
    page.evaluate("window.explorer.ready")


def test_a_gap_is_told_and_explained_and_colours_the_map(page: Page, twin: Any) -> None:
    page.get_by_test_id("tab-plan").click()
    page.get_by_test_id("source-column").select_option("metadata.site")
    page.get_by_test_id("source-north").check()
    page.get_by_test_id("source-south").check()
    page.get_by_test_id("target-column").select_option("metadata.site")
    page.get_by_test_id("target-o'hare").check()
    expected = twin.domain_gap(NORTH, HARE, "state = 'unlabeled'")
    expect(page.get_by_test_id("source")).to_contain_text(f"{expected.source.count} samples")
    page.get_by_test_id("rank-add").click()
    page.get_by_test_id("rank-by").select_option("where")
    page.get_by_test_id("rank-where").fill("state = 'unlabeled'")
    page.get_by_test_id("ask").click()

    expect(page.get_by_test_id("gap-headline")).to_have_text(expected.headline(), timeout=SLOW)
    answer = page.get_by_test_id("answer")
    expect(answer).to_contain_text(expected.power)
    explained = page.get_by_test_id("explained").locator("tbody tr")
    expect(explained.first).to_contain_text("brightness")
    assert explained.count() == len(expected.measured.columns)
    expect(answer.get_by_role("button", name="Open sample").first).to_have_attribute(
        "aria-label", f"Open sample {expected.ranked[0].row}, number 1"
    )

    page.get_by_test_id("colour-by-nearness").click()
    wait_until(page, "window.explorer.colour === 'analysis.nearness'")
    expect(page.get_by_test_id("legend")).to_contain_text("nearness to")
    expect(page.get_by_test_id("legend")).to_contain_text(f"{400 - len(expected.ranked)}")
    page.go_back()
    expect(page.get_by_test_id("gap-headline")).to_have_text(expected.headline())
    explained.first.get_by_role("button").click()
    wait_until(page, "window.explorer.colour === 'input.brightness'")


def test_a_column_that_is_made_anew_is_painted_anew(page: Page, twin: Any) -> None:
    for rank in ("state = 'training'", "state = 'validation'"):
        page.get_by_test_id("tab-plan").click()
        page.get_by_test_id("tool-gap").click()
        for side, condition in (("source", NORTH), ("target", HARE)):
            page.get_by_test_id(f"{side}-by").select_option("where")
            page.get_by_test_id(f"{side}-where").fill(condition)
        if page.get_by_test_id("rank-add").count():
            page.get_by_test_id("rank-add").click()
        page.get_by_test_id("rank-by").select_option("where")
        page.get_by_test_id("rank-where").fill(rank)
        page.get_by_test_id("ask").click()
        ranked = len(twin.where(rank))
        expect(page.get_by_role("heading", name=f"{ranked} samples by their nearness")).to_be_visible(timeout=SLOW)
        page.get_by_test_id("colour-by-nearness").click()
        expect(page.get_by_test_id("legend")).to_contain_text(f"absent{400 - ranked}", timeout=SLOW)


def test_a_list_is_made_saved_and_selected_in_its_order(page: Page, twin: Any) -> None:
    page.get_by_test_id("tab-plan").click()
    page.get_by_test_id("tool-label").click()
    page.get_by_test_id("budget").fill("12")
    page.get_by_test_id("label-balance").select_option("metadata.night")
    page.get_by_test_id("ask").click()
    expected = twin.prioritize(12, balance="metadata.night")
    lines = page.get_by_test_id("listed").locator("tbody tr")
    expect(lines).to_have_count(12, timeout=SLOW)
    for at in (0, 11):
        expect(lines.nth(at)).to_contain_text(expected.samples[at].sample_id)
        expect(lines.nth(at)).to_contain_text(expected.samples[at].reason)

    with page.expect_download() as download:
        page.get_by_test_id("save-table").click()
    taken = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines()))
    assert [each["sample_id"] for each in taken] == [each.sample_id for each in expected.samples]
    assert list(taken[0]) == list(expected.table())

    page.get_by_role("button", name="Select them on the map").click()
    gallery = page.get_by_test_id("gallery")
    expect(gallery).to_contain_text("12 selected")
    assert tiles(page) == expected.rows.tolist()
    page.get_by_test_id("select-similar").click()
    near = twin.similar([each.sample_id for each in expected.samples]).similar
    expect(gallery).to_contain_text(f"{len(near)} selected")
    expect(gallery).to_contain_text("distance to 12 samples")
    assert tiles(page) == [each.row for each in near]
    page.get_by_test_id("sort-select").select_option("loss.a")
    rows = twin.read("loss.a")
    expect(gallery.locator(".tile").first).to_have_attribute(
        "aria-label",
        f"Open sample {max((each.row for each in near), key=lambda row: (rows[row] == rows[row], rows[row]))}",
    )


def tiles(page: Page) -> list[int]:
    labels = page.get_by_test_id("gallery").locator(".tile").evaluate_all("all => all.map(one => one.ariaLabel)")
    return [int(label.removeprefix("Open sample ")) for label in labels]


def test_what_goes_can_be_selected_and_compared_with_everything_else(page: Page, twin: Any) -> None:
    page.get_by_test_id("tab-plan").click()
    page.get_by_test_id("tool-prune").click()
    page.get_by_test_id("keep").fill("75")
    page.get_by_test_id("ask").click()
    expected = twin.prune(0.75)
    expect(page.get_by_test_id("list-told")).to_have_text(expected.told(), timeout=SLOW)
    page.get_by_role("button", name="Select what goes").click()
    expect(page.get_by_test_id("gallery")).to_contain_text(f"{len(expected.dropped)} selected")

    page.get_by_test_id("tab-plan").click()
    page.get_by_test_id("tool-gap").click()
    page.get_by_test_id("source-by").select_option("rest")
    page.get_by_test_id("target-by").select_option("selection")
    page.get_by_test_id("ask").click()
    told = page.get_by_test_id("answer")
    expect(told).to_contain_text(f"Target: the selection ({len(expected.dropped)})", timeout=SLOW)
    expect(told).to_contain_text(f"everything else ({400 - len(expected.dropped)})")


def test_a_link_asks_again_and_back_returns_to_the_question_before(page: Page, address: str, twin: Any) -> None:
    links = [{"tool": "prune", "form": {"share": share}} for share in (0.5, 0.2)]
    go(page, f"{address}#tab=plan&plan={json.dumps(links[0])}")
    told = page.get_by_test_id("list-told")
    expect(told).to_have_text(twin.prune(0.5).told(), timeout=SLOW)
    page.get_by_test_id("keep").fill("20")
    page.get_by_test_id("ask").click()
    expect(told).to_have_text(twin.prune(0.2).told(), timeout=SLOW)
    page.go_back()
    expect(told).to_have_text(twin.prune(0.5).told(), timeout=SLOW)
    expect(page.get_by_test_id("keep")).to_have_value("50")


def test_who_cannot_be_answered_is_told_why(page: Page) -> None:
    page.get_by_test_id("tab-plan").click()
    page.get_by_test_id("target-by").select_option("where")
    page.get_by_test_id("target-where").fill("metadata.sit = 'north'")
    expect(page.get_by_test_id("target")).to_contain_text("metadata.site", timeout=SLOW)
    page.get_by_test_id("target-by").select_option("selection")
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("plan-failed")).to_contain_text("Nothing is selected")


def test_waiting_can_be_left(page: Page) -> None:
    page.get_by_test_id("tab-plan").click()
    page.get_by_test_id("tool-prune").click()
    page.route("**/plan/prune*", lambda route: None)  # it takes for ever
    page.get_by_test_id("keep").fill("33")
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("plan")).to_contain_text("Still computing")
    expect(page.get_by_test_id("ask")).to_be_disabled()
    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id("ask")).to_be_enabled()
    expect(page.get_by_test_id("plan")).not_to_contain_text("Still computing")


def test_a_run_without_a_latent_space_says_what_it_lacks(browser: Browser, tmp_path: Path) -> None:
    write_run(tmp_path / "bare", ["training"] * 40, {"metadata.kind": ("string", ["a", "b"] * 20)})
    with served_run(tmp_path, "bare") as address:
        page = open_page(browser)
        page.goto(f"{address}#tab=plan")
        expect(page.get_by_test_id("plan")).to_contain_text("This run has no latent space", timeout=SLOW)
        expect(page.get_by_test_id("ask")).to_have_count(0)
        page.get_by_test_id("tool-predicted-loss").click()
        page.get_by_test_id("ask").click()
        expect(page.get_by_test_id("plan-failed")).to_contain_text("loss", timeout=SLOW)
        page.close()
