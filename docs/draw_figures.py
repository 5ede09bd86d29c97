"""Draw the figures of the READMEs from runs over the real data: `make figures`.

A figure with a command above it is what that command draws, run as it stands there; the others are pictures of the
explorer, by `docs/views.py`. Arguments are examples, or paths of figures; without any, all are drawn.
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Locator, Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.pages import Picture, pictures_of  # noqa: E402 - the path comes first
from docs.views import VIEWS, View  # noqa: E402
from tests.browser import chromium_browser, open_page, served_run, wait_until  # noqa: E402

TIMEOUT = 90_000  # ms
SETTLE = 1_500
BESIDE = 8
"""Pixels between visualizers side by side."""
ROW = 3
"""Neighbours beside each other, of those that `similar --why` draws."""


def draw_by_commands(picture: Picture, run: Path) -> None:
    """Draw a figure by the commands above it, in an empty folder, where theirs is the newest run.

    Raises:
        CalledProcessError: a command fails.
        FileNotFoundError: they draw no file of the figure's name, no heat-map and no neighbours.
    """
    with tempfile.TemporaryDirectory() as folder:
        drawn, runs = Path(folder) / "drawn", Path(folder) / "runs"
        drawn.mkdir()
        runs.mkdir()
        (runs / run.name).symlink_to(run.resolve())
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "LEAPLAB_RUNS": str(runs), "PATH": path}
        for command in picture.commands:
            subprocess.run(["sh", "-c", command], cwd=drawn, env=environment, check=True, stdout=subprocess.DEVNULL)
        picture.path.parent.mkdir(exist_ok=True)
        _drawn(drawn, picture).convert("RGB").save(picture.path, optimize=True)


def _drawn(folder: Path, picture: Picture) -> Image.Image:
    """The picture that commands left in a folder: the named file, a heat-map, or neighbours beside each other."""
    if (named := folder / picture.path.name).is_file():
        return Image.open(named)
    if overlays := sorted(folder.glob("*/*-overlay.png")):
        (overlay,) = overlays
        return Image.open(overlay)
    neighbours = [Image.open(each).reduce(2) for each in sorted(folder.glob("why/*.png"))]
    if not neighbours:
        raise FileNotFoundError(f"No command above {picture.path.name} in {picture.page} draws it.")
    return _in_rows(neighbours, ROW, 0)


def draw_view(page: Page, address: str, view: View) -> None:
    """Show a view of the explorer and take its picture."""
    page.set_viewport_size({"width": view.width, "height": view.height})
    page.goto("about:blank")
    page.goto(f"{address}#{urlencode(view.parameters)}")
    wait_until(page, "window.explorer && window.explorer.samples > 0", TIMEOUT / 1000)
    page.evaluate("window.explorer.ready")
    if "sample" in dict(view.parameters):
        _show(page, view.awaited)
    page.wait_for_timeout(SETTLE)
    path = ROOT / view.path
    path.parent.mkdir(exist_ok=True)
    if view.visualizers:
        visuals = [Image.open(io.BytesIO(_show(page, name).screenshot())) for name in view.visualizers]
        _in_rows(visuals, len(visuals), BESIDE).save(path, optimize=True)
    else:
        page.get_by_test_id(view.part).screenshot(path=path)
    print(view.path)


def _show(page: Page, visualizer: str) -> Locator:
    """Choose what a visualizer draws, where there is a choice, and wait for it."""
    shown, choice = page.get_by_test_id(f"visual-{visualizer}"), page.get_by_test_id(f"layer-{visualizer}")
    shown.or_(choice).first.wait_for(timeout=TIMEOUT)
    if choice.count():
        choice.click()
    shown.wait_for(timeout=TIMEOUT)
    return shown


def _in_rows(pictures: Sequence[Image.Image], row: int, gap: int) -> Image.Image:
    """Pictures side by side on white, so many a row, each with the room of the largest and a gap of pixels."""
    width = max(picture.width for picture in pictures) + gap
    height = max(picture.height for picture in pictures)
    together = Image.new("RGB", (width * min(row, len(pictures)), height * -(-len(pictures) // row)), "white")
    for place, picture in enumerate(pictures):
        together.paste(picture, (place % row * width, place // row * height))
    return together


@contextmanager
def _page_of(run: Path) -> Iterator[tuple[Page, str]]:
    """The explorer of a run in a browser, and its address."""
    with served_run(run.parent, run.name) as address, chromium_browser() as browser:
        yield open_page(browser), address


def main() -> None:
    """Draw what the command line names: examples, or single figures; without any, all."""
    wanted = sys.argv[1:] or list(VIEWS)
    for example, (name, views_of) in VIEWS.items():
        run = ROOT / "runs" / name
        os.environ["LEAP_EXAMPLE"] = example  # the run's integration is bound again for its visualizers
        views = [view for view in views_of() if example in wanted or view.path in wanted]
        if views:
            with _page_of(run) as (page, address):
                for view in views:
                    draw_view(page, address, view)
        for picture in pictures_of(ROOT / example / "README.md"):
            figure = str(picture.path.relative_to(ROOT))
            if picture.commands and (example in wanted or figure in wanted):
                draw_by_commands(picture, run)
                print(figure)


if __name__ == "__main__":
    main()
