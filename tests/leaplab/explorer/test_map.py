"""What the map draws, pixel by pixel, and how it is reached without a mouse."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import open_page, served_run, wait_until
from tests.leaplab.runs_by_hand import write_run

pytestmark = pytest.mark.browser
SIDE = 5
"""Samples of the run without a latent space lie in a square of rows."""
BLOBS = 3
SHOW = """
([places, factors]) => {
  const samples = places.length / 2;
  const colours = new Uint8Array(4 * samples);
  for (let row = 0; row < samples; row++) colours.set([255, 0, 0, 255], 4 * row);
  window.map.setLabels([]);
  window.map.filter(null);
  window.map.show({
    xy: Float32Array.from(places), colours, factors: factors && Float32Array.from(factors), order: null,
  });
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
}
"""
"""Puts red points on the map, in the place of the run's."""
SIZE = """(() => {
  const canvas = document.querySelector('[data-testid=map] canvas');
  return [canvas.clientWidth, canvas.clientHeight, canvas.width, canvas.height];
})()"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(tmp_path_factory.mktemp("runs"))
    samples = SIDE * SIDE
    columns = {"loss.a": ("float", [float(row) for row in range(samples)])}
    write_run(folder / "square", ["validation"] * samples, columns)
    generator = np.random.default_rng(0)
    vectors = np.concatenate([generator.normal(30 * blob, 1, (60, 4)) for blob in range(BLOBS)])
    write_run(folder / "blobs", ["validation"] * len(vectors), {}, vectors)
    return folder


@pytest.fixture(scope="module")
def square(runs: Path) -> Iterator[str]:
    with served_run(runs, "square") as address:
        yield address


def opened(browser: Browser, address: str, **options: Any) -> Page:
    page = open_page(browser, viewport={"width": 1100, "height": 800}, **options)
    page.goto(address)
    wait_until(page, "window.explorer && window.explorer.samples > 0")
    page.evaluate("window.explorer.ready")
    page.wait_for_timeout(300)  # the gallery takes its room of the map
    return page


@pytest.fixture
def page(browser: Browser, square: str) -> Iterator[Page]:
    page = opened(browser, square)
    yield page
    page.close()


def ink(page: Page) -> NDArray[np.float64]:
    """[height, width] of the map's canvas, in pixels of the device: 0 for the background, 1 for a red point."""
    page.mouse.move(1, 1)
    seen = _ink_now(page)
    for _ in range(20):  # until the picture stands still: a busy machine is late with it
        page.wait_for_timeout(150)
        before, seen = seen, _ink_now(page)
        if (seen > 0.5).any() and np.array_equal(seen, before):
            break
    return seen


def _ink_now(page: Page) -> NDArray[np.float64]:
    box = page.locator("[data-testid=map] canvas").bounding_box()
    assert box is not None
    picture = Image.open(BytesIO(page.screenshot(clip={**box}))).convert("RGB")
    colours = np.asarray(picture).astype(np.float64)
    return np.clip((colours[:, :, 0] - colours[:, :, 1]) / 255, 0, 1)


def corners(*places: float) -> list[float]:
    """Places, and two points at the ends, so that the map has the bounds of [-1, 1]."""
    return [*places, -1, -1, 1, 1]


def test_a_point_whose_centre_has_left_the_view_is_still_seen(page: Page) -> None:
    page.evaluate(SHOW, [corners(0, 0), [10, 1, 1]])
    width, height, *_ = page.evaluate(SIZE)
    radius = 10 * 4  # of few points: 8 pixels wide
    for right, up, shown in ((-1, 0, "left"), (1, 0, "right"), (0, 1, "top"), (0, -1, "bottom")):
        page.evaluate("window.map.fit()")
        beyond = radius / 2
        across, down = (width / 2 + beyond) * right, (height / 2 + beyond) * up
        page.evaluate(f"window.map.move({-across / (height / 2)}, {-down / (height / 2)})")
        seen = ink(page)
        border = {"left": seen[:, 0], "right": seen[:, -1], "top": seen[0], "bottom": seen[-1]}[shown]
        chord = 2 * np.sqrt(radius**2 - beyond**2)
        assert (border > 0.5).sum() == pytest.approx(chord, abs=4), shown


@pytest.mark.parametrize("density", [1, 2])
def test_points_have_their_size_on_any_screen_up_to_the_most_that_its_driver_draws(
    browser: Browser, square: str, density: int
) -> None:
    page = opened(browser, square, device_scale_factor=density)
    width, height, *pixels = page.evaluate(SIZE)
    assert pixels == [width * density, height * density]
    page.evaluate(SHOW, [corners(0, 0), [12, 1, 1]])
    line = ink(page)[height * density // 2]
    assert (line > 0.5).sum() == pytest.approx(2 * 12 * 4 * density, abs=2)

    # Far beyond the limit: what is pointed at is what is drawn.
    page.evaluate(SHOW, [corners(0, 0), [1000, 1, 1]])
    most = page.evaluate("document.querySelector('canvas').getContext('webgl2').getParameter(0x846d)[1]")
    limit = (most - 1) / 2 / density
    seen = ink(page)
    for above in (0, min(0.7 * limit, height / 2 - 5)):
        top = height / 2 - above
        chord = np.sqrt(limit**2 - above**2)  # it is a disc still, no square
        for left in np.linspace(4, width - 4, 25).tolist():
            covered = seen[int(top * density), int(left * density)] > 0.5
            away = abs(left - width / 2)
            if abs(away - chord) > 6:
                assert covered == (away < chord)
                assert page.evaluate(f"window.map.at({left}, {top})") == (0 if covered else None)
    page.close()


def test_a_lost_context_comes_back_with_all_that_was_on_the_map(page: Page) -> None:
    places = [x for row in range(40) for x in (np.cos(row) * row / 40, np.sin(row) * row / 40)]
    page.evaluate(SHOW, [places, [1 + row % 3 for row in range(40)]])
    page.evaluate("window.map.filter(Uint8Array.from({ length: 40 }, (_, row) => row % 2))")
    page.evaluate("window.map.zoomBy(1.3)")
    before = ink(page)
    assert (before > 0.5).any()
    page.evaluate(
        "window.lost = document.querySelector('canvas').getContext('webgl2').getExtension('WEBGL_lose_context');"
        "window.lost.loseContext()"
    )
    page.wait_for_timeout(300)
    page.evaluate("window.map.move(0.01, 0)")  # nothing breaks where nothing can be drawn
    page.evaluate("window.map.move(-0.01, 0)")
    page.evaluate("window.lost.restoreContext()")
    page.wait_for_timeout(300)
    np.testing.assert_allclose(ink(page), before, atol=2 / 255)


def test_from_afar_the_map_is_a_smaller_copy_in_which_crowds_stay_crowds(page: Page) -> None:
    generator = np.random.default_rng(1)
    crowd = generator.normal(0, 0.1, (5_000, 2)) - np.array([0.6, 0])
    few = generator.normal(0, 0.1, (500, 2)) + np.array([0.6, 0])
    page.evaluate(SHOW, [np.concatenate([crowd, few, [[-1, -1], [1, 1]]]).ravel().tolist(), None])
    near = ink(page).sum()
    for zoom in (0.5, 0.25):
        page.evaluate(f"window.map.fit(); window.map.zoomBy({zoom})")
        seen = ink(page)
        middle = seen.shape[1] // 2
        left, right = seen[:, :middle].sum(), seen[:, middle:].sum()
        assert seen.sum() == pytest.approx(zoom**2 * near, rel=0.2), "as much of the map is covered"
        assert left > 2 * right > 0


def test_the_map_is_painted_for_the_room_that_a_panel_leaves(page: Page) -> None:
    page.evaluate("window.explorer.select(12)")
    expect(page.get_by_test_id("details-state")).to_be_visible()
    host = page.get_by_test_id("map").bounding_box()
    assert host is not None
    wait_until(page, f"document.querySelector('[data-testid=map] canvas').clientWidth === {round(host['width'])}")
    for row in range(SIDE * SIDE):
        x, y = page.evaluate(f"window.explorer.screenPosition({row})")
        assert host["x"] < x < host["x"] + host["width"]
        assert host["y"] < y < host["y"] + host["height"]


def test_keys_go_from_point_to_point(page: Page) -> None:
    title = page.get_by_test_id("details-title")
    page.get_by_test_id("map").focus()
    for key, row in (
        ("Enter", 12), ("Shift+ArrowRight", 13), ("Shift+ArrowUp", 8), ("Shift+ArrowLeft", 7),
        ("Shift+ArrowDown", 12),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(title).to_have_text(f"s{row}")


def test_a_key_shows_what_is_selected(page: Page) -> None:
    def place(row: int) -> NDArray[np.float64]:
        return np.array(page.evaluate(f"window.explorer.screenPosition({row})"))

    x, y = place(0)
    step = float(np.linalg.norm(place(1) - place(0)))
    page.get_by_role("button", name="Draw around samples").click()
    page.mouse.move(x - 8, y - 8)
    page.mouse.down()
    for across, down in ((step + 8, -8), (step + 8, 8), (-8, 8)):
        page.mouse.move(x + across, y + down, steps=3)
    page.mouse.up()
    expect(page.locator(".selection")).to_contain_text("2 selected")
    page.get_by_test_id("map").focus()
    page.keyboard.press("z")
    page.wait_for_timeout(200)
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    middle = (place(0) + place(1)) / 2
    np.testing.assert_allclose(middle, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2], atol=1)
    assert np.linalg.norm(place(1) - place(0)) > 3 * step


def test_clusters_are_outlined_and_named(browser: Browser, runs: Path) -> None:
    with served_run(runs, "blobs") as address:
        page = opened(browser, f"{address}#colour=analysis.cluster&projection=pca")
        wait_until(page, "document.querySelectorAll('.map-outlines path').length > 0")
        names = page.locator(".map-names span").all_text_contents()
        paths = page.evaluate("[...document.querySelectorAll('.map-outlines path')].map((path) => path.dataset.of)")
        assert len(names) >= BLOBS
        assert names == paths
        assert all(name.startswith("Cluster ") for name in names)
        box = page.get_by_test_id("map").bounding_box()
        assert box is not None
        # Each line lies on the map around points, also when that is moved.
        for move in ("window.map.fit()", "window.map.zoomBy(1.2)"):
            page.evaluate(move)
            page.wait_for_timeout(200)
            places = np.array(
                page.evaluate(f"Array.from({{length: {60 * BLOBS}}}, (_, row) => window.explorer.screenPosition(row))")
            )
            for path in page.locator(".map-outlines path").all():
                around = path.bounding_box()
                assert around is not None
                inside = (
                    (places[:, 0] > around["x"]) & (places[:, 0] < around["x"] + around["width"])
                    & (places[:, 1] > around["y"]) & (places[:, 1] < around["y"] + around["height"])
                )  # fmt: skip
                assert inside.any()
        page.get_by_test_id("colour-select").select_option("sample.state")
        wait_until(page, "document.querySelectorAll('.map-outlines path').length === 0")
        page.close()
