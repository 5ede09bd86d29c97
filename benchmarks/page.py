"""The explorer's page in a headless Chromium that draws in software: how long a person waits, on 70,000 digits."""

import statistics
import time

from playwright.sync_api import Browser, Page

from benchmarks.measuring import Figure
from benchmarks.runs import CIFAR10, MNIST, RUNS, evaluated
from tests.browser import chromium_browser, open_page, served_run, wait_until

TIMES = 9
FRAMES = 40
TRANSFERRED = "performance.getEntriesByType('resource').reduce((sum, one) => sum + one.transferSize, 0)"
RECOLOUR = """
async (column) => {
  const select = document.getElementById("colour-select");
  const started = performance.now();
  select.value = column;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  while (window.explorer.colour !== column) await new Promise((done) => requestAnimationFrame(done));
  await window.explorer.ready;
  return performance.now() - started;
}
"""
FACTS = """
async (row) => {
  // A person clicks on a page at rest, not into the map's new picture after the panel before was closed.
  await new Promise((done) => setTimeout(done, 500));
  const started = performance.now();
  window.explorer.select(row);
  const shown = (test) => document.querySelector(test);
  const next = () => new Promise((done) => requestAnimationFrame(done));
  while (!shown("[data-testid=details-state]")) await next();
  const facts = performance.now() - started;
  while (!shown("[data-testid^=visual-] img")) await next();
  const picture = performance.now() - started;
  window.explorer.select(null);
  while (shown("[data-testid=details]")) await next();
  return [facts, picture];
}
"""
HOVER = """
async ([x, y]) => {
  const canvas = document.querySelector("[data-testid=map] canvas");
  const started = performance.now();
  canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
  while (!document.querySelector("[data-testid=tooltip]")) await new Promise((done) => requestAnimationFrame(done));
  const taken = performance.now() - started;
  canvas.dispatchEvent(new PointerEvent("pointerleave"));
  while (document.querySelector("[data-testid=tooltip]")) await new Promise((done) => requestAnimationFrame(done));
  return taken;
}
"""
FILTER = """
async (column) => {
  // A category is ticked: all views follow, which is the counts, the other columns, the gallery and the map.
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const told = () => document.querySelector("[data-testid=status]").textContent;
  const drawn = () => [...document.querySelectorAll(".sparkline")].map((one) => one.innerHTML).join("");
  const settled = async () => {
    for (let [before, still] = [drawn(), 0]; still < 20; still++) {
      await next();
      if (drawn() !== before) [before, still] = [drawn(), 0];
    }
  };
  const tick = document.querySelector(`li:has([data-testid='column-${column}']) .column-value input`);
  await settled();
  const [before, shapes] = [told(), drawn()];
  const started = performance.now();
  tick.click();
  while (told() === before || drawn() === shapes) await next();
  await next();
  const gl = document.querySelector("[data-testid=map] canvas").getContext("webgl2");
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  const taken = performance.now() - started;
  document.querySelector("[data-testid=filters] [aria-label^=Remove]").click();
  while (told() !== before) await next();
  return taken;
}
"""
GALLERY = """
async (top) => {
  const view = document.querySelector(".gallery-view");
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const started = performance.now();
  view.scrollTop = top;
  await next();
  await next();
  const images = () => [...view.querySelectorAll("img")];
  while (!images().every((one) => one.complete && one.naturalWidth > 0)) await next();
  return [performance.now() - started, images().length];
}
"""
NEAR = """
async (row) => {
  const next = () => new Promise((done) => requestAnimationFrame(done));
  window.explorer.select(row);
  while (!document.querySelector("[data-testid=details-state]")) await next();
  const started = performance.now();
  while (!document.querySelector("[data-testid=similar] .tile")) await next();
  const taken = performance.now() - started;
  window.explorer.select(null);
  await new Promise((done) => setTimeout(done, 300));
  return taken;
}
"""
CARD = """
async () => {
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const card = () => document.querySelector("[data-testid=insights] li button");
  while (!card()) await next();
  const started = performance.now();
  card().click();
  while (!document.querySelector(".selection")) await next();
  await next();
  const taken = performance.now() - started;
  card().click();
  while (document.querySelector(".selection")) await next();
  return taken;
}
"""
HEAT = """
async (row) => {
  const next = () => new Promise((done) => requestAnimationFrame(done));
  window.explorer.select(null);
  while (document.querySelector("[data-testid=details]")) await next();
  window.explorer.select(row);
  while (!document.querySelector("[data-testid=explain]")) await next();
  while (!document.querySelector("[data-testid^=visual-] img")) await next();
  const started = performance.now();
  document.querySelector("[data-testid=explain]").click();
  while (!document.querySelector("[data-testid=heatmap]")) await next();
  return performance.now() - started;
}
"""
CHARTS = """
async () => {
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const cards = () => [...document.querySelectorAll(".card")];
  const isDrawn = (card) => card.dataset.state === "here" && card.querySelector(".mark, svg.chart path");
  const started = performance.now();
  document.querySelector("[data-testid=tab-charts]").click();
  while (!cards().length || !cards().every(isDrawn)) await next();
  await next();
  return performance.now() - started;
}
"""
MARK = """
async (at) => {
  // Another bar is chosen: the other charts follow.
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const busy = () => document.querySelectorAll(".card[aria-busy=true]").length;
  const told = () => [...document.querySelectorAll(".card-told")].map((one) => one.textContent).join();
  const before = told();
  const started = performance.now();
  document.querySelectorAll("[data-kind=bar] .mark")[at].dispatchEvent(new MouseEvent("click", { bubbles: true }));
  while (told() === before || busy()) await next();
  await next();
  return performance.now() - started;
}
"""
PAN = """
async (frames) => {
  const started = performance.now();
  for (let frame = 0; frame < frames; frame++) {
    window.map.move(frame % 2 ? -0.01 : 0.01, 0);
    await new Promise((done) => requestAnimationFrame(done));
  }
  return (1000 * frames) / (performance.now() - started);
}
"""


def run() -> list[Figure]:
    """Medians of what a person does on the page, its map having been computed before."""
    evaluated(MNIST)
    with served_run(RUNS, MNIST) as address, chromium_browser() as browser:
        page = open_page(browser, viewport={"width": 1280, "height": 800})
        page.goto(address)
        _await(page)
        sizes = page.evaluate(TRANSFERRED)
        painted = statistics.median(_painted(page, address) for _ in range(5))
        columns = ["loss.cross_entropy", "metadata.label"] * TIMES
        recoloured = [page.evaluate(RECOLOUR, column) for column in columns][4:]
        places = [page.evaluate(f"window.explorer.screenPosition({row})") for row in range(0, 60_000, 6_000)]
        hovers = [page.evaluate(HOVER, place) for place in places]
        opened = [page.evaluate(FACTS, row) for row in range(100, 100 + TIMES)]
        again = [page.evaluate(FACTS, row) for row in range(100, 100 + TIMES)]
        speed = page.evaluate(PAN, FRAMES)
        nears = [page.evaluate(NEAR, row) for row in range(200, 200 + TIMES)]
        page.get_by_test_id("column-metadata.label").click()
        page.locator(".column-value input").first.wait_for()
        filters = [page.evaluate(FILTER, "metadata.label") for _ in range(TIMES)]
        tops = [2000 * step for step in range(1, TIMES)]
        _ = [page.evaluate(GALLERY, top) for top in tops]
        scrolled = [page.evaluate(GALLERY, top) for top in tops]
        cards = [page.evaluate(CARD) for _ in range(TIMES)]
        page.close()
        charts, marks = charted(browser, address)
    heats = _heat_maps()
    facts, pictures = zip(*opened, strict=True)
    return [
        Figure("page of 70,000 points painted, map cached", painted, "s", 0.7),
        Figure("transferred up to there", sizes / 1000, "kB", 700),
        Figure("another colour", statistics.median(recoloured), "ms", 100),
        Figure("pointing at a point to its values", statistics.median(hovers), "ms", 30),
        Figure("click to facts", statistics.median(facts), "ms", 60),
        Figure("click to picture", statistics.median(pictures), "ms", 400),
        Figure("the same, drawn before", statistics.median(picture for _, picture in again), "ms", 80),
        Figure("moving the map", speed, "frames/s"),
        Figure("a filter to all views", statistics.median(filters), "ms", 150),
        Figure("from facts to similar samples", statistics.median(nears), "ms", 150),
        Figure(
            f"scrolling to {statistics.median(count for _, count in scrolled):g} other thumbnails, drawn before",
            statistics.median(taken for taken, _ in scrolled),
            "ms",
            300,
        ),
        Figure("an insight's card to its samples", statistics.median(cards), "ms", 200),
        Figure("the tab Charts to six charts", charts, "ms", 300),
        Figure("a mark to all other charts", marks, "ms", 300),
        Figure("a photograph's heat-map of the loss", statistics.median(heats), "ms", 1000),
    ]


def charted(browser: Browser, address: str) -> tuple[float, float]:
    """Medians of milliseconds: from the tab to a board's charts, all in sight, and from a mark to the others."""
    opened, chosen = [], []
    for at in range(TIMES):
        page = open_page(browser, viewport={"width": 1920, "height": 1300})
        page.goto(address)
        _await(page)
        page.wait_for_timeout(3000)  # as long as a person looks at the map
        opened.append(page.evaluate(CHARTS))
        chosen += [page.evaluate(MARK, (at + more) % 10) for more in range(2)]
        page.close()
    return statistics.median(opened), statistics.median(chosen)


def _heat_maps() -> list[float]:
    """Milliseconds of heat-maps on demand, the integration being bound."""
    evaluated(CIFAR10)
    environment = {"LEAP_EXAMPLE": "cifar10_resnet"}
    with served_run(RUNS, CIFAR10, environment) as address, chromium_browser() as browser:
        page = open_page(browser, viewport={"width": 1280, "height": 800})
        page.goto(address)
        _await(page)
        taken: list[float] = [page.evaluate(HEAT, row) for row in range(50_000, 50_000 + TIMES)]
    return taken[1:]


def _painted(page: Page, address: str) -> float:
    page.goto("about:blank")
    started = time.perf_counter()
    page.goto(address)
    _await(page)
    return time.perf_counter() - started


def _await(page: Page) -> None:
    wait_until(page, "window.explorer && window.explorer.samples > 0", 120)
    page.evaluate("window.explorer.ready")
