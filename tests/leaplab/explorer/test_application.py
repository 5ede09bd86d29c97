import base64
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from fastapi.testclient import TestClient
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.explorer import application
from leaplab.explorer.application import make_application
from leaplab.explorer.serving import listen
from leaplab.population.heatmap import HeatmapQuestion, HeatMaps
from leaplab.population.population import Population
from leaplab.report.types import types_document
from leaplab.store.run import RunStore
from mnist.config import load_config
from mnist.data.preprocess import Digits, load_states

WEB = Path(application.__file__).with_name("web")


@pytest.fixture(scope="module")
def client(mnist_run: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    web = tmp_path_factory.mktemp("web")
    (web / "index.html").write_text("<p>the page</p>")
    with TestClient(make_application(mnist_run, web), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def digits() -> dict[str, Digits]:
    return {
        state.name: found for state, found in load_states(load_config()).items() if isinstance(state, DataStateType)
    }


def column(client: TestClient, name: str) -> dict[str, object]:
    described = {entry["name"]: entry for entry in client.get("/api/v1/run").json()["columns"]}
    found: dict[str, object] = described[name]
    return found


def test_the_overview_counts_states_and_offers_the_columns_of_the_run(client: TestClient) -> None:
    run = client.get("/api/v1/run").json()
    assert run["samples"] == 300
    assert {state["name"]: state["count"] for state in run["states"]} == {"training": 150, "validation": 150}
    assert run["latent_spaces"] == [{"name": "model", "width": 128}]
    assert run["defaults"] == {
        "colour": "metadata.label",
        "size": "loss.cross_entropy",
        "space": "model",
        "projection": "pacmap",
    }
    kinds = {entry["name"]: entry["kind"] for entry in run["columns"]}
    assert kinds["metadata.label"] == "categorical"
    assert kinds["metadata.brightness"] == "continuous"
    accuracy = column(client, "metric.accuracy")
    assert (accuracy["direction"], accuracy["insights"]) == ("upward", True)


def test_a_categorical_column_is_codes_into_its_categories(client: TestClient, digits: dict[str, Digits]) -> None:
    codes = np.frombuffer(client.get("/api/v1/columns/codes?name=metadata.label").content, "u1")
    categories = column(client, "metadata.label")["categories"]
    assert isinstance(categories, list)
    ids = client.get("/api/v1/ids").json()["ids"]
    expected = [str(digits[sample_id.split("_")[0]].label(sample_id)) for sample_id in ids]
    assert [categories[code] for code in codes] == expected


def test_a_continuous_column_is_places_between_the_percentiles_of_its_values(
    client: TestClient, mnist_run: RunStore
) -> None:
    stored = mnist_run.read(["loss.cross_entropy"])["loss.cross_entropy"]
    low, median, high = np.percentile(stored, [1, 50, 99])
    summary = client.get("/api/v1/columns/summary?name=loss.cross_entropy").json()
    told = summary["scale"]
    assert (told["low"], told["median"], told["high"]) == pytest.approx((low, median, high))
    assert (told["min"], told["max"], told["absent"]) == (stored.min(), stored.max(), 0)
    assert told["crowd"] == "low"
    expected, _ = np.histogram(np.clip(stored, low, high), 32, (low, high))
    np.testing.assert_allclose(summary["histogram"], expected, atol=1)
    assert sum(summary["histogram"]) == 300

    codes = np.frombuffer(client.get("/api/v1/columns/codes?name=loss.cross_entropy").content, "<u2")
    shown = low + codes / 65_534 * (high - low)
    np.testing.assert_allclose(shown, np.clip(stored, low, high), atol=(high - low) / 65_534)


def test_exact_values_of_some_rows(client: TestClient, mnist_run: RunStore) -> None:
    stored = mnist_run.read(["loss.cross_entropy"])["loss.cross_entropy"]
    answer = client.get("/api/v1/columns/values", params={"name": "loss.cross_entropy", "rows": [7, 3]})
    assert answer.json() == [stored[7], stored[3]]


def test_what_never_changes_is_kept_for_ever_and_another_run_refuses(client: TestClient) -> None:
    key = client.get("/api/v1/run").json()["key"]
    first = client.get("/api/v1/columns/codes", params={"name": "metadata.label", "key": key})
    assert "immutable" in first.headers["cache-control"]
    again = client.get("/api/v1/columns/codes?name=metadata.label", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "no-cache" in client.get("/api/v1/columns/codes?name=metadata.label").headers["cache-control"]
    other = client.get("/api/v1/samples/7?key=0123")
    assert other.status_code == 409
    assert "Another run" in other.json()["detail"]


def test_the_map_is_told_when_it_is_there(client: TestClient) -> None:
    with client.stream("GET", "/api/v1/events") as stream:
        events = [json.loads(line.removeprefix("data: ")) for line in stream.iter_lines() if line.startswith("data:")]
    assert {(each["projection"], each["state"]) for each in events} >= {("pca", "ready"), ("pacmap", "ready")}


def test_the_documents_in_the_page_s_folder_are_the_server_s() -> None:
    written = json.loads((WEB / "openapi.json").read_text(encoding="utf-8"))
    assert written == types_document(), "run python -m leaplab.explorer leaplab/src/leaplab/explorer/web/openapi.json"


def test_every_sample_has_a_point_inside_the_square(client: TestClient) -> None:
    for method in ("pacmap", "pca"):
        response = client.get("/api/v1/map", params={"space": "model", "method": method})
        points = np.frombuffer(response.content, "<u2").reshape(-1, 2)
        assert points.shape == (300, 2)
        assert 0 in (points.min(), 65_534 - points.max())  # the larger side fills the square


def test_a_sample_shows_its_stored_values_and_prediction(client: TestClient, mnist_run: RunStore) -> None:
    sample = client.get("/api/v1/samples/7").json()
    stored = mnist_run.row(7)
    assert sample["sample_id"] == stored["sample_id"]
    shown = {entry["column"]: entry["value"] for entry in sample["values"]}
    assert shown == {name: value for name, value in stored.items() if name not in ("sample_id", "state")}
    probabilities = sample["predictions"][0]["values"]
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-5)
    assert shown["metric.confidence"] == pytest.approx(max(probabilities))


def test_visualizers_show_that_very_digit(client: TestClient, digits: dict[str, Digits]) -> None:
    for row in (0, 299):
        sample = client.get(f"/api/v1/samples/{row}").json()
        visuals = {visual["name"]: visual for visual in client.get(f"/api/v1/samples/{row}/visuals").json()["visuals"]}
        png = base64.b64decode(visuals["digit"]["png"].split(",", 1)[1])
        pixels = np.asarray(Image.open(BytesIO(png)))
        np.testing.assert_array_equal(pixels, digits[sample["state"]].image(sample["sample_id"]))
        bars = visuals["class_probabilities"]["data"]
        np.testing.assert_allclose(bars["values"], sample["predictions"][0]["values"], atol=1e-6)
        assert bars["ground_truth"].index(1) == digits[sample["state"]].label(sample["sample_id"])


def test_a_heat_map_is_that_of_the_command(client: TestClient, mnist_run: RunStore) -> None:
    row = 7
    label = mnist_run.row(row)["metadata.label"]
    drawn = client.get(f"/api/v1/samples/{row}/heatmap", params={"of": f"class:{label}"}).json()
    with HeatMaps(Population(mnist_run)) as maps:
        expected = maps.of(HeatmapQuestion(row, f"class:{label}"))
    assert drawn["value"] == pytest.approx(expected.targets[0])
    assert Image.open(BytesIO(base64.b64decode(drawn["png"].split(",", 1)[1]))).format == "PNG"
    layer = np.asarray(Image.open(BytesIO(base64.b64decode(drawn["overlay"].split(",", 1)[1]))), int)
    assert (drawn["size"], layer.shape) == ([28, 28], (28, 28, 4))
    every = client.get(f"/api/v1/samples/{row}/heatmap", params={"of": "class:all"}).json()
    assert "overlay" not in every, "ten maps are no single layer"
    most = np.nanmax(expected.values)
    assert f"it would be {most:.3g} lower." in " ".join(drawn["told"])
    refused = client.get(f"/api/v1/samples/{row}/heatmap", params={"of": "class:unicorn"})
    assert refused.status_code == 503
    assert "unicorn" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/v1/columns/codes?name=metadata.colour", 404, "no column 'metadata.colour'"),
        ("/api/v1/map?space=model&method=tsne", 422, "no projection 'tsne'"),
        ("/api/v1/map?space=other&method=pca", 404, "no latent space 'other'"),
        ("/api/v1/map?space=model", 422, "method: "),
        ("/api/v1/samples/300", 404, "no sample 300"),
        ("/api/v1/samples/first", 422, "row: "),
        ("/api/v1/samples/-1/visuals", 404, "no sample -1"),
    ],
)
def test_what_does_not_exist_or_makes_no_sense_is_told_in_a_sentence(
    client: TestClient, path: str, status: int, told: str
) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert told in response.json()["detail"]


def test_a_root_that_binds_another_integration_today_shows_nothing_of_it(
    mnist_run: RunStore,
    example_data: Callable[[str], Path],
    tmp_path: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "index.html").write_text("<p>the page</p>")
    monkeypatch.setenv("LEAP_EXAMPLE", "cifar10_resnet")
    monkeypatch.setenv("LEAP_DATA_ROOT", str(example_data("cifar10_resnet")))
    with TestClient(make_application(mnist_run, tmp_path), base_url="http://localhost") as client:
        response = client.get("/api/v1/samples/7/visuals")
        assert response.status_code == 503
        assert response.json()["detail"].startswith(f"{repository} binds another integration now than the one")
        assert client.get("/api/v1/samples/7").status_code == 200, "what the run holds is shown still"


def test_a_foreign_page_cannot_reach_the_server_by_a_name_of_its_own(client: TestClient) -> None:
    assert client.get("/api/v1/run", headers={"host": "evil.example"}).status_code == 400


def test_an_unbuilt_page_is_told_with_the_way_to_build_it(mnist_run: RunStore, tmp_path: Path) -> None:
    with pytest.raises(LeaplabError, match="make web"):
        make_application(mnist_run, tmp_path)


def test_a_port_in_use_is_told_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as socket, pytest.raises(LeaplabError, match="is in use; choose another by --port"):
        listen("127.0.0.1", socket.getsockname()[1])


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(LeaplabError, match="Cannot listen on 192.0.2.1"):
        listen("192.0.2.1", 0)
