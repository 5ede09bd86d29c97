"""What the explorer's server says of element instances; no integration is bound."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from leaplab.explorer.application import make_application
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import RunStore
from leaplab.store.writing import PartValues, WrittenRun

COLUMNS = {
    "name": ColumnEntry("string"),
    "mask_share": ColumnEntry("float"),
    "metadata.row": ColumnEntry("int"),
    "metric.mean.iou": ColumnEntry("float", "upward", True),
    "metric.size": ColumnEntry("float", "upward", False),
}
INSTANCES: dict[str, list[Any]] = {
    **{"offset": [1, 1], "number": [0, 1], "name": ["nut", None], "mask_share": [0.25, None]},
    **{"metadata.row": [3, None], "metric.mean.iou": [0.5, float("nan")], "metric.size": [7.0, None]},
}


@pytest.fixture
def client(tmp_path, make_manifest) -> Callable[..., TestClient]:
    """`client(has_instances)`: of a run of the samples a and b, of which b has two instances."""

    def make(has_instances: bool = True) -> TestClient:
        fields = {"instances": {"training": 2}, "instance_columns": COLUMNS} if has_instances else {}
        manifest = make_manifest({"training": (2,)}, **fields)
        store = WrittenRun.begin(tmp_path / "run", manifest)
        latents: dict[str, Any] = {"model": np.eye(2, dtype=np.float32)}
        store.write_part(
            PartValues(manifest.parts[0], ["a", "b"], {}, latents, {}, {}, INSTANCES if has_instances else None)
        )
        (tmp_path / "index.html").write_text("<p>the page</p>")
        return TestClient(make_application(RunStore.open(store.path), tmp_path), base_url="http://localhost")

    return make


def test_the_overview_names_the_columns_of_instances_and_what_is_better(client: Callable[..., TestClient]) -> None:
    columns = client().get("/api/v1/run").json()["objects"]["columns"]
    assert [(each["name"], each["label"], each.get("direction")) for each in columns] == [
        ("sample.state", "state", None),
        ("name", "name", None),
        ("mask_share", "mask_share", None),
        ("metadata.row", "row", None),
        ("metric.mean.iou", "mean.iou", "upward"),
        ("metric.size", "size", None),
    ]


def test_a_sample_shows_its_instances(client: Callable[..., TestClient]) -> None:
    opened = client()

    assert opened.get("/api/v1/samples/0").json()["instances"] == []
    assert opened.get("/api/v1/samples/1").json()["instances"] == [
        {
            **{"instance_id": "b_0", "number": 0, "name": "nut", "mask_share": 0.25},
            **{"metadata.row": 3, "metric.mean.iou": 0.5, "metric.size": 7.0},
        },
        {
            **{"instance_id": "b_1", "number": 1, "name": None, "mask_share": None},
            **{"metadata.row": None, "metric.mean.iou": "nan", "metric.size": None},
        },
    ]


def test_a_run_without_instances_shows_none(client: Callable[..., TestClient]) -> None:
    opened = client(has_instances=False)

    assert opened.get("/api/v1/run").json()["objects"] is None
    assert opened.get("/api/v1/samples/1").json()["instances"] == []
