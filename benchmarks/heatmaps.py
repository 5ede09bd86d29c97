"""Heat-maps: how long they take, and whether what they point at decides the class (insertion and deletion).

Insertion (Petsiuk et al., 2018): the pixels of a photograph come back into a blurred copy of it, those of a digit onto
empty paper, first those that the map says raise the class most; the mean of the class's probability on the way, higher
is better. Deletion: they leave the picture for its mean colour, or for empty paper; lower is better. On detections: the
share of what raises a detection's score that lies inside its box, beside the share of the image that the box takes; of
many frames, the share of what changes the loss inside the true boxes. Grad-CAM and LayerCAM of pytorch-grad-cam, of the
same model by onnx2torch, are asked beside these where `GRAD_CAM_PYTHON` names a Python that has both.
"""

import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import psutil
from numpy.typing import NDArray
from PIL import Image

from benchmarks.measuring import POLL_S, ROOT, Figure
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
MANY_PHOTOGRAPHS = 1000
"""Photographs whose loss maps are drawn at once."""
FEW_PHOTOGRAPHS = 100
"""Of these, the first, whose memory is held against that of all."""
SEED = 0
SHARES = np.linspace(0, 1, 17)
ABOVE_RANDOM = 0.2
METHODS = {
    "ablation": {"method": "ablation"},
    "ablation in blocks of 2": {"method": "ablation", "block": 2},
    "occlusion": {"method": "occlusion"},
    "occlusion, 0 for what is absent": {"method": "occlusion", "baseline": "zero"},
}
GRAD_CAM = "GRAD_CAM_PYTHON"
PEERS = ("Grad-CAM", "LayerCAM")
BY_GRAD_CAM = """
import sys, time
import numpy, onnx, onnx2torch, torch
from pytorch_grad_cam import GradCAM, LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

class Logits(torch.nn.Module):  # of pictures whose channels are first, before the softmax, whose slope vanishes
    def __init__(self, model):
        super().__init__()
        self.model, self.seen = model, []
        last = [each for each in model.modules() if "softmax" in type(each).__name__.lower()][-1]
        last.register_forward_pre_hook(lambda module, given: self.seen.append(given[0]))

    def forward(self, pictures):
        self.seen.clear()
        self.model(pictures.permute(0, 2, 3, 1))
        return self.seen[-1]

model = Logits(onnx2torch.convert(onnx.load(sys.argv[1])).eval())
given = numpy.load(sys.argv[2])
pictures = torch.from_numpy(given["pictures"]).permute(0, 3, 1, 2).contiguous()
maps = []  # the last activation with two axes of space, as pytorch-grad-cam advises for a ResNet
for module in model.modules():
    if "relu" in type(module).__name__.lower():
        note = lambda module, given, made: maps.append(module) if made.ndim == 4 else None
        module.register_forward_hook(note)
model(pictures[:1])
layer, found = maps[-1], {}
for name, method in (("Grad-CAM", GradCAM), ("LayerCAM", LayerCAM)):
    with method(model=model, target_layers=[layer]) as cam:
        started = time.perf_counter()
        parts = []
        for picture, place in zip(pictures, given["places"]):
            parts.append(cam(input_tensor=picture[None], targets=[ClassifierOutputTarget(int(place))])[0])
        found[name], found[name + " seconds"] = numpy.stack(parts), time.perf_counter() - started
numpy.savez(sys.argv[3], **found)
"""


def run() -> list[Figure]:
    """Insertion and deletion on the two classifiers; seconds of each kind of map."""
    figures: list[Figure] = []
    for name, state, count in ((CIFAR10, "test", PHOTOGRAPHS), (MNIST, "validation", DIGITS)):
        with _bound(name) as (population, maps):
            figures += _fidelity(name, population, maps, state, count)
            figures += _classifier_seconds(name, population, maps, state)
            if name == CIFAR10:
                figures += _many_photographs(population, maps, state)
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
    pictures, places = [], []
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
        pictures.append(picture)
        places.append(place)
    peers = _by_grad_cam(_model(name), pictures, places)
    for peer, (drawn, seconds) in peers.items():
        spent[peer] = seconds
        scores[peer] = [
            _inserted_and_deleted(session, picture, values, place, name == MNIST)
            for picture, values, place in zip(pictures, drawn, places, strict=True)
        ]
    means = {method: np.mean(each, axis=0) for method, each in scores.items()}
    figures = []
    for method, (inserted, deleted) in means.items():
        bound = None
        if method == "ablation":  # not below occlusion nor the peers, and so much above random
            others = [means[each][0] for each in ("occlusion", *peers)]
            bound = 1 - max(*others, means["random"][0] + ABOVE_RANDOM) + 1e-9
        figures += [
            Figure(f"{what}, {method}: 1 - insertion", 1 - float(inserted), "", bound),
            Figure(f"{what}, {method}: deletion", float(deleted), ""),
        ]
    return figures + [
        Figure(f"{what}, {method}: a map", 1000 * seconds / len(rows), "ms") for method, seconds in spent.items()
    ]


def _by_grad_cam(
    model: Path, pictures: list[NDArray[np.float32]], places: list[int]
) -> dict[str, tuple[NDArray[np.float32], float]]:
    """Peer -> [N, H, W] its maps of what raises a class each, and the seconds that they took."""
    python = os.environ.get(GRAD_CAM)
    if not python:
        print(f"Grad-CAM and LayerCAM are not compared: name a Python that has them and onnx2torch by {GRAD_CAM}.")
        return {}
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(given, pictures=np.stack(pictures), places=np.array(places))
        subprocess.run([python, "-c", BY_GRAD_CAM, str(model), str(given), str(found)], check=True)
        with np.load(found) as read:
            return {peer: (read[peer], float(read[f"{peer} seconds"])) for peer in PEERS}


def _many_photographs(population: Population, maps: HeatMaps, state: str) -> list[Figure]:
    """Seconds of many loss maps, and how much more memory they take than a few."""
    rows = np.array(_rows(population, state, MANY_PHOTOGRAPHS, seed=SEED + 2), np.int64)
    _ = maps.cuts.session  # bound before the clock starts
    peaks, seconds = [], []
    for some in (rows[:FEW_PHOTOGRAPHS], rows):
        with _peak_of_children() as peak:
            started = time.perf_counter()
            answer = heatmap_of_samples(maps, population, some, HeatmapQuestion(0), len(some))
            seconds.append(time.perf_counter() - started)
        assert answer.samples == len(some)
        peaks.append(peak[0])
    many = f"loss maps of {MANY_PHOTOGRAPHS:,} photographs"
    return [
        Figure(many, seconds[1], "s", 60),
        Figure(f"{many}, the process's peak of memory", peaks[1] / 2**20, "MiB"),
        Figure(f"the same, more than that of {FEW_PHOTOGRAPHS:,}", (peaks[1] - peaks[0]) / 2**20, "MiB", 32),
    ]


@contextmanager
def _peak_of_children() -> Iterator[list[int]]:
    """The largest resident memory of the processes that this one has started, in bytes."""
    peak, ended = [0], threading.Event()

    def watched() -> None:
        while not ended.wait(POLL_S):
            sizes = []
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):  # it has ended
                    sizes.append(child.memory_info().rss)
            peak[0] = max(peak[0], sum(sizes))

    watcher = threading.Thread(target=watched, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


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
