"""A report that is opened from a disk, in a real browser."""

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import leaplab
from leaplab.cli import main
from tests.browser import wait_until
from tests.leaplab.explorer.sites import write_sites
from tests.leaplab.explorer.test_accessibility import violations

pytestmark = pytest.mark.browser
PIXELS = """() => {
  const canvas = document.querySelector('[data-testid="map"]');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const counts = {};
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] === 0) continue;
    const colour = '#' + [0, 1, 2].map((k) => data[at + k].toString(16).padStart(2, '0')).join('');
    counts[colour] = (counts[colour] ?? 0) + 1;
  }
  return counts;
}"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report, and the run that it is of beside it."""
    folder = Path(tmp_path_factory.mktemp("runs"))
    write_sites(folder / "sites")
    with pytest.MonkeyPatch.context() as patched:
        arguments = ["leaplab", "report", "sites", "--runs", str(folder), "-o", str(folder / "report.html")]
        patched.setattr("sys.argv", arguments)
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    return folder / "report.html"


def opened(browser: Browser, path: Path, scheme: Literal["light", "dark"] = "light", **options: Any) -> Page:
    """The page, which must ask for nothing and complain of nothing."""
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900}, **options)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: heard.append(asked.url))
    page.goto(path.as_uri())
    wait_until(page, f"document.querySelector('[data-painted={scheme}]')")
    assert [each for each in heard if not each.startswith(("data:", path.as_uri()))] == []
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_it_asks_nobody_and_is_within_reach(
    browser: Browser, written: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    page = opened(browser, written, scheme)
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.get_by_role("heading", name="Insights")).to_be_visible()
    assert violations(page) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    page.close()


def test_the_map_has_the_colours_that_the_legend_tells(browser: Browser, written: Path) -> None:
    page = opened(browser, written)
    listed: dict[str, str] = page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('.report-legend li')].map((entry) => [
          entry.querySelector('.report-entry').textContent,
          getComputedStyle(entry.querySelector('.report-swatch')).backgroundColor]))"""
    )
    colours = {
        name: "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", text)) for name, text in listed.items()
    }
    painted: dict[str, int] = page.evaluate(PIXELS)
    assert set(painted) == set(colours.values())
    sites = leaplab.open_run(written.parent / "sites").read("metadata.site")
    names, counts = np.unique(sites, return_counts=True)
    # The more samples, the more pixels; few dots overlap.
    shares = {name: painted[colours[str(name)]] / sum(painted.values()) for name in names}
    assert shares == pytest.approx(dict(zip(names, counts / counts.sum(), strict=True)), abs=0.08)
    page.get_by_role("button", name="Change to dark").click()
    wait_until(page, "document.querySelector('[data-painted=dark]')")
    assert set(page.evaluate(PIXELS)).isdisjoint(painted)
    page.close()


def test_a_pointer_and_the_keys_tell_of_the_worst_sample(browser: Browser, written: Path) -> None:
    page = opened(browser, written)
    run = leaplab.open_run(written.parent / "sites")
    losses = run.read("loss.a")
    worst = int(np.nanargmax(losses))
    ring = page.get_by_role("button", name=f"Sample {run.ids[worst]} of ", exact=False).first
    ring.hover()
    expect(page.get_by_role("status")).to_contain_text(run.ids[worst])
    expect(page.get_by_role("status")).to_contain_text(f"{losses[worst]:.3g}")
    page.mouse.move(5, 5)
    expect(page.get_by_role("status")).to_have_count(0)
    ring.focus()
    expect(page.get_by_role("status")).to_contain_text(run.ids[worst])
    page.close()


def test_charts_are_those_of_the_board_and_paper_is_white(browser: Browser, written: Path) -> None:
    page = opened(browser, written, "dark")
    charts = page.locator(".report-chart")
    assert charts.count() >= 3
    assert page.locator(".report-chart svg.chart").count() >= 3
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    wait_until(page, "document.documentElement.dataset.scheme === 'light'")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.get_by_role("button", name="Change to")).to_have_count(0)
    assert len(page.pdf()) > 20_000
    page.close()
