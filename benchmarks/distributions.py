"""Out of distribution, copies and domain gaps: how good the answers are."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import leaplab
from benchmarks.measuring import ROOT, Figure
from benchmarks.runs import CIFAR10, FRAMES, MNIST, REAL_FRAMES, evaluated
from leaplab.analysis.components import standard_components
from leaplab.analysis.duplicates import find_duplicates
from leaplab.analysis.gap import GapTest, drawn, gap_test, pooled_components, separation
from leaplab.analysis.graph import neighbour_graph
from leaplab.analysis.novelty import RareClusters, rare_clusters
from leaplab.protocol.description import InputSpec
from leaplab.worker.input_properties import HASH, input_facts

SHARED = ROOT.parent / "shared"
PLANTED = 50
SEEDS = 5
NULLS = 100
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """A classifier's images, and what its model makes of any such image.

    Attributes:
        run: the name of its run.
        model: its file.
        images: [n, H, W, C], those of training first.
        held_out: how many are behind these.
    """

    run: str
    model: str
    images: Callable[[], Images]
    held_out: int = 10_000

    def facts(self, images: Images, source: str) -> tuple[NDArray[np.float32], NDArray[np.object_], Images]:
        """Latent vectors, hashes and thumbnails, as an evaluation makes them of images."""
        inputs = images.astype(np.float32) / 255
        session = _session(SHARED / "models" / self.model, source)
        name = session.get_inputs()[0].name
        vectors = [session.run([source], {name: inputs[at : at + 500]})[0] for at in range(0, len(inputs), 500)]
        facts = input_facts({"image": inputs}, [InputSpec("image", images.shape[1:], -1)], {"image": (0.0, 1.0)})
        return np.concatenate(vectors), np.array(facts.columns[HASH], object), facts.thumbnails["image"]


def run() -> list[Figure]:
    """All of them."""
    return [*out_of_distribution(), *copies(), *gaps()]


def out_of_distribution() -> list[Figure]:
    """Severity of the fisheye, of states and halves that lack nothing, and hidden frames that are found."""
    frames, road = _vectors(REAL_FRAMES), _vectors(FRAMES)
    figures = [
        Figure("real frames: 1 - severity of the fisheye", 1 - _severity(frames, "unlabeled"), "", 0.2),
        Figure(
            "real frames: severity of validation, other roads by the same camera", _severity(frames, "validation"), ""
        ),
    ]
    for pictures in PICTURES:
        states = _vectors(pictures.run)
        figures += [
            Figure(f"{pictures.run}: severity of {state}", _severity(states, state), "", 1e-9)
            for state in states
            if state != "training"
        ]
    alarms = sum(
        _halves_differ(states[state], seed)
        for states, state in ((frames, "training"), (road, "training"))
        for seed in range(20)
    )
    figures.append(Figure("clusters that one of two halves lacks, 40 halvings", alarms, "", 1))
    hidden = [_hidden(road["training"], road["validation"], road["unlabeled"], 20, seed) for seed in range(SEEDS)]
    figures.append(Figure(f"20 fisheye frames among 400: not found in {SEEDS} seeds", hidden.count(False), "", 1.5))
    usual = np.concatenate([frames["training"], frames["validation"]])
    for others in (200, 400):
        missed = [_hidden(*_parted(usual, others - 20, seed), frames["unlabeled"], 20, seed) for seed in range(SEEDS)]
        told = f"20 real fisheye frames among {others}, training {len(usual) - others + 20}: not found in {SEEDS} seeds"
        figures.append(Figure(told, missed.count(False), ""))
    return figures


def _severity(states: Mapping[str, NDArray[np.float32]], state: str) -> float:
    everything = standard_components(np.concatenate(list(states.values())))
    starts = dict(zip(states, np.cumsum([0, *map(len, states.values())]), strict=False))
    parts = {name: everything[starts[name] : starts[name] + len(states[name])] for name in ("training", state)}
    found = rare_clusters(parts["training"], parts[state], tried=len(states) - 1)
    return float((found.other_counts / len(parts[state]) * (1 - found.ratios)).sum())


def _halves_differ(vectors: NDArray[np.float32], seed: int) -> bool:
    return bool(len(_compared(*_parted(vectors, len(vectors) // 2, seed)).rare))


def _hidden(
    training: NDArray[np.float32], usual: NDArray[np.float32], strange: NDArray[np.float32], count: int, seed: int
) -> bool:
    """Whether the clusters that are found hold hidden samples above all."""
    generator = np.random.default_rng(seed)
    kept = usual[generator.permutation(len(usual))[: 400 - count]]
    found = _compared(training, np.concatenate([kept, strange[generator.choice(len(strange), count, replace=False)]]))
    inside = np.flatnonzero(np.isin(found.numbers, found.rare))
    return bool(len(inside)) and float(np.mean(inside >= len(kept))) > 0.5


def _parted(vectors: NDArray[np.float32], count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    order = np.random.default_rng(seed).permutation(len(vectors))
    return vectors[order[count:]], vectors[order[:count]]


def _compared(training: NDArray[np.float32], others: NDArray[np.float32]) -> RareClusters:
    components = standard_components(np.concatenate([training, others]))
    return rare_clusters(components[: len(training)], components[len(training) :])


def copies(seeds: int = 1) -> list[Figure]:
    """Recall of planted copies by their kind; what else is found beside what the run holds of its own."""
    figures = []
    for pictures in PICTURES:
        for seed in range(seeds):
            figures += _planted(pictures, seed)
    return figures


def _planted(pictures: Pictures, seed: int) -> list[Figure]:
    opened = leaplab.open_run(evaluated(pictures.run))
    population = opened._population
    store = population.store
    vectors, rows = population.vectors().values, population.vectors().rows
    hashes = population.values("input.hash")[rows]
    small = store.thumbnails()["image"][rows]
    images = pictures.images()
    chosen = images[np.random.default_rng(seed).choice(len(images), 3 * PLANTED, replace=False)]
    source = store.manifest.latent_source
    places = {text: place for place, text in enumerate(hashes.tolist())}
    originals = [places[text] for text in pictures.facts(chosen, source)[1].tolist()]
    kinds = planted_copies(chosen)
    planted = np.concatenate([images[PLANTED * at : PLANTED * (at + 1)] for at, images in enumerate(kinds.values())])
    theirs = pictures.facts(planted, source)
    all_vectors, all_hashes = np.concatenate([vectors, theirs[0]]), np.concatenate([hashes, theirs[1]])
    all_small = {"image": np.concatenate([small, theirs[2]])}
    graph = neighbour_graph(standard_components(all_vectors)).rows
    started = time.process_time()
    found = find_duplicates(len(all_vectors), all_hashes, np.arange(len(all_vectors)), all_vectors, graph, all_small)
    seconds = time.process_time() - started
    near = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    wanted = [(original, len(vectors) + at) for at, original in enumerate(originals)]
    hit = [found.copies[one] == found.copies[other] or (one, other) in near for one, other in wanted]
    others = {pair for pair in near if pair not in set(wanted)}
    own = {pair for pair in others if pair[1] < len(vectors)}
    figures = [
        Figure(f"{pictures.run}: copies not found, {kind}", 1 - float(np.mean(part)), "", bound)
        for kind, part, bound in zip(kinds, np.split(np.array(hit), 3), (1e-9, 0.0501, 0.201), strict=True)
    ]
    false = len(others - own) / max(1, sum(hit) + len(others - own))
    return [
        *figures,
        Figure(f"{pictures.run}: share of planted samples' pairs that is false", false, "", 0.05),
        Figure(f"{pictures.run}: near pairs that the run has of its own", len(own), ""),
        Figure(f"{pictures.run}: finding them, beside the graph, of one core", seconds, "s"),
    ]


def planted_copies(images: Images) -> dict[str, Images]:
    """Images once more: as they are, encoded as JPEG of quality 80, and shifted by a pixel to the right."""
    import cv2

    def encoded(image: Images) -> Images:
        coloured = image.shape[-1] == 3
        _, data = cv2.imencode(".jpg", image[..., ::-1] if coloured else image, [cv2.IMWRITE_JPEG_QUALITY, 80])
        return _decoded(data) if coloured else _decoded(data)[..., :1]

    shifted = np.concatenate([images[:, :, :1], images[:, :, :-1]], axis=2)
    return {"exact": images.copy(), "JPEG 80": np.stack([encoded(image) for image in images]), "shifted": shifted}


def gaps() -> list[Figure]:
    """Alarms among equal populations, power against noise and brightness, seconds of a test, nearness of a domain."""
    figures = []
    for pictures, bounded in zip(PICTURES, (True, False), strict=True):
        opened = leaplab.open_run(evaluated(pictures.run))
        source = opened._population.store.manifest.latent_source
        images = pictures.images()[-pictures.held_out :]
        images = images[np.random.default_rng(0).permutation(len(images))]  # MNIST lies sorted by class
        noise = np.random.default_rng(1).normal(0, 25.5, images[:4000].shape)
        clean = pictures.facts(images, source)[0]
        noisy = pictures.facts(np.clip(np.rint(images[:4000] + noise), 0, 255).astype(np.uint8), source)[0]
        dark = pictures.facts(np.rint(images * 0.9).astype(np.uint8), source)[0]
        alarms = _share([_test(*_two(clean, 200, seed)) for seed in range(NULLS)])
        tenth = [_test(*_tenth(clean, noisy, seed)) for seed in range(20)]
        darker = [_test(*_two(clean, 1000, seed, dark)) for seed in range(20)]
        figures += [
            Figure(f"{pictures.run}: false alarms of a gap, {NULLS} halvings of 400", alarms, "", 0.0801),
            Figure(
                f"{pictures.run}: noise in 10 % of 200, gaps missed", 1 - _share(tenth), "", 0.201 if bounded else None
            ),
            Figure(
                f"{pictures.run}: 0.9 times as bright, of 1,000 missed",
                1 - _share(darker),
                "",
                0.101 if bounded else None,
            ),
        ]
    one, other = clean[:2000], clean[2000:4000]
    started = time.process_time()
    _test(one, other)
    separation(*pooled_components(one, other))
    figures.append(Figure("a test of 2,000 and 2,000 with its AUC, of one core", time.process_time() - started, "s", 5))
    frames = _vectors(REAL_FRAMES)
    usual = np.concatenate([frames["training"], frames["validation"]])
    usual = usual[drawn(usual)]
    apart = separation(*pooled_components(usual, frames["unlabeled"]))
    figures.append(Figure("real frames: 1 - AUC of nearness to the fisheye", 1 - apart.auc, "", 0.0101))
    return figures


def _share(tests: Sequence[GapTest]) -> float:
    return float(np.mean([each.p <= 0.05 for each in tests]))


def _test(one: NDArray[np.float32], other: NDArray[np.float32]) -> GapTest:
    return gap_test(*pooled_components(one, other))


def _two(
    vectors: NDArray[np.float32], count: int, seed: int, others: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    order = np.random.default_rng(seed).permutation(len(vectors))
    return vectors[order[:count]], (vectors if others is None else others)[order[count : 2 * count]]


def _tenth(
    clean: NDArray[np.float32], noisy: NDArray[np.float32], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    order = np.random.default_rng(seed).permutation(len(noisy))
    target = clean[order[200:400]].copy()
    target[:20] = noisy[order[200:220]]
    return clean[order[:200]], target


def _vectors(name: str) -> dict[str, NDArray[np.float32]]:
    """State -> its latent vectors."""
    population = leaplab.open_run(evaluated(name))._population
    found = population.vectors()
    states = np.array(population.states, object)[found.rows]
    return {state: found.values[states == state] for state in dict.fromkeys(states.tolist())}


def _session(path: Path, source: str) -> Any:
    import onnx
    import onnxruntime

    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(source))
    return onnxruntime.InferenceSession(model.SerializeToString())


def _mnist() -> Images:
    with np.load(SHARED / "data" / "mnist.npz") as archive:
        return np.asarray(np.concatenate([archive["x_train"], archive["x_test"]])[..., None])


def _decoded(data: NDArray[np.uint8]) -> Images:
    import cv2

    found = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found[..., ::-1], np.uint8)


def _cifar10() -> Images:
    images = []
    with np.load(SHARED / "data" / "cifar10_jpeg.npz") as archive:
        for split in ("train", "test"):
            blob, offsets = archive[f"{split}_jpeg"], archive[f"{split}_offsets"]
            images += [_decoded(blob[start:stop]) for start, stop in pairwise(offsets)]
    return np.stack(images)


PICTURES = (
    Pictures(MNIST, "mnist_cnn.onnx", _mnist),
    Pictures(CIFAR10, "cifar10_resnet_18.onnx", _cifar10),
)
