"""Heat-maps: how long they take, and whether what they point at decides the class (insertion and deletion).

Insertion (Petsiuk et al., 2018): the pixels of a photograph come back into a blurred copy of it, those of a digit onto
empty paper, first those that the map says raise the class most; the mean of the class's probability on the way, higher
is better. Deletion: they leave the picture for its mean colour, or for empty paper; lower is better. On detections: the
share of what raises a detection's score that lies inside its box, beside the share of the image that the box takes; of
many frames, the share of what changes the loss inside the true boxes.
"""

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measuring import ROOT, Figure
from benchmarks.runs import CIFAR10, EXAMPLES, FRAMES, GENERATED, MNIST, OF_GENERATED, evaluated, forget
from leaplab.evaluate.reopen import reopen
from leaplab.population.heatmap import HeatmapQuestion, HeatMaps
from leaplab.population.heatmap_population import heatmap_of_samples
from leaplab.population.population import Population, open_population
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.operations import VISUALIZE

PHOTOGRAPHS = 500
DIGITS = 500
TIMED = 15
MANY = 40
"""Frames of the mean map."""
SEED = 0
SHARES = np.linspace(0, 1, 17)
ABOVE_RANDOM = 0.2
METHODS = {
    "ablation": {"method": "ablation"},
    "ablation in blocks of 2": {"method": "ablation", "block": 2},
    "occlusion": {"method": "occlusion"},
    "occlusion, 0 for what is absent": {"method": "occlusion", "baseline": "zero"},
}


def run() -> list[Figure]:
    """Insertion and deletion on the two classifiers; seconds of each kind of map."""
    figures: list[Figure] = []
    for name, state, count in ((CIFAR10, "test", PHOTOGRAPHS), (MNIST, "validation", DIGITS)):
        with _bound(name) as (population, maps):
            figures += _fidelity(name, population, maps, state, count)
            figures += _classifier_seconds(name, population, maps, state)
    with _bound(FRAMES) as (population, maps):
        figures += _detector_figures(population, maps)
    return figures


@contextmanager
def _bound(name: str) -> Iterator[tuple[Population, HeatMaps]]:
    """A run without heat-maps in its cache, and its integration's process, which picks the example by a variable."""
    path = evaluated(name)
    for analysis in ("heatmap", "heatmap of samples"):
        forget(path, analysis)
    changed = {"LEAP_EXAMPLE": EXAMPLES[name][0]}
    if name in OF_GENERATED:
        changed["LEAP_DATA_ROOT"] = os.environ.get("LEAP_DATA_ROOT_GENERATED", str(GENERATED.resolve()))
    before = {key: os.environ.get(key) for key in changed}
    os.environ.update(changed)
    try:
        population = open_population(path)
        with HeatMaps(population) as maps:
            yield population, maps
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key)
            else:
                os.environ[key] = value


def _fidelity(name: str, population: Population, maps: HeatMaps, state: str, count: int) -> list[Figure]:
    rows = _rows(population, state, count)
    session = onnxruntime.InferenceSession(str(_model(name)))
    what = EXAMPLES[name][0]
    scores: dict[str, list[tuple[float, float]]] = {method: [] for method in [*METHODS, "random"]}
    spent = dict.fromkeys(METHODS, 0.0)
    generator = np.random.default_rng(SEED)
    for row in rows:
        chosen = ""
        picture: Any = None
        for method, asked in METHODS.items():
            if not chosen:
                everything = maps.of(HeatmapQuestion(row, "class:all"))
                chosen = everything.names[int(everything.targets.argmax())]
                picture, place = everything.picture, int(everything.targets.argmax())
            started = time.perf_counter()
            answer = maps.of(HeatmapQuestion(row, f"class:{chosen}", **asked))  # type: ignore[arg-type]
            spent[method] += time.perf_counter() - started
            scores[method].append(_inserted_and_deleted(session, picture, answer.values[0], place, name == MNIST))
        scores["random"].append(
            _inserted_and_deleted(session, picture, generator.random(picture.shape[:2]), place, name == MNIST)
        )
    means = {method: np.mean(each, axis=0) for method, each in scores.items()}
    figures = []
    for method, (inserted, deleted) in means.items():
        bound = None
        if method == "ablation":  # not below occlusion, and so much above random
            bound = 1 - max(means["occlusion"][0], means["random"][0] + ABOVE_RANDOM) + 1e-9
        figures += [
            Figure(f"{what}, {method}: 1 - insertion", 1 - float(inserted), "", bound),
            Figure(f"{what}, {method}: deletion", float(deleted), ""),
        ]
    return figures + [
        Figure(f"{what}, {method}: a map", 1000 * seconds / len(rows), "ms") for method, seconds in spent.items()
    ]


def _inserted_and_deleted(
    session: onnxruntime.InferenceSession,
    picture: NDArray[np.float32],
    values: NDArray[np.float64],
    place: int,
    on_paper: bool,
) -> tuple[float, float]:
    height, width, channels = picture.shape
    fine = Image.fromarray(values.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    order = np.argsort(-np.asarray(fine).reshape(-1), kind="stable")
    even = np.zeros((height * width, channels), np.float32)
    if not on_paper:
        even += picture.mean(axis=(0, 1))
    smooth = even if on_paper else _blurred(picture).reshape(-1, channels)
    flat = picture.reshape(-1, channels)
    rows = []
    for share in SHARES:
        first = order[: round(share * len(order))]
        inserted, deleted = smooth.copy(), flat.copy()
        inserted[first], deleted[first] = flat[first], even[first]
        rows += [inserted, deleted]
    batch = np.stack(rows).reshape(-1, *picture.shape).astype(np.float32)
    (classes,) = session.run(None, {session.get_inputs()[0].name: batch})
    inserted, deleted = classes[0::2, place], classes[1::2, place]
    return float(inserted.mean()), float(deleted.mean())


def _blurred(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    smooth = cv2.GaussianBlur(picture, (0, 0), picture.shape[0] / 8)
    return np.asarray(smooth, np.float32).reshape(picture.shape)


def _classifier_seconds(name: str, population: Population, maps: HeatMaps, state: str) -> list[Figure]:
    what = EXAMPLES[name][0]
    rows = _rows(population, state, TIMED, seed=SEED + 1)
    of = "class:all" if name == MNIST else "loss"
    seconds = _median(maps, rows, of)
    said = "all ten class maps of a digit" if name == MNIST else "the loss of a photograph"
    return [Figure(f"{what}: {said}, warm", 1000 * seconds, "ms", 100 if name == MNIST else 30)]


def _detector_figures(population: Population, maps: HeatMaps) -> list[Figure]:
    column = "metric.detected_car"
    cars = population.where(f"state = 'validation' and {column} >= 1")[:12].tolist()
    maps.of(HeatmapQuestion(cars[-1], "detection:1", block=3))
    maps.of(HeatmapQuestion(cars[-1], "loss"))
    seconds = [
        Figure(
            "detection of a frame, blocks of 3 x 3, warm", _median(maps, cars[:3], "detection:1", block=3), "s", 1.5
        ),
        Figure("detection of a frame, single cells, warm", _median(maps, cars[:1], "detection:1"), "s", 8),
        Figure("loss of a frame over all levels, warm", _median(maps, cars[:3], "loss"), "s", 1.5),
    ]
    share, chance, inside = _boxed(population, maps, cars)
    started = time.perf_counter()
    many = heatmap_of_samples(maps, population, population.where("state = 'validation'"), HeatmapQuestion(0), MANY)
    spent = time.perf_counter() - started
    leaning = many.inside_truth
    assert leaning is not None
    return [
        *seconds,
        Figure(f"mean loss map of {many.samples} frames, a frame", spent / many.samples, "s", 1.5),
        Figure(
            "what changes the loss, share outside the true boxes", 1 - leaning["mean"], "", 1 - 4 * leaning["chance"]
        ),
        Figure("share of the frames outside the true boxes", 1 - leaning["chance"], ""),
        Figure("what raises a detection, share outside its box", 1 - share, "", 1 - 4 * chance),
        Figure("share of the image outside the box", 1 - chance, ""),
        Figure(f"detections of {len(cars)} whose peak lies outside their box", len(cars) - inside, ""),
    ]


def _boxed(population: Population, maps: HeatMaps, rows: list[int]) -> tuple[float, float, int]:
    """Mean share of what raises the first detection inside its box, mean share of the image, peaks inside."""
    shares, chances, inside = [], [], 0
    with reopen(population.store.manifest) as session:
        for row in rows:
            shown = session.call(VISUALIZE, SampleOrder(population.states[row], population.ids[row]))
            box = next(each for each in shown.visuals if each.name == "detections").fields["bounding_boxes"][0]
            values = maps.of(HeatmapQuestion(row, "detection:1", block=3)).values[0]
            height, width = values.shape
            rows_in = np.abs((np.arange(height) + 0.5) / height - box["y"]) <= box["height"] / 2
            columns_in = np.abs((np.arange(width) + 0.5) / width - box["x"]) <= box["width"] / 2
            covered = np.outer(rows_in, columns_in)
            raising = np.maximum(np.nan_to_num(values), 0)
            shares.append(float(raising[covered].sum() / raising.sum()))
            chances.append(float(covered.mean()))
            inside += bool(covered.reshape(-1)[raising.argmax()])
    return float(np.mean(shares)), float(np.mean(chances)), inside


def _median(maps: HeatMaps, rows: list[int], of: str, **asked: Any) -> float:
    seconds = []
    for row in rows:
        started = time.perf_counter()
        maps.of(HeatmapQuestion(row, of, **asked))
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _rows(population: Population, state: str, count: int, seed: int = SEED) -> list[int]:
    of_state = np.flatnonzero(np.array(population.states, object) == state)
    return sorted(np.random.default_rng(seed).choice(of_state, count, replace=False).tolist())


def _model(name: str) -> Path:
    from benchmarks.runs import MODELS

    file = f"{EXAMPLES[name][1]}.onnx"
    return ROOT / next(folder / file for folder in MODELS if (folder / file).exists())
