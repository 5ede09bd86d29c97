"""The explorer's map of a million points, beside regl-scatterplot in the same browser, which draws in software.

regl-scatterplot is installed by npm into build/regl, and served from an address of its own with a policy that lets it
build code from text, which the explorer's own forbids.
"""

import json
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page

from benchmarks.measuring import ROOT, Figure
from benchmarks.page import FILTER, charted
from benchmarks.runs import RUNS
from leaplab.analysis.projection import METHODS
from leaplab.explorer import application
from leaplab.population.boards import Board, BoardChart, Boards
from leaplab.population.cached import cached
from leaplab.population.population import MAP_VERSION, SEED, open_population
from tests.browser import chromium_browser, open_page, served_run, wait_until
from tests.leaplab.runs_by_hand import write_run

POINTS = 1_000_000
KINDS = 10
NAME = f"generated_{POINTS}"
BOARD = "six"
CHARTS = [
    BoardChart("bar", x="metadata.kind", y="loss.a"),
    BoardChart("histogram", x="loss.a"),
    BoardChart("line", x="metadata.size", y="loss.a", split="metadata.kind"),
    BoardChart("scatter", x="metadata.size", y="loss.a"),
    BoardChart("box", x="metadata.kind", y="loss.a"),
    BoardChart("heatmap", x="metadata.size", y="loss.a"),
]
SCRATCH = Path("build/regl")
VERSION = "1.16.0"
VIEWPORT = (1280, 800)
TIMES = 5
FRAMES = 6
LASSOED = 100_000
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " worker-src 'self' blob:"
)
POINTS_IN_THE_PAGE = """
(points) => {
  // Ten bells, the same in both pages (Park and Miller, 1988).
  let state = 7;
  const next = () => (state = (state * 16807) % 2147483647) / 2147483647;
  window.xy = new Float32Array(2 * points);
  window.kinds = new Uint8Array(points);
  for (let row = 0; row < points; row++) {
    const kind = row % 10;
    const [far, turn] = [0.1 * Math.sqrt(-2 * Math.log(next())), 2 * Math.PI * next()];
    window.xy[2 * row] = 0.6 * Math.cos(kind) + far * Math.cos(turn);
    window.xy[2 * row + 1] = 0.6 * Math.sin(kind) + far * Math.sin(turn);
    window.kinds[row] = kind;
  }
  window.finished = (canvas) => {
    // What was asked of the driver is done when a pixel can be read.
    const gl = canvas.getContext("webgl2");
    if (gl) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    else canvas.getContext("2d").getImageData(0, 0, 1, 1); // regl-scatterplot copies what it has drawn elsewhere
  };
  window.timed = async (act) => {
    const started = performance.now();
    await act();
    return performance.now() - started;
  };
}
"""
OURS = """
async ({ frames }) => {
  const points = window.kinds.length;
  const host = document.createElement("div");
  host.style.cssText = "position: fixed; left: 0; top: 0; width: 800px; height: 550px; z-index: 99";
  document.body.append(host);
  const colours = (shift) => {
    const packed = Uint32Array.from({ length: 10 }, (_, kind) => 0xff000000 | (0x1f3b57 * ((kind + shift) % 10 + 1)));
    const tinted = new Uint32Array(points);
    for (let row = 0; row < points; row++) tinted[row] = packed[window.kinds[row]];
    return new Uint8Array(tinted.buffer);
  };
  let map;
  const drawn = () => new Promise((done) => requestAnimationFrame(() => {
    window.finished(host.querySelector("canvas"));
    done();
  }));
  let frame = { xy: window.xy, colours: colours(0), factors: null, order: null };
  const first = await window.timed(async () => {
    map = new window.map.constructor(host, { hover() {}, select() {}, enclose() {} }, "light");
    map.show(frame);
    await drawn();
  });
  await new Promise((done) => setTimeout(done, 500));
  await drawn();
  const recolour = await window.timed(async () => {
    frame = { ...frame, colours: colours(1) };
    map.show(frame);
    await drawn();
  });
  const mask = Uint8Array.from(window.kinds, (kind) => (kind < 5 ? 1 : 0));
  const filter = await window.timed(async () => {
    map.filter(mask);
    await drawn();
  });
  map.filter(null);
  await drawn();
  const pan = await window.timed(async () => {
    for (let at = 0; at < frames; at++) {
      map.move(at % 2 ? -0.02 : 0.02, 0);
      await drawn();
    }
  });
  host.querySelector("canvas").getContext("webgl2").getExtension("WEBGL_lose_context").loseContext();
  host.remove();
  return [first, recolour, filter, pan / frames];
}
"""
THEIRS = """
async ({ frames }) => {
  const canvas = document.createElement("canvas");
  canvas.style.cssText = "width: 800px; height: 550px";
  document.body.replaceChildren(canvas);
  const points = window.kinds.length;
  const data = { x: new Float32Array(points), y: new Float32Array(points), z: window.kinds, w: new Uint8Array(points) };
  for (let row = 0; row < points; row++) {
    data.x[row] = window.xy[2 * row];
    data.y[row] = window.xy[2 * row + 1];
    data.w[row] = (window.kinds[row] + 1) % 10;
  }
  const colour = (kind) => "#" + ((0x1f3b57 * (kind + 1)) & 0xffffff).toString(16).padStart(6, "0");
  const colours = Array.from({ length: 10 }, (_, kind) => colour(kind));
  const next = () => new Promise((done) => requestAnimationFrame(() => done()));
  let plot;
  const first = await window.timed(async () => {
    plot = window.createScatterplot({
      canvas, width: 800, height: 550, pointSize: 1.5, opacity: 0.4, colorBy: "z", pointColor: colours,
    });
    await plot.draw(data, { zDataType: "categorical", wDataType: "categorical" });
    window.finished(canvas);
  });
  const painted = () => new Promise((done) => plot.subscribe("draw", () => done(), 1));
  await new Promise((done) => setTimeout(done, 500));
  const recolour = await window.timed(async () => {
    const done = painted();
    plot.set({ colorBy: "w" });
    await done;
    window.finished(canvas);
  });
  const kept = [];
  for (let row = 0; row < points; row++) if (window.kinds[row] < 5) kept.push(row);
  const filter = await window.timed(async () => {
    await plot.filter(kept);
    window.finished(canvas);
  });
  await plot.unfilter();
  const pan = await window.timed(async () => {
    for (let at = 0; at < frames; at++) {
      const done = painted();
      plot.set({ cameraTarget: [at % 2 ? 0 : 0.02, 0] });
      await done;
      window.finished(canvas);
    }
  });
  plot.destroy();
  return [first, recolour, filter, pan / frames];
}
"""
LASSO = """
(wanted) => {
  // A box around the middle that holds about that many; what a person draws goes the same way.
  const samples = window.explorer.samples;
  const rows = Array.from({ length: 2000 }, (_, one) => Math.floor((one * samples) / 2000) + (one % 10));
  const places = rows.map((row) => window.explorer.screenPosition(row));
  const box = document.querySelector("[data-testid=map] canvas").getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const away = places.map(([left, top]) => Math.max(Math.abs(left - x), Math.abs(top - y))).sort((a, b) => a - b);
  const half = away[Math.round((2000 * wanted) / samples)];
  const [left, top] = [box.width / 2, box.height / 2];
  const corners = [left - half, top - half, left + half, top - half, left + half, top + half, left - half, top + half];
  let found = 0;
  const events = window.map.events;
  const enclose = events.enclose;
  events.enclose = (rows) => { found = rows.length; };
  const started = performance.now();
  window.map.enclose(corners, "replace");
  const taken = performance.now() - started;
  events.enclose = enclose;
  return [found, taken];
}
"""


def run() -> list[Figure]:
    """How long a million points take: absolute where a person waits, else as a ratio to regl-scatterplot."""
    generated()
    with chromium_browser() as browser, served_run(RUNS, NAME) as address, regl() as other:
        painted = statistics.median(_painted(browser, address) for _ in range(3))
        page = _page(browser, f"{address}")
        page.evaluate(LASSO, LASSOED)  # the first one makes the grid
        lassos = [page.evaluate(LASSO, LASSOED) for _ in range(TIMES)]
        page.get_by_test_id("column-metadata.kind").click()
        page.locator(".column-value input").first.wait_for()
        filters = [page.evaluate(FILTER, "metadata.kind") for _ in range(TIMES)]
        page.close()
        charts, marks = charted(browser, f"{address}#board={BOARD}")
        ours, theirs = [], []
        for _ in range(TIMES):  # in turns, so that what else the machine does meets both
            ours.append(_drawn(browser, f"{address}#projection=pca", OURS))
            theirs.append(_drawn(browser, other, THEIRS))
    medians = [[statistics.median(times) for times in zip(*each, strict=True)] for each in (ours, theirs)]
    bounds = {"first frame": 0.6, "another colour": 0.8, "a filter": 0.8, "moving": 0.6}
    print(f"milliseconds of {', '.join(bounds)}: {_rounded(medians[0])}; regl-scatterplot's: {_rounded(medians[1])}")
    count = statistics.median(found for found, _ in lassos)
    return [
        Figure("page of 1,000,000 points painted, map cached", painted, "s", 4),
        Figure("a filter of 1,000,000 samples to all views", statistics.median(filters), "ms", 400),
        Figure("the tab Charts to six charts of 1,000,000 samples", charts, "ms", 1500),
        Figure("a mark to all other charts of 1,000,000 samples", marks, "ms", 1500),
        Figure(f"a lasso of {count:,.0f} of them", statistics.median(taken for _, taken in lassos), "ms", 150),
        *(
            Figure(f"{what} of 1,000,000 points, of regl-scatterplot's", own / other_time, "of the time", bound)
            for (what, bound), own, other_time in zip(bounds.items(), *medians, strict=True)
        ),
    ]


def generated() -> Path:
    """The run of a million samples, which lie in ten groups; written where there is none."""
    path = RUNS / NAME
    if not (path / "manifest.json").exists():
        generator = np.random.default_rng(0)
        kinds = np.arange(POINTS) % KINDS
        vectors = generator.normal(size=(POINTS, 4)).astype(np.float32)
        columns = {
            "metadata.kind": ("string", [f"kind {kind}" for kind in kinds.tolist()]),
            "metadata.size": ("float", generator.normal(size=POINTS).tolist()),
            "loss.a": ("float", generator.exponential(size=POINTS).tolist()),
        }
        write_run(path, ["validation"] * POINTS, columns, vectors)
    Boards(path).keep(Board(BOARD, CHARTS), BOARD if BOARD in [board.name for board in Boards(path).told()] else None)
    population = open_population(path)
    turns = np.arange(POINTS) % KINDS
    middles = 0.6 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    places = (middles + np.random.default_rng(1).normal(scale=0.1, size=(POINTS, 2))).clip(-1, 1).astype(np.float32)
    for method in METHODS:  # no map is drawn: this is about showing it
        parameters = {"space": next(iter(population.spaces)), "method": method, "seed": SEED}
        cached(population.store, "map", MAP_VERSION, parameters, lambda: places)
    return path


@contextmanager
def regl() -> Iterator[str]:
    """The address of a page that has regl-scatterplot."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    bundle = SCRATCH / "served" / "regl.js"
    if not bundle.exists():
        _done("npm", "install", "--prefix", str(SCRATCH), "--no-audit", "--no-fund", f"regl-scatterplot@{VERSION}")
        entry = SCRATCH / "entry.js"
        entry.write_text('import make from "regl-scatterplot"; window.createScatterplot = make; window.isReady = true;')
        esbuild = Path(application.__file__).with_name("web") / "node_modules" / ".bin" / "esbuild"
        _done(str(esbuild), str(entry), "--bundle", "--minify", f"--outfile={bundle}")
    (bundle.parent / "index.html").write_text('<!doctype html><body><script src="regl.js"></script></body>')

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(bundle.parent))

        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", POLICY)
            super().end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


def _done(*command: str) -> None:
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{finished.stdout}{finished.stderr}")


def _page(browser: Browser, address: str) -> Page:
    page = open_page(browser, viewport={"width": VIEWPORT[0], "height": VIEWPORT[1]})
    page.goto(address)
    wait_until(page, f"window.isReady || (window.explorer && window.explorer.samples === {POINTS})", 120)
    page.evaluate("window.explorer && window.explorer.ready")
    return page


def _painted(browser: Browser, address: str) -> float:
    page = open_page(browser, viewport={"width": VIEWPORT[0], "height": VIEWPORT[1]})
    started = time.perf_counter()
    page.goto(address)
    wait_until(page, f"window.explorer && window.explorer.samples === {POINTS}", 120)
    page.evaluate("window.explorer.ready")
    taken = time.perf_counter() - started
    page.close()
    return taken


def _drawn(browser: Browser, address: str, script: str) -> list[float]:
    page = _page(browser, address)
    page.evaluate(POINTS_IN_THE_PAGE, POINTS)
    page.wait_for_timeout(1000)
    times: list[float] = page.evaluate(script, {"frames": FRAMES})
    page.close()
    return times


def _rounded(times: list[float]) -> str:
    return json.dumps([round(each) for each in times])
