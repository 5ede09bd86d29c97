"""Draw the animation of the README: the page as somebody uses it, from map to pictures to charts (`make figures`)."""

import io
import os
import re
import sys
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import chromium_browser, open_page, served_run, wait_until  # noqa: E402 - the path comes first

ANIMATION = ROOT / "docs" / "images" / "explorer.gif"
EXAMPLE, RUN = "cifar10_resnet", "cifar10_resnet_18"
VIEW = "colour=metadata.class_name&size=loss.cross_entropy&hide=training&hide=validation&hide=unlabeled"
WIDTH, HEIGHT, SCALE = 1280, 800, 0.8
TIMEOUT = 300_000  # ms
LOOK, STEP = 2_200, 90
"""How long a picture stands, and how long one of a movement, in ms."""
AROUND = ((0.33, 0.58), (0.4, 0.6), (0.45, 0.68), (0.43, 0.8), (0.39, 0.93), (0.33, 0.95), (0.3, 0.82), (0.29, 0.68))
"""Corners of what is drawn on the map, in shares of its width and height: the rays of cats and dogs."""
CELL = "^cat.*dog"
"""Of the confusion matrix, that is opened at last."""
ARROW = ((0, 0), (0, 17), (4, 13.5), (6.5, 19.5), (9, 18.5), (6.5, 12.5), (12, 12))


class Film:
    """Pictures of a page, each with how long it stands and with where the pointer is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pointer = (WIDTH * 0.5, HEIGHT * 0.62)
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []

    def shoot(self, duration: int = STEP) -> None:
        """Take a picture."""
        taken = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self._draw_pointer(taken)
        size = (round(taken.width * SCALE), round(taken.height * SCALE))
        self.frames.append(taken.resize(size, Image.Resampling.LANCZOS))
        self.durations.append(duration)

    def move(self, x: float, y: float, steps: int = 4) -> None:
        """Move the pointer, a picture a step."""
        start_x, start_y = self.pointer
        for step in range(1, steps + 1):
            share = step / steps
            self.pointer = (start_x + (x - start_x) * share, start_y + (y - start_y) * share)
            self.page.mouse.move(*self.pointer)
            self.shoot()

    def click(self, target: Locator) -> None:
        """Move to something and click it."""
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None
        self.move(box["x"] + min(box["width"] / 2, 60), box["y"] + box["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.up()

    def write(self, path: Path) -> None:
        """Write the film, in which the last picture leads to the first.

        All pictures have one palette, of those that stand: what stays as it is between two takes no room.
        """
        stand = [frame for frame, duration in zip(self.frames, self.durations, strict=True) if duration == LOOK]
        width, height = stand[0].size
        together = Image.new("RGB", (width, height * len(stand)))
        for place, frame in enumerate(stand):
            together.paste(frame, (0, height * place))
        palette = together.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames)
        first.save(path, save_all=True, append_images=others, duration=self.durations, loop=0, optimize=False)

    def _draw_pointer(self, picture: Image.Image) -> None:
        x, y = self.pointer
        places = [(x + right * 1.5, y + down * 1.5) for right, down in ARROW]
        ImageDraw.Draw(picture).polygon(places, fill=(20, 20, 20), outline=(255, 255, 255), width=2)


def record(page: Page, address: str) -> Film:
    """Use the page: draw around cats and dogs, open the worst, explain it, and ask a chart."""
    page.goto(f"{address}#{VIEW}")
    wait_until(page, "window.explorer && window.explorer.samples > 0", TIMEOUT / 1000)
    page.evaluate("window.explorer.ready")
    page.get_by_test_id("insights").wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(2_000)
    film = Film(page)
    film.shoot(LOOK)

    film.click(page.get_by_role("button", name="Draw around samples"))
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in AROUND]
    film.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        film.move(*corner, steps=2)
    page.mouse.up()
    gallery = page.get_by_test_id("gallery")
    expect(gallery).to_contain_text("selected")
    page.wait_for_timeout(1_500)
    film.shoot(LOOK)

    film.click(gallery.locator(".tile").first)
    page.get_by_test_id("layer-class_probabilities").or_(
        page.get_by_test_id("visual-class_probabilities")
    ).first.wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(1_000)
    film.shoot(LOOK)
    film.click(page.get_by_role("button", name="Heat-map", exact=True))
    page.get_by_test_id("heatmap").wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(500)
    film.shoot(LOOK)
    page.keyboard.press("Escape")

    film.click(page.get_by_test_id("tab-charts"))
    matrix = page.get_by_test_id("card-1")
    expect(matrix.get_by_test_id("mark").first).to_be_visible(timeout=TIMEOUT)
    page.wait_for_timeout(1_500)
    film.shoot(LOOK)
    film.click(matrix.get_by_role("button", name=re.compile(CELL)))
    page.wait_for_timeout(1_500)
    film.shoot(LOOK)
    return film


def main() -> None:
    """Draw the animation."""
    os.environ["LEAP_EXAMPLE"] = EXAMPLE  # the run's integration is bound again for its visualizers
    with served_run(ROOT / "runs", RUN) as address, chromium_browser() as browser:
        film = record(open_page(browser, viewport={"width": WIDTH, "height": HEIGHT}), address)
    film.write(ANIMATION)
    print(ANIMATION.relative_to(ROOT))


if __name__ == "__main__":
    main()
