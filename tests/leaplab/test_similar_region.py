"""`leaplab similar --region` and `Run.similar(.., region=..)`, beside brute force on the same maps."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import leaplab
from leaplab.analysis.neighbours import Metric
from leaplab.errors import LeaplabError
from leaplab.population.opened import Run
from leaplab.population.population import Population
from leaplab.store.run import RunStore
from tests.leaplab.explain.known import save_model

Command = Callable[..., Any]
FOREIGN = Path(__file__).parent / "foreign"
SIDE, CELL = 24, 4
PLANTED = {1: (0, 8), 4: (12, 4), 6: (16, 16), 9: (4, 0)}
"""Number of an image -> top and left of the patch in it."""
ENDLESS = 11


@pytest.fixture(scope="module")
def drawn(tiny_run: RunStore) -> Iterator[Run]:
    opened = Run(Population(tiny_run))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def tiny_maps(tiny_run: RunStore, drawn: Run, plain_functions: Any) -> Any:
    """[N, 4, 4, 4] what the model's map has in each cell, computed of its weights."""
    import yaml

    root = Path(tiny_run.manifest.integration)
    weights = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(root / "tiny.onnx").graph.initializer}
    settings = yaml.safe_load((root / "project_config.yaml").read_text())
    samples = plain_functions("samples")
    maps = []
    states = tiny_run.read(["state"])["state"]
    for state, sample_id in zip(states, drawn.ids, strict=True):
        image = samples.draw(state, settings[state], settings["seed"])[sample_id].image[..., 0]
        windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
        maps.append(
            np.maximum(np.einsum("yxij,kij->yxk", windows, weights["kernel"][:, 0]) + weights["kernel_bias"], 0)
        )
    return np.stack(maps)


def by_force(maps: Any, row: int, rows: slice, columns: slice, metric: str) -> list[tuple[float, int, tuple[int, int]]]:
    """(distance, row, first cell) of the best window of every other map, nearest first."""
    query = maps[row][rows, columns].reshape(-1, maps.shape[3]).mean(axis=0)
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    best = []
    for other in range(len(maps)):
        found = []
        for top in range(maps.shape[1] - tall + 1):
            for left in range(maps.shape[2] - wide + 1):
                mean = maps[other][top : top + tall, left : left + wide].reshape(-1, maps.shape[3]).mean(axis=0)
                length = np.linalg.norm(mean) * np.linalg.norm(query)
                cosine = mean @ query / length if length else 0.0
                distance = 1 - cosine if metric == "cosine" else np.linalg.norm(mean - query)
                found.append((float(distance), other, (top, left)))
        if other != row:
            best.append(min(found))
    return sorted(best)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(
    ("region", "rows", "columns"),
    [
        # A cell covers 1.5 x 1.5 of the 6 x 6 pixels; one belongs to a region by its middle.
        ((0, 0, 1, 1), slice(0, 1), slice(0, 1)),
        ((1.5, 3, 4.5, 6), slice(2, 4), slice(1, 3)),
        ((2, 0.5, 7, 2), slice(0, 1), slice(1, 4)),
        ((3.1, 3.1, 3.2, 3.2), slice(2, 3), slice(2, 3)),
        ((-9, -9, 99, 99), slice(0, 4), slice(0, 4)),
    ],
)
def test_places_are_those_of_brute_force(
    drawn: Run, tiny_maps: Any, region: tuple[float, ...], rows: slice, columns: slice, metric: Metric
) -> None:
    row = 3
    answer = drawn.similar(drawn.ids[row], count=12, metric=metric, region=region)

    wanted = by_force(tiny_maps, row, rows, columns, metric)[:12]
    assert answer.space == "positive"
    assert answer.cells == (rows.stop - rows.start, columns.stop - columns.start)
    assert answer.region == (1.5 * columns.start, 1.5 * rows.start, 1.5 * columns.stop, 1.5 * rows.stop)
    np.testing.assert_allclose([each.distance for each in answer.similar], [d for d, _, _ in wanted], atol=2e-2)
    np.testing.assert_allclose(sorted(each.distance for each in answer.similar), [e.distance for e in answer.similar])
    by_row = {other: (distance, cell) for distance, other, cell in by_force(tiny_maps, row, rows, columns, metric)}
    for each in answer.similar:
        distance, cell = by_row[each.row]
        assert each.distance == pytest.approx(distance, abs=2e-2 if metric == "euclidean" else 1e-3)
        assert each.sample_id == drawn.ids[each.row]
        if each.cell == cell:  # float16 may turn two that are as near
            top, left = cell
            assert each.box == (1.5 * left, 1.5 * top, 1.5 * (left + cells_of(columns)), 1.5 * (top + cells_of(rows)))
    assert np.mean([each.cell == by_row[each.row][1] for each in answer.similar]) > 0.8


def cells_of(of: slice) -> int:
    length: int = of.stop - of.start
    return length


def planted_images() -> Any:
    """[12, 24, 24, 1] noise, in some of which the same patch of 8 x 8 lies; one is too large for float16."""
    generator = np.random.default_rng(7)
    images = generator.normal(0, 1, (12, SIDE, SIDE, 1)).astype(np.float32)
    patch = generator.normal(0, 1, (8, 8, 1)).astype(np.float32)
    for number, (top, left) in PLANTED.items():
        images[number, top : top + 8, left : left + 8] = patch
    images[ENDLESS] *= 1e7
    return images


@pytest.fixture(scope="module")
def planted(evaluated: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Images t0 to t4, v0 to v2 and u0 to u3 of a model whose cells see 4 x 4 pixels each."""
    folder = tmp_path_factory.mktemp("planted")
    root = folder / "integration"
    shutil.copytree(FOREIGN / "unlabeled", root, ignore=shutil.ignore_patterns("__pycache__"))
    binder = root / "leap_binder.py"
    old = "return (np.arange(36) * (number + 1) % 7 / 7).astype(np.float32).reshape(6, 6, 1)"
    text = binder.read_text()
    assert old in text
    binder.write_text(text.replace(old, 'return np.load(Path(__file__).parent / "images.npy")[number]'))
    np.save(root / "images.npy", planted_images())
    generator = np.random.default_rng(8)
    weights = {
        "kernel": generator.normal(0, 0.5, (8, 1, CELL, CELL)).astype(np.float32),
        "dense": np.full((8, 3), 1e-8, np.float32),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["turned", "kernel"], ["found"], strides=[CELL, CELL]),
        helper.make_node("Relu", ["found"], ["cells"]),
        helper.make_node("GlobalAveragePool", ["cells"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "dense"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["classes"], axis=-1),
    ]
    save_model(root / "model.onnx", {"image": ["n", SIDE, SIDE, 1]}, nodes, {"classes": ["n", 3]}, weights)
    opened = Run(Population(evaluated(folder / "runs", root, batch_size=4)))
    yield opened
    opened.close()


NUMBERS = {f"t{n}": n for n in range(5)} | {f"v{n}": 5 + n for n in range(3)} | {f"u{n}": 8 + n for n in range(4)}


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_planted_patch_is_found_where_it_lies(planted: Run, metric: Metric) -> None:
    answer = planted.similar("t1", count=5, metric=metric, region=(8, 0, 16, 8))

    first = answer.similar[:3]
    assert sorted(NUMBERS[each.sample_id] for each in first) == [4, 6, 9]
    for each in first:
        top, left = PLANTED[NUMBERS[each.sample_id]]
        assert each.box == (left, top, left + 8, top + 8)
        assert each.cell == (top // CELL, left // CELL)
        assert each.distance == pytest.approx(0, abs=1e-6)
    assert answer.similar[3].distance > 0.02
    assert answer.searched == 10
    assert answer.notices == (
        "One sample has no cells and cannot be found: not to be encoded, or not finite as float16.",
    )


def test_conditions_choose_what_may_be_found(planted: Run) -> None:
    answer = planted.similar("t1", region=(8, 0, 16, 8), where="state = 'validation'")
    assert sorted(each.sample_id for each in answer.similar) == ["v0", "v1", "v2"]
    assert answer.similar[0].sample_id == "v1"


def test_cells_are_computed_once_and_one_file_of_them_is_kept(planted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = planted.similar("t1", region=(8, 0, 16, 8))
    kept = list((planted.path / "derived").glob("cells-*.float16"))
    assert [each.stat().st_size for each in kept] == [11 * 6 * 6 * 8 * 2]

    def unwanted(*_: Any) -> Any:
        raise AssertionError("the integration is bound again")

    with monkeypatch.context() as changed:
        changed.setattr("leaplab.population.model_cuts.reopen", unwanted)
        again = leaplab.open_run(planted.path)
        assert again.similar("t1", region=(8, 0, 16, 8)).table() == first.table()
        assert again.similar("v1", region=(16, 16, 24, 24)).similar[0].distance == pytest.approx(0, abs=1e-6)
    other = planted.similar("t1", region=(8, 0, 16, 8), layer="found")
    assert other.space == "found"
    assert other.similar[0].distance == pytest.approx(0, abs=1e-6)
    assert len(list((planted.path / "derived").glob("cells-*.float16"))) == 1


def test_of_a_run_that_is_too_large_some_are_looked_at_and_it_is_said(
    planted: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaplab.population.cell_vectors.MOST_BYTES", 5 * 6 * 6 * 8 * 2 + 1)
    shutil.copytree(planted.path, tmp_path / "run", ignore=shutil.ignore_patterns("derived"))
    answers = []
    opened = leaplab.open_run(tmp_path / "run")
    try:
        for sample_id in ("t1", "u1"):
            region = (8, 0, 16, 8) if sample_id == "t1" else (0, 4, 8, 12)
            answers.append(opened.similar(sample_id, region=region))
    finally:
        opened.close()
    assert "of all 12 samples would take more than" in answers[0].notices[0]
    assert "those of 5, chosen at random" in answers[0].notices[0]
    (kept,) = (tmp_path / "run" / "derived").glob("cells-*.float16")
    assert kept.stat().st_size <= 5 * 6 * 6 * 8 * 2
    looked_at = [{each.row for each in answer.similar} for answer in answers]
    assert all(3 <= len(rows) <= 5 for rows in looked_at)
    assert len(looked_at[0] | looked_at[1]) <= 5


def test_a_run_that_cannot_be_written_to_answers_the_same(planted: Run, tmp_path: Path) -> None:
    shutil.copytree(planted.path, tmp_path / "run", ignore=shutil.ignore_patterns("derived"))
    (tmp_path / "run" / "derived").write_text("no folder can be made here")
    opened = leaplab.open_run(tmp_path / "run")
    try:
        answer = opened.similar("t1", region=(8, 0, 16, 8))
    finally:
        opened.close()
    assert answer.table() == planted.similar("t1", region=(8, 0, 16, 8)).table()


def test_command_says_where_and_draws_it(command: Command, planted: Run, tmp_path: Path) -> None:
    asked = ("similar", planted.path, "--id", "t1", "--region", "8,0,16,8", "--count", 4)
    done = command(*asked, "-o", tmp_path / "near.csv", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    known = planted.similar("t1", count=4, region=(8, 0, 16, 8))
    assert list(told) == ["run", "space", "metric", "query", "region", "input", "similar"]
    assert {key: told[key] for key in ("space", "metric", "query", "region", "input")} == {
        "space": "cells",
        "metric": "cosine",
        "query": ["t1"],
        "region": [8, 0, 16, 8],
        "input": "image",
    }
    assert list(told["similar"][0]) == ["sample_id", "state", "row", "distance", "cell", "box"]
    assert [tuple(each["box"]) for each in told["similar"]] == [each.box for each in known.similar]
    heads = (tmp_path / "near.csv").read_text().splitlines()[0]
    assert heads == "sample_id,state,row,distance,cell_row,cell_column,x0,y0,x1,y1"

    shown = command(*asked)
    assert "16, 16, 24, 24" in shown.out
    assert "2 x 2 cells of 'cells' at 8, 0, 16, 8; 10 samples were compared" in shown.out
    assert "16, 16, 24, 24" in planted.similar("t1", region=(8, 0, 16, 8))._repr_html_()
    undrawn = command(*asked, "--figure", tmp_path / "near.png")
    assert undrawn.code != 0
    assert not (tmp_path / "near.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--region", "1,2,3"), "four numbers X0,Y0,X1,Y1, in pixels of the input, and not '1,2,3'"),
        (("--region", "a,2,3,4"), "and not 'a,2,3,4'"),
        (("--region", "3,3,1,4"), "X0 < X1 and Y0 < Y1"),
        (("--region", "nan,3,1,4"), "X0 < X1 and Y0 < Y1"),
        (("--region", "24,0,30,9"), "outside of the picture, which has 24 x 24 pixels"),
        (("--region", "0,0,9,9", "--id", "v0"), "--region is of one sample"),
        (("--region", "0,0,9,9", "--space", "model"), "leave out --space and --why"),
        (("--region", "0,0,9,9", "--layer", "nowhere"), "no layer 'nowhere'"),
        (("--region", "0,0,9,9", "--layer", "flat"), "no two axes of space"),
        (("--region", "0,0,9,9", "--input", "sound"), "no input 'sound'; it has image"),
        (("--region", "0,0,9,9", "--where", "nothing = 1"), "nothing"),
        (("--input", "image"), "--input and --layer are of a region"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(
    command: Command, planted: Run, options: tuple[str, ...], said: str
) -> None:
    finished = command("similar", planted.path, "--id", "t1", *options)
    assert finished.code == 2
    assert finished.out == ""
    assert said in " ".join(finished.err.split())


def test_cells_that_are_not_finite_are_near_to_nothing(planted: Run) -> None:
    with pytest.raises(LeaplabError, match="The cells of 'u3' hold NaN, infinity or what is too large for float16"):
        planted.similar("u3", region=(0, 0, 9, 9))
    with pytest.raises(LeaplabError, match="name the region, too"):
        planted.similar("t1", layer="cells")  # type: ignore[call-overload]


def test_a_model_without_maps_has_no_regions(
    make_project: Any, evaluated: Any, tmp_path: Path, make_dense_model: Any
) -> None:
    root = make_project("plain")
    onnx.save(make_dense_model(), root / "dense.onnx")
    opened = Run(Population(evaluated(tmp_path, root)))
    try:
        with pytest.raises(LeaplabError, match="no feature map of more than one cell over 'vector', so that no region"):
            opened.similar("training/7", region=(0, 0, 1, 1))
    finally:
        opened.close()
