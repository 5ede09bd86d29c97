"""Element instances as the points of a map and as tiles: against the run's files, and pictures that are made up."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sklearn.decomposition import PCA

from leaplab.errors import MissingError
from leaplab.explorer.application import make_application
from leaplab.explorer.pictures import Pictures
from leaplab.population.population import Population, open_population
from leaplab.protocol.inspection import Mask, SampleOrder, Shown, Visual
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import RunStore
from tests.leaplab.runs_by_hand import write_run

NAN = float("nan")
ENTRIES = {
    "name": ColumnEntry("string"),
    "mask_share": ColumnEntry("float"),
    "metric.iou": ColumnEntry("float", "upward", True),
}
OFFSETS, NUMBERS = [0, 0, 0, 2, 3, 3], [0, 1, 2, 0, 0, 1]
NAMES = ["nut", "bolt", "nut", None, "washer", "bolt"]
IOU = [0.5, 0.25, NAN, 1.0, 0.75, 0.0]
VECTORS = np.array([[0, 0, 1], [4, 1, 0], [8, 0, 0], [NAN, 0, 0], [2, 3, 0], [6, 2, 5]], np.float32)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Four samples, of which the second has no objects and the third one without a vector."""
    objects: dict[str, list[Any]] = {
        "offset": OFFSETS,
        "number": NUMBERS,
        "name": NAMES,
        "mask_share": [0.1] * 6,
        "metric.iou": IOU,
    }
    return write_run(
        tmp_path / "run",
        ["training"] * 4,
        {"loss.a": ("float", [1.0, 2.0, 3.0, 4.0])},
        np.eye(4),
        objects=objects,
        object_vectors=VECTORS,
        instances={"training": 6},
        instance_columns=ENTRIES,
    )


@pytest.fixture
def client(run: Path, tmp_path: Path) -> TestClient:
    (tmp_path / "index.html").write_text("<p>the page</p>")
    return TestClient(make_application(RunStore.open(run), tmp_path), base_url="http://localhost")


def rows_of(run: Path, query: str) -> list[Any]:
    with duckdb.connect() as connection:
        return connection.execute(query.format(f"read_parquet('{run}/instances/*.parquet')")).fetchall()


def test_the_overview_has_the_columns_of_objects_and_what_they_are_coloured_by(client: TestClient) -> None:
    objects = client.get("/api/v1/run").json()["objects"]
    assert (objects["count"], objects["colour"]) == (6, "metric.iou")
    columns = {column["name"]: column for column in objects["columns"]}
    assert list(columns) == ["sample.state", "name", "mask_share", "metric.iou"]
    assert columns["name"]["categories"] == ["bolt", "nut", "washer"]
    assert (columns["name"]["group"], columns["metric.iou"]["direction"]) == ("object", "upward")


def test_each_object_says_whose_it_is(client: TestClient, run: Path) -> None:
    pairs = np.frombuffer(client.get("/api/v1/objects/rows").content, "<u4").reshape(-1, 2)
    expected = rows_of(run, 'select "offset", number from {} order by "offset", number')
    assert [tuple(pair) for pair in pairs.tolist()] == expected


def test_columns_of_objects_are_painted_like_those_of_samples(client: TestClient, run: Path) -> None:
    codes = np.frombuffer(client.get("/api/v1/columns/codes?name=name&of=objects").content, "u1")
    stored = [name for (name,) in rows_of(run, 'select name from {} order by "offset", number')]
    assert [None if code == 255 else ["bolt", "nut", "washer"][code] for code in codes] == stored
    scale = client.get("/api/v1/columns/summary?name=metric.iou&of=objects").json()["scale"]
    places = np.frombuffer(client.get("/api/v1/columns/codes?name=metric.iou&of=objects").content, "<u2")
    assert places[2] == 65_535
    values = scale["low"] + places / 65_534 * (scale["high"] - scale["low"])
    inside = [0, 1, 4]
    np.testing.assert_allclose(values[inside], np.array(IOU)[inside], atol=1e-4)
    order = np.frombuffer(client.get("/api/v1/columns/order?name=metric.iou&descending=true&of=objects").content, "<u4")
    assert order.tolist() == [3, 4, 0, 1, 5, 2]
    states = np.frombuffer(client.get("/api/v1/columns/codes?name=sample.state&of=objects").content, "u1")
    assert states.tolist() == [0] * 6
    refused = client.get("/api/v1/columns/codes?name=loss.a&of=objects")
    assert (refused.status_code, refused.json()["detail"]) == (404, "The objects of this run have no column 'loss.a'.")


def test_the_map_of_objects_is_a_projection_of_their_own_vectors(client: TestClient) -> None:
    content = client.get("/api/v1/map?space=model&method=pca&of=objects").content
    codes = np.frombuffer(content, "<u2").reshape(-1, 2)
    known = np.isfinite(VECTORS).all(axis=1)
    assert (codes[~known] == 65_535).all()
    points = codes[known] / 65_534 * 2 - 1
    expected = PCA(2).fit_transform(VECTORS[known])
    # A map may be turned over, moved and made larger, so that what is compared is the distances.
    ratio = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(5, 1)]
    ratio /= np.linalg.norm(expected[:, None] - expected[None], axis=2)[np.triu_indices(5, 1)]
    np.testing.assert_allclose(ratio, ratio[0], rtol=2e-3)
    assert client.get("/api/v1/map?space=other&method=pca&of=objects").status_code == 404
    assert client.get("/api/v1/map?space=model&method=tsne&of=objects").status_code == 422


def test_a_run_without_objects_has_none(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>the page</p>")
    store = RunStore.open(write_run(tmp_path / "plain", ["training"], {"loss.a": ("float", [1.0])}))
    client = TestClient(make_application(store, tmp_path), base_url="http://localhost")
    assert client.get("/api/v1/run").json()["objects"] is None
    assert client.get("/api/v1/objects/rows").content == b""
    assert client.get("/api/v1/objects/0/thumbnail").status_code == 404


class Painter:
    """Stands for an integration's process whose image has a colour for each quarter, and masks of two of them."""

    def __init__(self, size: tuple[int, int] = (200, 100)) -> None:
        self.asked: list[str] = []
        self.size = size

    def call(self, operation: Any, order: SampleOrder, *, time_limit: float | None = None) -> Any:
        self.asked.append(operation.name)
        pixels = np.zeros((100, 200, 3), np.uint8)
        pixels[:50, :100], pixels[50:, 100:] = (250, 0, 0), (0, 0, 250)
        visual = Visual("photo", "Image", {"data": pixels})
        if operation.name == "masks":
            inside = np.zeros((10, 20), bool)
            inside[2:4, 3:7] = True
            corner = Mask(0, (0.1, 0.1, 0.4, 0.4), inside, self.size)
            return [corner, Mask(2, (0.6, 0.6, 1.0, 1.0), inside, self.size)]
        return Shown([visual], "now") if operation.name == "visualize" else visual

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def drawn(run: Path) -> Iterator[Callable[[Painter], Pictures]]:
    begun: list[Pictures] = []

    def make(painter: Painter) -> Pictures:
        session: Any = painter
        begun.append(Pictures(Population(RunStore.open(run)), 1, opened=lambda: session))
        return begun[-1]

    yield make
    for each in begun:
        each.close()


def middle_of(webp: bytes) -> tuple[tuple[int, int], list[int]]:
    image = Image.open(BytesIO(webp)).convert("RGB")
    return image.size, np.asarray(image)[image.height // 2, image.width // 2].tolist()


def test_an_object_is_cut_out_with_a_little_around_it_and_kept(drawn: Callable[[Painter], Pictures]) -> None:
    painter = Painter()
    pictures = drawn(painter)
    # 60 pixels wide and 30 high, 5 more (8 % of 60) on each side.
    size, colour = middle_of(pictures.crop(0, 0).result(20))
    assert size == (70, 40)
    np.testing.assert_allclose(colour, [250, 0, 0], atol=8)
    # The other ends at the image's edge: 80 and 40, with 6 to the left and above alone.
    size, colour = middle_of(pictures.crop(0, 2).result(20))
    assert size == (86, 46)
    np.testing.assert_allclose(colour, [0, 0, 250], atol=8)
    assert painter.asked == ["picture", "masks"], "all objects of a sample are cut at once"
    with pytest.raises(MissingError, match="mask of object 1 is empty"):
        pictures.crop(0, 1).result(20)
    another = Painter()
    assert drawn(another).crop(0, 2).result(20) == pictures.crop(0, 2).result(20)
    assert another.asked == []


def test_masks_of_another_shape_cut_out_nothing(drawn: Callable[[Painter], Pictures]) -> None:
    with pytest.raises(MissingError, match="image of another shape than the masks have"):
        drawn(Painter(size=(100, 100))).crop(0, 0).result(20)


def test_outlines_are_boxes_and_edges(drawn: Callable[[Painter], Pictures]) -> None:
    first, _ = drawn(Painter()).outlines(0).result(20)
    assert first == {
        **{"number": 0, "box": (0.1, 0.1, 0.4, 0.4), "width": 20, "height": 10, "size": (200, 100)},
        "path": "M3 2H7M3 4H7M3 2V4M7 2V4",
    }


@pytest.mark.parametrize(("stored", "is_told"), [("now", False), ("then", True), (None, False)])
def test_data_that_has_changed_is_told(tmp_path: Path, stored: str | None, is_told: bool) -> None:
    columns = {"input.hash": ("string", [stored])}
    population = open_population(write_run(tmp_path / "hashed", ["training"], columns))
    session: Any = Painter()
    pictures = Pictures(population, 1, opened=lambda: session)
    try:
        changed = pictures.panel(0).result(20)["changed"]
    finally:
        pictures.close()
    assert (changed is not None) == is_told
    if is_told:
        assert changed.startswith("The data under this id has changed since the evaluation")
