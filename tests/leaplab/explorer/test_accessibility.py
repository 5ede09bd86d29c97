"""axe-core finds nothing on the page, however it is shown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from leaplab.explorer import application
from tests.browser import open_page, served_run, wait_until

pytestmark = pytest.mark.browser
AXE = Path(application.__file__).with_name("web") / "node_modules" / "axe-core" / "axe.min.js"
SLOW = 60_000


@pytest.fixture(scope="module")
def address(mnist_runs: Path) -> Iterator[str]:
    with served_run(mnist_runs, "digits") as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("width", "height", "scale"),
    [(1280, 800, 1), (1024, 700, 1), (640, 400, 2)],
    ids=["wide", "small", "at 200 %"],
)
@pytest.mark.parametrize("colour", ["metadata.label", "loss.cross_entropy"])
def test_nothing_is_out_of_reach(
    browser: Browser, address: str, scheme: Literal["light", "dark"], width: int, height: int, scale: int, colour: str
) -> None:
    page = open_page(
        browser, viewport={"width": width, "height": height}, device_scale_factor=scale, color_scheme=scheme
    )
    page.goto(f"{address}#colour={colour}")
    wait_until(page, "window.explorer && window.explorer.samples === 300")
    page.evaluate("window.explorer.ready")
    page.evaluate("window.explorer.select(7)")
    expect(page.get_by_test_id("visual-class_probabilities")).to_be_visible(timeout=SLOW)
    found = violations(page)
    page.close()
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (640, 400)], ids=["wide", "small"])
def test_nothing_of_the_plan_is_out_of_reach(
    browser: Browser, address: str, scheme: Literal["light", "dark"], width: int, height: int
) -> None:
    page = open_page(browser, viewport={"width": width, "height": height}, color_scheme=scheme)
    for tool in ("gap", "gaps", "label", "prune", "predicted-loss"):
        plan = {"tool": tool, "form": {"state": "validation", "budget": 5}}
        page.goto("about:blank")
        page.goto(f"{address}#tab=plan&plan={json.dumps(plan)}")
        expect(page.get_by_test_id("answer").or_(page.get_by_test_id("plan-failed"))).to_be_visible(timeout=3 * SLOW)
        assert violations(page) == [], tool
    page.get_by_test_id("tool-gap").click()
    page.get_by_test_id("rank-add").click()
    page.get_by_test_id("rank-column").select_option("loss.cross_entropy")
    page.get_by_test_id("target-by").select_option("where")
    assert violations(page) == []
    page.close()


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate("window.axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
