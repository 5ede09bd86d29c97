"""`leaplab heatmap --where`: the mean of many maps, and how much of them lies inside the ground truth."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.population.heatmap import HeatmapQuestion, HeatMaps
from leaplab.population.heatmap_population import heatmap_of_samples
from leaplab.population.population import Population
from leaplab.store.run import RunStore

Command = Callable[..., Any]
BOXES = """
@tensorleap_custom_visualizer("objects", LeapDataType.ImageWithBBox)
def visualize_objects(image: NDArray[np.float32], truth: NDArray[np.float32]) -> LeapImageWithBBox:
    label = int(truth[0].argmax())
    boxes = [] if label == 2 else [BoundingBox(0.5, (label + 0.5) / 3, 0.5, 1 / 3, 1.0, LABELS[label])]
    return LeapImageWithBBox((image[0].clip(0, 1) * 255).astype(np.uint8), boxes)


def heat_of_picture(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return image[0, ..., 0]


@tensorleap_custom_visualizer("picture", LeapDataType.Image"""
IMPORTS = "from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage"


@pytest.fixture(scope="module")
def store(make_project: Any, evaluated: Any, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """The small integration, whose truth has a box in one of two places, or none."""
    root = make_project("tiny")
    binder = root / "leap_binder.py"
    text = binder.read_text(encoding="utf-8")
    for old, new in (
        ('\n@tensorleap_custom_visualizer("picture", LeapDataType.Image', BOXES),
        ('"picture", LeapDataType.Image)', '"picture", LeapDataType.Image, heatmap_function=heat_of_picture)'),
        (IMPORTS, f"from code_loader.contract.responsedataclasses import BoundingBox\n{IMPORTS}, LeapImageWithBBox"),
        ("    visualize_picture(image)\n", "    visualize_picture(image)\n    visualize_objects(image, classes)\n"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    binder.write_text(text, encoding="utf-8")
    found: RunStore = evaluated(tmp_path_factory.mktemp("runs"), root)
    return found


@pytest.fixture(scope="module")
def population(store: RunStore) -> Population:
    return Population(store)


@pytest.fixture(scope="module")
def maps(population: Population) -> Iterator[HeatMaps]:
    with HeatMaps(population) as opened:
        yield opened


QUESTION = HeatmapQuestion(0, "loss:cross_entropy", baseline="zero")


def asked(row: int, **changes: Any) -> HeatmapQuestion:
    return HeatmapQuestion(**{**vars(QUESTION), "row": row, **changes})


def share_by_hand(values: Any, label: int) -> tuple[float, float]:
    """Of a map of 4 x 4 cells, what lies in rows label/3 to (label + 1)/3 and columns 1/4 to 3/4, and its area."""
    rows = np.array([max(0.0, min((r + 1) / 4, (label + 1) / 3) - max(r / 4, label / 3)) * 4 for r in range(4)])
    inside = np.outer(rows, [0, 1, 1, 0])
    return float((np.abs(values) * inside).sum() / np.abs(values).sum()), 1 / 6


def test_shares_and_the_mean_are_those_of_the_samples_maps(maps: HeatMaps, population: Population) -> None:
    rows = population.where("metadata.number < 6")
    answer = heatmap_of_samples(maps, population, rows[::-1], QUESTION)
    labels = population.values("metadata.label")
    ones = [maps.of(asked(int(row))).values[0] for row in answer.rows]

    assert sorted(answer.rows.tolist()) == sorted(rows.tolist())
    assert (answer.truth, answer.method, answer.layer) == ("objects", "ablation", "positive")
    np.testing.assert_allclose(answer.values, np.mean(ones, axis=0), atol=1e-6)
    np.testing.assert_allclose(answer.targets, population.values("loss.cross_entropy")[answer.rows], rtol=1e-4)
    for row, inside, chance, values in zip(answer.rows, answer.inside, answer.chance, ones, strict=True):
        if labels[row] == 2:
            assert np.isnan(inside)
            assert np.isnan(chance)
        else:
            np.testing.assert_allclose((inside, chance), share_by_hand(values, int(labels[row])), atol=1e-3)
    known = answer.inside[np.isfinite(answer.inside)]
    assert 0 < len(known) < len(answer.inside)
    assert answer.inside_truth is not None
    assert list(answer.inside_truth) == ["mean", "chance"]
    assert answer.inside_truth["mean"] == pytest.approx(known.mean())
    assert answer.inside_truth["chance"] == pytest.approx(1 / 6, rel=1e-3)

    kept = population.values("analysis.heat_inside_truth")
    wanted = np.full(population.samples, np.nan)
    wanted[answer.rows] = answer.inside
    np.testing.assert_array_equal(kept, wanted)
    assert "changes loss:cross_entropy" in population.column("analysis.heat_inside_truth").label
    table = answer.table()
    assert list(table) == ["id", "state", "target", "inside_truth", "chance"]
    assert [each is None for each in table["inside_truth"]] == np.isnan(answer.inside).tolist()
    assert "lies inside what" in answer._repr_html_()


def test_a_bounded_number_of_samples_is_drawn_the_same_whatever_their_order(
    maps: HeatMaps, population: Population
) -> None:
    rows = population.where("state = 'training'")
    first = heatmap_of_samples(maps, population, rows, QUESTION, 5)
    again = heatmap_of_samples(maps, population, rows[::-1], QUESTION, 5)
    assert first.samples == 5
    assert first.ids == again.ids
    assert first.ids != [population.ids[row] for row in rows[:5]]
    np.testing.assert_array_equal(first.values, again.values)


def test_samples_without_a_map_are_left_out_and_counted(maps: HeatMaps, population: Population) -> None:
    rows = population.where("metadata.number < 4 and state = 'training'")
    vectors = [population.row_of(population.ids[row]) for row in rows]
    answer = heatmap_of_samples(maps, population, rows, asked(0, of=f"similar:{population.ids[vectors[0]]}"))
    assert answer.samples == len(rows) - 1
    assert "One sample has no map" in answer.notices[-1]
    assert "is the sample itself" in answer.notices[-1]
    with pytest.raises(LeaplabError, match="is the sample itself"):
        heatmap_of_samples(maps, population, rows[:1], asked(0, of=f"similar:{population.ids[vectors[0]]}"))


@pytest.mark.parametrize(
    ("changes", "count", "sentence"),
    [
        ({"of": "class:all"}, 5, "name one class by --of class:NAME"),
        ({"of": "loss:mine"}, 2, "no loss 'mine'"),
        ({"of": "beauty"}, 2, "There is no heat-map of 'beauty'"),
        ({}, 0, "one sample or more, not of 0"),
    ],
)
def test_bad_questions_are_answered_in_one_sentence(
    maps: HeatMaps, population: Population, changes: Any, count: int, sentence: str
) -> None:
    with pytest.raises(LeaplabError) as raised:
        heatmap_of_samples(maps, population, np.arange(4), asked(0, **changes), count)
    assert sentence in str(raised.value)


def test_command_prints_what_is_agreed_upon(
    command: Command, store: RunStore, population: Population, tmp_path: Path
) -> None:
    where = ("--where", "metadata.number < 6", "--of", "loss:cross_entropy", "--baseline", "zero")
    done = command("heatmap", store.path, *where, "--count", 7, "-o", tmp_path, "--json")
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    assert list(answer) == ["of", "method", "layer", "baseline", "samples", "inside_truth", "files", "values"]
    assert (answer["of"], answer["samples"]) == ("loss:cross_entropy", 7)
    assert list(answer["inside_truth"]) == ["mean", "chance"]
    assert list(answer["files"]) == ["raises", "lowers", "overlay"]
    assert np.load(answer["values"]).shape == (4, 4)
    assert all(Image.open(path).width >= 160 for path in answer["files"].values())
    kept = Population(RunStore.open(store.path)).values("analysis.heat_inside_truth")
    assert np.nanmean(kept) == pytest.approx(answer["inside_truth"]["mean"])

    again = command("heatmap", store.path, *where, "--count", 8, "-o", tmp_path)
    assert again.code == 2
    assert "is there already" in again.err
    told = command("heatmap", store.path, *where, "--count", 7)
    assert "lies inside what 'objects' shows of the ground truth, which takes 0.167 of the picture" in told.out


def test_command_without_a_visualizer_of_the_truth_draws_the_mean_alone(
    command: Command, tiny_run: RunStore, tmp_path: Path
) -> None:
    where = ("--where", "metadata.number < 3", "--of", "class:top", "-o", tmp_path)
    answer = json.loads(command("heatmap", tiny_run.path, *where, "--json").out)
    assert answer["inside_truth"] is None
    assert Path(answer["files"]["overlay"]).exists()
    told = command("heatmap", tiny_run.path, *where, "--overwrite")
    assert "No visualizer of the integration shows boxes or masks of the ground truth" in told.err + told.out


def test_command_is_asked_of_one_or_of_many(command: Command, store: RunStore) -> None:
    both = command("heatmap", store.path, "--id", "training-00", "--where", "metadata.number < 3")
    assert both.code == 2
    assert "leave one out" in both.err
    none = command("heatmap", store.path, "--where", "metadata.number > 1000")
    assert none.code == 2
    assert "No sample meets the condition" in none.err


def test_command_says_who_drew_a_map(command: Command, store: RunStore, tmp_path: Path) -> None:
    done = command("heatmap", store.path, "--id", "training-02", "--of", "class:top", "-o", tmp_path)
    assert done.code == 0, done.err
    assert "drawn by the integration's visualizer 'picture' and its heat-map function" in done.out + done.err


# What makes samples similar -------------------------------------------------------------------------------------------


def test_each_neighbour_has_a_map_of_what_makes_it_similar(
    command: Command, store: RunStore, population: Population, tmp_path: Path
) -> None:
    asked = ("similar", store.path, "--id", "training/training-03", "--count", 3, "--space", "model")
    done = command(*asked, "--why", tmp_path / "why", "--json")
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    assert list(answer) == ["run", "space", "metric", "query", "similar"]
    assert [list(each) for each in answer["similar"]] == [["sample_id", "state", "row", "distance"]] * 3
    names = [f"{number:03d}-{each['sample_id']}.png" for number, each in enumerate(answer["similar"], 1)]
    assert sorted(path.name for path in (tmp_path / "why").iterdir()) == names
    assert all(Image.open(tmp_path / "why" / name).width >= 160 for name in names)

    taken = command(*asked, "--why", tmp_path / "why")
    assert taken.code == 2
    assert "is there already" in taken.err
    told = command(*asked, "--why", tmp_path / "why", "--overwrite")
    assert "why" in told.out.splitlines()[0]
    assert "why" not in command(*asked).out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [(("--id", "training-04"), "name a single sample"), (("--space", "rows"), "and not of 'rows'")],
)
def test_a_reason_is_of_one_sample_and_the_models_own_space(
    command: Command, store: RunStore, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    done = command("similar", store.path, "--id", "training-03", *options, "--why", tmp_path / "why")
    assert done.code == 2
    assert sentence in done.err
