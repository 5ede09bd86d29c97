"""Runs as real ones are: names with slashes, ids with anything, NaN, no latent space, damaged files, a dead worker."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from fastapi.testclient import TestClient

from leaplab.errors import DeadIntegrationError
from leaplab.explorer.application import make_application
from leaplab.explorer.pictures import Pictures
from leaplab.population.population import Population
from leaplab.protocol.description import PredictionSpec
from leaplab.store.run import RunStore
from leaplab.store.writing import PartValues, WrittenRun

NAN = float("nan")
IDS = ["a/b", "c\nd", "../e", "%2F", "é ü", "<b>", "-rf"]


@pytest.fixture
def explore(tmp_path: Path, make_manifest: Callable[..., Any]) -> Callable[..., TestClient]:
    """`explore(columns, ids=.., vectors=.., predictions=..)`: the explorer of a run of one part."""

    def make(
        columns: dict[str, tuple[str, list[Any]]],
        ids: list[str] | None = None,
        vectors: Any = None,
        predictions: Any = None,
        damage: Callable[[Path], object] | None = None,
    ) -> TestClient:
        count = len(next(iter(columns.values()))[1])
        fields = {} if predictions is None else {"predictions": (PredictionSpec("scores", ("x", "y"), -1),)}
        manifest = make_manifest({"training": (count,)}, {name: kind for name, (kind, _) in columns.items()}, **fields)
        store = WrittenRun.begin(tmp_path / "run", manifest)
        store.write_part(
            PartValues(
                manifest.parts[0],
                ids or [f"s{number}" for number in range(count)],
                {name: values for name, (_, values) in columns.items()},
                {} if vectors is None else {"model": np.asarray(vectors, np.float32)},
                {} if predictions is None else {"scores": np.asarray(predictions, np.float32)},
                {},
            )
        )
        (tmp_path / "index.html").write_text("<p>the page</p>")
        application = make_application(RunStore.open(store.path), tmp_path)
        if damage is not None:
            damage(store.path)
        return TestClient(application, base_url="http://localhost", raise_server_exceptions=False)

    return make


@pytest.mark.parametrize("name", ["w/h", "mAP@0.5/0.95", "a b", "100 %", "a#b", "a?b=c", "ä", "a\\b", "a.b", "x//y"])
def test_columns_of_any_name_are_found(explore: Callable[..., TestClient], name: str) -> None:
    client = explore({f"metadata.{name}": ("float", [1.0, 2.0])})

    answer = client.get("/api/v1/columns/values", params={"name": f"metadata.{name}", "rows": [1, 0]})

    assert answer.status_code == 200, answer.text
    assert answer.json() == [2.0, 1.0]
    assert client.get("/api/v1/columns/codes", params={"name": f"metadata.{name}"}).status_code == 200


def test_ids_of_any_text_stay_with_their_rows(explore: Callable[..., TestClient]) -> None:
    client = explore({"loss.a": ("float", [1.0] * len(IDS))}, ids=IDS)

    assert client.get("/api/v1/ids").json() == {"start": 0, "ids": IDS}
    assert client.get("/api/v1/ids?start=2&count=3").json() == {"start": 2, "ids": IDS[2:5]}
    assert [client.get("/api/v1/find", params={"text": each}).json()["row"] for each in IDS] == list(range(len(IDS)))
    assert [client.get(f"/api/v1/samples/{row}").json()["sample_id"] for row in range(len(IDS))] == IDS


def test_predictions_that_are_not_finite_are_null(explore: Callable[..., TestClient]) -> None:
    client = explore({"loss.a": ("float", [NAN, 1.0])}, predictions=[[NAN, 0.5], [np.inf, 1.0]])

    first = client.get("/api/v1/samples/0")
    assert first.status_code == 200
    assert first.json()["predictions"] == [{"name": "scores", "labels": ["x", "y"], "values": [None, 0.5]}]
    assert first.json()["values"] == [{"column": "loss.a", "value": "nan", "rank": None}]
    assert "NaN" not in client.get("/api/v1/samples/1").text


def test_samples_without_a_finite_vector_are_on_no_map_and_all_others_are(explore: Callable[..., TestClient]) -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 4))
    vectors[3, 2] = NAN
    client = explore({"loss.a": ("float", [1.0] * 20)}, vectors=vectors)

    answer = client.get("/api/v1/map", params={"space": "model", "method": "pca"})

    points = np.frombuffer(answer.content, "<u2").reshape(-1, 2)
    assert (points == 65_535).any(axis=1).tolist() == [row == 3 for row in range(20)]
    assert "1 of 20 vectors" in client.get("/api/v1/run").json()["notice"]
    codes = np.frombuffer(client.get("/api/v1/columns/codes?name=analysis.cluster").content, "u1")
    assert codes[3] == 255


def test_run_without_a_latent_space_opens(explore: Callable[..., TestClient]) -> None:
    client = explore({"loss.a": ("float", [1.0] * 3)})

    run = client.get("/api/v1/run").json()
    assert (run["latent_spaces"], run["defaults"]["space"]) == ([], None)
    assert "no latent space" in run["notice"]
    points = client.get("/api/v1/map", params={"space": "", "method": run["defaults"]["projection"]})
    assert (np.frombuffer(points.content, "<u2") < 65_535).all()


def test_nanosecond_time_stamps_stay_apart(explore: Callable[..., TestClient]) -> None:
    start = 1_764_000_000_000_000_000
    stamps = [start + 40_000_000 * frame for frame in range(30)]  # 25 frames a second
    client = explore({"metadata.taken_ns": ("int", stamps)})

    (column,) = [one for one in client.get("/api/v1/run").json()["columns"] if one["name"] == "metadata.taken_ns"]
    assert (column["kind"], column["meaning"]) == ("continuous", "time")
    codes = np.frombuffer(client.get("/api/v1/columns/codes?name=metadata.taken_ns").content, "<u2")
    assert (np.diff(codes.astype(int)) > 2_000).sum() == 29 - 2  # but the two beyond the percentiles
    # A page's numbers are doubles: what they cannot say comes as text.
    assert client.get("/api/v1/samples/7").json()["values"] == [
        {"column": "metadata.taken_ns", "value": str(stamps[7]), "rank": None}
    ]


def test_hashes_of_64_bits_are_categories_of_their_own(explore: Callable[..., TestClient]) -> None:
    client = explore({"metadata.hash": ("int", [2**60, 2**60 + 1, 2**60])})

    (column,) = [one for one in client.get("/api/v1/run").json()["columns"] if one["name"] == "metadata.hash"]
    assert column["categories"] == [str(2**60), str(2**60 + 1)]
    assert np.frombuffer(client.get("/api/v1/columns/codes?name=metadata.hash").content, "u1").tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("damage", "path"),
    [
        (lambda run: (run / "samples" / "00000.parquet").write_bytes(b"PAR1"), "/api/v1/ids"),
        (lambda run: (run / "samples" / "00000.parquet").unlink(), "/api/v1/run"),
        (
            lambda run: (run / "latent" / "model" / "00000.npy").write_bytes(b"\x93NUMPY"),
            "/api/v1/map?space=&method=pca",
        ),
        (lambda run: (run / "predictions" / "scores" / "00000.npy").unlink(), "/api/v1/samples/0"),
    ],
)
def test_damaged_run_is_the_server_s_fault_in_one_sentence(
    explore: Callable[..., TestClient], damage: Callable[[Path], object], path: str
) -> None:
    columns = {"loss.a": ("float", [1.0] * 3)}
    client = explore(columns, vectors=np.eye(3), predictions=np.ones((3, 2)), damage=damage)

    answer = client.get(path)

    assert answer.status_code == 500
    assert "cannot be read" in json.loads(answer.text)["detail"]
    assert "\n" not in json.loads(answer.text)["detail"]


def test_integration_that_is_gone_is_unavailable_and_the_run_is_not(explore: Callable[..., TestClient]) -> None:
    with explore({"loss.a": ("float", [1.0])}) as client:
        for _ in range(2):
            answer = client.get("/api/v1/samples/0/visuals")
            assert answer.status_code == 503
            assert "The integration is no longer at" in answer.json()["detail"]
        assert client.get("/api/v1/samples/0").status_code == 200


def test_integration_whose_process_died_is_bound_again_by_the_next_request(tiny_run: RunStore) -> None:
    others = set(psutil.Process().children(recursive=True))
    pictures = Pictures(Population(tiny_run), processes=1)
    pictures.start()
    try:
        drawn = pictures.panel(0).result(60)["visuals"]
        (worker,) = set(psutil.Process().children(recursive=True)) - others
        worker.kill()

        with pytest.raises(DeadIntegrationError, match="was ended by SIGKILL"):
            pictures.panel(1).result(60)
        assert [visual["name"] for visual in pictures.panel(1).result(60)["visuals"]] == [
            visual["name"] for visual in drawn
        ]
        (again,) = set(psutil.Process().children(recursive=True)) - others
        assert again.pid != worker.pid
    finally:
        pictures.close()
    assert set(psutil.Process().children(recursive=True)) <= others
