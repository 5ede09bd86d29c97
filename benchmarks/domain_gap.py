"""`leaplab domain-gap`: how long it takes, what it sees beside MMD, and whether what it says of its power holds."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import leaplab
from benchmarks.measuring import Figure, watch
from benchmarks.runs import FRAMES, evaluated
from leaplab.analysis.gap import gap_test, pooled_components, separation
from leaplab.analysis.gap_power import detectable_auc
from leaplab.analysis.nearness import density_ratios
from leaplab.analysis.whitening import fit_whitening
from leaplab.protocol.plan import Part
from leaplab.store.manifest import SCHEMA, ColumnEntry, Manifest
from leaplab.store.writing import PartValues, WrittenRun

COUNT, WIDTH, NUMBERS, KINDS = 2_000, 128, 30, 9
SEEDS = 20
NULLS = 100
PERMUTATIONS = 199
FIRST = ("metadata.image_colour_temperature", "metadata.image_red_std")
Array = NDArray[np.float64]


def run() -> list[Figure]:
    """All of them."""
    return [*seconds(), *beside_mmd(), *told_power(), *generations(evaluated(FRAMES))]


def seconds() -> list[Figure]:
    """Of the whole command on 2,000 and 2,000 samples with 40 columns, first and from the cache."""
    generator = np.random.default_rng(0)
    total = 2 * COUNT
    columns: dict[str, tuple[str, list[Any]]] = {
        f"metadata.n{place}": ("float", generator.normal(size=total).tolist()) for place in range(NUMBERS)
    }
    for place in range(KINDS):
        columns[f"metadata.c{place}"] = ("string", generator.choice(list("abcdef"), total).tolist())
    columns["metadata.origin"] = ("string", np.repeat(["one", "other"], COUNT).tolist())
    vectors = (generator.normal(size=(total, WIDTH)) @ generator.normal(size=(WIDTH, WIDTH))).astype(np.float32)
    manifest = Manifest(
        schema=SCHEMA, identity="one", basis="any", created="2026-01-02T03:04:05+00:00", integration="", entry_file="",
        model="", model_option=None, model_format="onnx", latent_source="", states={"training": total},
        parts=(Part(0, "training", 0, total),),
        columns={name: ColumnEntry(type_) for name, (type_, _) in columns.items()},
        predictions=(), visualizers=(), notices=(),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        store = WrittenRun.begin(Path(folder) / "two", manifest)
        values = {name: values for name, (_, values) in columns.items()}
        ids = [str(number) for number in range(total)]
        store.write_part(PartValues(manifest.parts[0], ids, values, {"model": vectors}, {}, {}))
        store.finish()
        options = ["--source", "metadata.origin = 'one'", "--target", "metadata.origin = 'other'"]
        options += ["--rank", "state = 'training'", "--json"]
        command = ["-m", "leaplab", "domain-gap", str(store.path), *options]
        first, second = watch(command).seconds, watch(command).seconds
    what = f"domain-gap of {COUNT:,} + {COUNT:,} x {WIDTH}, {len(columns)} columns, all ranked"
    return [Figure(what, first, "s", 5), Figure(f"{what}, asked again", second, "s", 2)]


def beside_mmd() -> list[Figure]:
    """Alarms among equal populations, and gaps that are missed, by our test and by MMD."""
    figures = []
    alarms = [[_gap(one, other), _mmd(one, other)] for one, other in _pairs(NULLS, lambda _, vectors: vectors)]
    for name, share in zip(("our test", "MMD"), np.mean(alarms, axis=0), strict=True):
        figures.append(
            Figure(f"false alarms of {NULLS}, {name}", float(share), "", 0.0801 if name == "our test" else None)
        )
    for kind, change in (("mean shifted by .6", _shifted), ("a tenth 2.5 times as far out", _tenth_far)):
        missed = [[not _gap(one, other), not _mmd(one, other)] for one, other in _pairs(SEEDS, change)]
        for name, share in zip(("our test", "MMD"), np.mean(missed, axis=0), strict=True):
            figures.append(Figure(f"gaps of 200 + 200 missed, {kind}, {name}", float(share), ""))
    return figures


def told_power() -> list[Figure]:
    """Of gaps of the size that is told to be seen in 80 of 100 cases, the share that is missed in fresh samples."""
    from scipy.stats import norm

    figures = []
    for sizes in ((40, 400), (150, 150), (1000, 1000)):
        auc = detectable_auc(_world(0, sizes[0]), _world(1, sizes[1]))
        assert auc is not None
        shift = float(np.sqrt(2) * norm.ppf(auc))
        missed = []
        for seed in range(40):
            one, other = _world(100 + seed, sizes[0]), _world(900 + seed, sizes[1])
            missed.append(not _gap(one, other + _direction(seed) * shift))
        told = f"{sizes[0]:,} + {sizes[1]:,}: gaps of the told size (AUC {auc:.2f}) that are missed, told .20"
        figures.append(Figure(told, float(np.mean(missed)), "", 0.4))
    return figures


def generations(run: Path) -> list[Figure]:
    """Which columns tell the first generation from the target, and how well nearness orders held-out frames."""
    opened = leaplab.open_run(run)
    target = "metadata.origin = 'foresight_unlabeled'"
    gap = opened.domain_gap("metadata.origin = 'cognata_a'", target)
    columns = [each.column for each in gap.measured.columns]
    figures = [Figure(f"cognata_a: place of {name.split('.')[1]}", columns.index(name) + 1, "", 3.5) for name in FIRST]
    second = opened.domain_gap("metadata.origin = 'cognata_b'", target)
    figures += [
        Figure("cognata_a: AUC", gap.measured.auc, ""),
        Figure("cognata_b: AUC", second.measured.auc, ""),
        Figure("cognata_b: columns that differ", len(second.measured.columns), "", 0.5),
    ]
    one, other = (np.asarray(opened.vectors(where=each).values) for each in ("metadata.origin = 'cognata_a'", target))
    for fitted, bound in ((100, 0.0101), (80, 0.0101), (40, None), (10, None)):
        missed = [1 - _nearness_auc(one, other, fitted, seed) for seed in range(5)]
        figures.append(
            Figure(f"1 - AUROC of nearness, held out, target of {fitted}", float(np.mean(missed)), "", bound)
        )
    few = [
        _gap(*(_some(each, 40, seed) for each in (np.asarray(opened.vectors(where=second.source.where).values), other)))
        for seed in range(SEEDS)
    ]
    figures.append(Figure("40 of cognata_b and 40 of the target: gaps seen", float(np.mean(few)), ""))
    return figures


def _nearness_auc(source: NDArray[np.float32], target: NDArray[np.float32], fitted: int, seed: int) -> float:
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(seed)
    source, target = source[generator.permutation(len(source))], target[generator.permutation(len(target))]
    half = len(source) // 2
    whitening = fit_whitening(np.concatenate([source[:half], target[:fitted]]))
    one, other = whitening.of(source[:half]), whitening.of(target[:fitted])
    held = whitening.of(np.concatenate([source[half:], target[100:]]))
    none = np.full(len(held), -1)
    near = separation(one, other, others=held).others if fitted >= 100 else density_ratios(held, one, other, none, none)
    return float(roc_auc_score(np.arange(len(held)) >= len(source) - half, near))


def _some(vectors: NDArray[np.float32], count: int, seed: int) -> NDArray[np.float32]:
    return vectors[np.random.default_rng(seed).permutation(len(vectors))[:count]]


def _world(seed: int, count: int) -> Array:
    """32 dimensions, as many as a test looks at, of standard deviation 1 with the tails of a t distribution."""
    return np.asarray(np.random.default_rng(seed).standard_t(6, (count, 32)) / np.sqrt(1.5))


def _direction(seed: int) -> Array:
    direction = np.random.default_rng(seed).normal(size=32)
    return np.asarray(direction / np.linalg.norm(direction))


def _pairs(count: int, change: Callable[[int, Array], Array]) -> Iterator[tuple[Array, Array]]:
    for seed in range(count):
        yield _world(2 * seed, 200), change(seed, _world(2 * seed + 1, 200))


def _shifted(seed: int, vectors: Array) -> Array:
    return vectors + 0.6 * _direction(seed)


def _tenth_far(_: int, vectors: Array) -> Array:
    return np.concatenate([2.5 * vectors[:20], vectors[20:]])


def _gap(one: NDArray[np.floating], other: NDArray[np.floating]) -> bool:
    return gap_test(*pooled_components(one, other), PERMUTATIONS).p <= 0.05


def _mmd(one: Array, other: Array) -> bool:
    """Maximum mean discrepancy (Gretton et al., JMLR 13, 2012): a Gaussian kernel of the median distance, permuted."""
    pool = np.concatenate(pooled_components(one, other))
    squared = np.square(pool[:, None] - pool).sum(axis=-1)
    kernel = np.exp(-squared / np.median(squared[np.triu_indices(len(pool), 1)]))
    np.fill_diagonal(kernel, 0)
    signs = np.where(np.arange(len(pool)) < len(one), 1 / len(one), -1 / len(other))
    generator = np.random.default_rng(0)
    found = [signs @ kernel @ signs]
    for _ in range(PERMUTATIONS):
        mixed = generator.permutation(signs)
        found.append(mixed @ kernel @ mixed)
    return bool(np.mean(np.array(found) >= found[0]) <= 0.05)
