"""Good integrations as a dozen engineers would write them: each is checked, evaluated and sampled.

What a run must hold, each test computes from the integration's own plain functions and its model alone, one sample at a
time. Those that code-loader accepts stay as they are: where leaplab says something of one, leaplab is wrong.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from leaplab.analysis.insight.registry import KINDS

HERE = Path(__file__).parent
Array = NDArray[Any]
Import = Callable[[str], Any]
Model = Callable[..., list[Array]]
Rows = Iterator[tuple[str, str, dict[str, float | None]]]
"""State, id, and every column of a loss or a metric."""


@dataclass(frozen=True)
class Field:
    """What leaplab must make of an integration.

    Attributes:
        rows: from a way to import its modules, its model, and its folder.
        visuals: what it draws of a validation sample.
        findings: rules that have something to say.
        model: where `make_model.py` writes it.
        named: whether the model has to be named to the commands.
    """

    rows: Callable[[Import, Model, Path], Rows]
    visuals: tuple[str, ...]
    model: str
    findings: tuple[str, ...] = ()
    named: bool = False


def log_softmax(logits: Array) -> Array:
    return np.asarray(logits - np.log(np.exp(logits).sum()))


def pallet_detector(load: Import, model: Model, root: Path) -> Rows:
    boxes, data, loss, config = (load(f"pallets.{name}") for name in ("boxes", "data", "loss", "config"))
    for state in ("training", "validation", "test"):
        for picture, record in data.load_split(state).items():
            (output,), truth = model(record["image"]), record["boxes"]
            found = boxes.detections(output)
            hits = boxes.match(truth, found)
            overlaps = [
                max((float(boxes.iou(boxes.corners(row[None, 1:]), box[None])[0, 0])
                     for label, _, box in found if label == row[0]), default=0.0)
                for row in truth
            ]  # fmt: skip
            columns: dict[str, float | None] = {
                "loss.detection_loss": loss.detection_loss(data.pad_boxes(truth), output),
                "metric.best_iou": float(np.mean(overlaps)) if overlaps else None,
                "metric.per_class_false_positives": len([hit for hit in hits if hit is None]),
            }
            for label, name in enumerate(config.CLASSES):
                mine = [place in hits for place, row in enumerate(truth) if row[0] == label]
                columns[f"metric.per_class_{name}_recall"] = float(np.mean(mine)) if mine else None
            yield state, picture, columns


def sentence_pairs(load: Import, model: Model, root: Path) -> Rows:
    text = load("pairs_text")
    for state, seed, count in (("training", 1, 12), ("validation", 2, 9), ("unlabeled", 3, 6)):
        for number, pair in enumerate(text.generate(seed, count)):
            ids = np.array(text.encode(pair["premise"], 10)), np.array(text.encode(pair["hypothesis"], 8))
            (logits,) = model(*ids, np.concatenate(ids) != 0)
            chances = log_softmax(logits)
            labelled = state != "unlabeled"
            yield state, f"{state}_{number}", {
                "loss.cross_entropy": -chances[pair["label"]] if labelled else None,
                "metric.accuracy": float(logits.argmax() == pair["label"]) if labelled else None,
                "metric.certainty": np.exp(chances.max()),
            }  # fmt: skip


def keyword_audio(load: Import, model: Model, root: Path) -> Rows:
    kws, keywords = load("kws"), load("kws.dataset").KEYWORDS
    sets = {"training": ("tr", 12, 10), "validation": ("va", 8, 11), "additional": ("cafe", 8, 12, 0.2)}
    for state, order in sets.items():
        clips = kws.Dataset(*order)
        for name in clips.ids:
            (logits,) = model(kws.log_mel(clips[name].waveform, kws.AudioConfig()))
            truth = keywords.index(clips[name].keyword)
            rank = int((logits > logits[truth]).sum())
            yield state, name, {
                "loss.nll": -log_softmax(logits)[truth],
                "metric.rank_of_truth": rank,
                "metric.accuracy": float(rank == 0),
            }  # fmt: skip


def house_prices(load: Import, model: Model, root: Path) -> Rows:
    # The integration is one file, which binds itself where it is imported: another process tells what its table holds.
    told = told_by(
        root,
        "import leap_integration as one; print(json.dumps([[state, name, t.features(name, t).tolist(),"
        " float(t.price(name, t)[0])] for state, size, seed in [('training', 12, 1), ('validation', 9, 2),"
        " ('test', 6, 3)] for t in [one.HouseTable(state, size, seed)] for name in t.ids]))",
    )
    for state, name, features, price in told:
        (guess,) = model(np.array(features, np.float32))
        off = abs(price - guess.item())
        yield state, name, {
            "loss.squared_error": off**2,
            "metric.error_thousands": 1000 * off,
            "metric.error_within_10_percent": float(off <= 0.1 * price),
        }  # fmt: skip


def clip_motion(load: Import, model: Model, root: Path) -> Rows:
    clips, names = load("src.motion.clips"), load("src.motion.settings").directionNames
    for state, short, *order in (("training", "train", 12, 21), ("validation", "val", 8, 22), ("test", "test", 6, 23)):
        store = clips.ClipStore(short, *order)
        for name in store.clipIds():
            clip = store.clip(name)
            (guess,) = model(clips.toModelInput(clip["frames"]))
            truth, found = names.index(clip["direction"]), int(guess.argmax())
            yield state, name, {
                "loss.cross_entropy": -np.log(guess[truth]),
                "metric.right_direction": float(truth == found),
                "metric.right_axis": float(truth // 2 == found // 2),
            }  # fmt: skip


def lidar_cars(load: Import, model: Model, root: Path) -> Rows:
    scenes, geometry = load("lidar_scenes"), load("lidar_geometry")
    for drive, (state, count) in enumerate((("training", 11), ("validation", 7), ("test", 6))):
        for name, scene in scenes.sweep(f"drive{drive}_", count, drive + 1).items():
            logits, box = model(scene.points)
            truth = scenes.KINDS.index(scene.kind)
            yield state, name, {
                "loss.detection": geometry.huber(scene.box - box).sum() - log_softmax(logits)[truth],
                "metric.kind_hit": float(logits.argmax() == truth),
                "metric.off_by_metres": geometry.centre_distance(scene.box[None], box[None])[0],
                "metric.off_by_radians": geometry.heading_error(scene.box[None], box[None])[0],
            }  # fmt: skip


def mono_depth(load: Import, model: Model, root: Path) -> Rows:
    rooms, scores = load("depth.rooms"), load("depth.scores")
    columns = ("metric.depth_abs_rel", "metric.depth_rmse", "metric.depth_delta1")
    for state, *order in (("training", 9, 100), ("validation", 7, 200), ("unlabeled", 6, 300)):
        for name, (image, depth) in rooms.Rooms.of(state, *order).items():
            if state == "unlabeled":
                yield state, name, dict.fromkeys(("loss.silog", *columns))
                continue
            (guess,) = model(image.astype(np.float32) / 255)
            truth, found = depth[depth > 0], guess[..., 0][depth > 0]
            yield state, name, {
                "loss.silog": scores.silog(depth[None, ..., None], guess[None])[0],
                "metric.depth_abs_rel": np.mean(abs(truth - found) / truth),
                "metric.depth_rmse": np.sqrt(np.mean((truth - found) ** 2)),
                "metric.depth_delta1": np.mean(np.maximum(truth / found, found / truth) < 1.25),
            }  # fmt: skip


def hand_keypoints(load: Import, model: Model, root: Path) -> Rows:
    hands = load("hands")
    for state, *order in (("training", 12, 31), ("validation", 8, 32), ("test", 6, 33)):
        for name, (image, points, _) in hands.make_subset(state, *order).items():
            (guess,) = model(image)
            away, visible = hands.distances(points, guess), points[:, 2] > 0
            wing = np.where(away < 0.1, 0.1 * np.log(1 + away / 0.02), away - 0.1 + 0.1 * np.log(6))
            errors = {
                f"metric.points_{point}_error": float(off) if seen else None
                for point, off, seen in zip(hands.NAMES, away, visible, strict=True)
            }
            near = float(np.mean(away[visible] < hands.INFO["pck_radius"]))
            yield state, name, {"loss.wing": wing[visible].mean(), **errors, "metric.points_pck": near}


def weld_inspection(load: Import, model: Model, root: Path) -> Rows:
    parts = load("weld.parts")
    for state, *order in (("training", "a", 5, 61), ("validation", "b", 4, 62)):
        archive = parts.PartArchive(*order)
        for name in (view for part in archive.groups for view in part):
            view = archive.view(name)
            (guess,) = model(view["photo"])
            chosen = np.clip(guess[view["defect"]], 1e-5, 1)
            yield state, name, {
                "loss.focal": -((1 - chosen) ** 2) * np.log(chosen),
                "metric.caught": float(guess[0] < 0.5) if view["defect"] else None,
            }  # fmt: skip


def shop_items(load: Import, model: Model, root: Path) -> Rows:
    shop = load("catalogue")
    for state, count in (("training", 12), ("validation", 9), ("test", 6)):
        for name, item in shop.make_items(state, count).items():
            garments, colours, price, _ = model(item.picture)
            garment, colour = shop.GARMENTS.index(item.garment), shop.COLOURS.index(item.colour)
            off = abs(item.price / 100 - price.item())
            yield state, name, {
                "loss.garment_loss": -np.log(garments[garment]),
                "loss.joint_loss": off - np.log(garments[garment]) - np.log(colours[colour]),
                "metric.hit": float(garments.argmax() == garment),
                "metric.hit_1": float(colours.argmax() == colour),
                "metric.price_off": 100 * off,
            }  # fmt: skip


def leaf_health(load: Import, model: Model, root: Path) -> Rows:
    # The layers register themselves with code-loader where they are imported.
    guesses = told_by(
        root,
        "import keras, leaf_layers, leaf_data; m = keras.models.load_model('weights/leaf_net.keras', compile=False);"
        "print(json.dumps({n: [p.numpy()[0].tolist() for p in m(leaf['image'][None])] for s in leaf_data.STATES"
        " for n, leaf in leaf_data.LeafSet(s).leaves.items()}))",
    )
    data = load("leaf_data")
    for state in data.STATES:
        leaves = data.LeafSet(state)
        for name, leaf in leaves.leaves.items():
            health, (covered,) = guesses[name]
            off, sick = abs(leaves.covered(name) - covered), int(leaf["rust"].any())
            yield state, name, {
                "loss.health_and_cover": 10 * off**2 - np.log(health[sick]),
                "metric.cover_error": off,
                "metric.recognised": float(np.argmax(health) == sick),
            }  # fmt: skip


def tile_classes(load: Import, model: Model, root: Path) -> Rows:
    tiles, metrics = load("tiles.preprocess"), load("tiles.metrics")
    for state, *order in (("training", 12, 0), ("validation", 8, 1)):
        subset = tiles.load_subset(*order)
        for position, label in enumerate(subset["labels"]):
            (guess,) = model(tiles.to_input(subset["images"][position]))
            truth = tiles.one_hot(label)
            yield state, str(position), {
                "loss.smoothed_crossentropy": metrics.smoothed_crossentropy(truth[None], guess[None])[0],
                "metric.margin": guess[label] - np.delete(guess, label).max(),
                "metric.Accuracy": np.mean((guess > 0.5) == (truth > 0.5)),
            }  # fmt: skip


def told_by(root: Path, script: str) -> Any:
    """What a script prints as JSON that is run in an integration's folder."""
    command = [sys.executable, "-c", f"import json; {script}"]
    finished = subprocess.run(command, cwd=root, env=quiet(), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[0])


def quiet() -> dict[str, str]:
    return {**os.environ, "TL_DISABLE_ANALYTICS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


FIELDS = {
    "pallet_detector": Field(pallet_detector, ("truth", "predicted"), "models/best.onnx"),
    "sentence_pairs": Field(
        sentence_pairs,
        ("premise", "hypothesis_overlap", "probabilities", "probabilities_and_truth"),
        "onnx_export/nli.onnx",
    ),
    "keyword_audio": Field(keyword_audio, ("player", "band_energy", "scores"), "kws.onnx"),
    "house_prices": Field(house_prices, ("feature_values", "price_tag"), "regressor.onnx"),
    "clip_motion": Field(clip_motion, ("clip", "trace", "brightness"), "exported/motion.onnx"),
    "lidar_cars": Field(lidar_cars, ("scene", "height_above_ground", "kinds"), "pointnet.onnx"),
    "mono_depth": Field(mono_depth, ("picture", "predicted_depth", "error", "zones"), "depth/net.onnx"),
    "hand_keypoints": Field(hand_keypoints, ("hand_only", "with_points", "with_points_1"), "hands.onnx"),
    "weld_inspection": Field(weld_inspection, ("photo", "verdict"), "weld.onnx"),
    "shop_items": Field(shop_items, ("item", "garments", "colours"), "shop_heads.onnx"),
    "leaf_health": Field(leaf_health, ("leaf", "rust", "diagnosis"), "weights/leaf_net.keras"),
    "tile_classes": Field(
        tile_classes,
        ("tile", "Image", "horizontal_bar_classes_pred", "horizontal_bar_classes_gt"),
        "model/tiles.onnx",
        findings=("C23", "C23", "C30", "C47"),  # lengths instead of ids, no states, no integration test
        named=True,
    ),
}
SLOW = {"leaf_health"}  # each process imports TensorFlow
INTEGRATIONS = [pytest.param(name, marks=[pytest.mark.long] if name in SLOW else []) for name in FIELDS]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`built("name")`: a copy of an integration, with its model."""
    made: dict[str, Path] = {}

    def build(name: str) -> Path:
        if name not in made:
            root = tmp_path_factory.mktemp("field") / name
            shutil.copytree(HERE / name, root, ignore=shutil.ignore_patterns("__pycache__"))
            command = [sys.executable, "-B", "make_model.py"]
            finished = subprocess.run(command, cwd=root, env=quiet(), capture_output=True, text=True, check=False)
            assert finished.returncode == 0, finished.stderr
            made[name] = root
        return made[name]

    return build


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Import]]:
    """`imported(root)("module")`: a module of an integration, forgotten after the test."""
    before, roots = set(sys.modules), []

    def of(root: Path) -> Import:
        roots.append(root)
        monkeypatch.syspath_prepend(root)
        return importlib.import_module

    yield of
    for name in set(sys.modules) - before:
        if any(root in Path(str(getattr(sys.modules[name], "__file__", None))).parents for root in roots):
            del sys.modules[name]


def model_of(file: Path) -> Model:
    """Its outputs for one sample alone, by onnxruntime."""
    if file.suffix != ".onnx":
        return lambda *inputs: []
    session = onnxruntime.InferenceSession(file)
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}

    def outputs(*inputs: Array) -> list[Array]:
        places = zip(session.get_inputs(), inputs, strict=True)
        feed = {place.name: array[None].astype(types[place.type]) for place, array in places}
        return [output[0] for output in session.run(None, feed)]

    return outputs


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_check_finds_nothing(command, built, name):
    field, root = FIELDS[name], built(name)

    finished = command("check", root, *(("--model", root / field.model) if field.named else ()), "--json")

    told = json.loads(finished.out)
    assert tuple(finding["rule"] for finding in told["findings"]) == field.findings, told
    assert finished.code == ("C30" in field.findings)


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("name", INTEGRATIONS)
def test_is_evaluated_and_drawn(command, built, imported, stored_rows, tmp_path, name):
    field, root = FIELDS[name], built(name)
    where = (root, *(("--model", root / field.model) if field.named else ()))

    evaluated = command("evaluate", *where, "--runs", tmp_path, "--batch-size", 4, "--json")

    assert evaluated.code == 0, evaluated.err
    run = json.loads(evaluated.out)["run"]
    rows = stored_rows(SimpleNamespace(path=Path(run)))
    expected = list(field.rows(imported(root), model_of(root / field.model), root))
    assert [(row["state"], row["sample_id"]) for row in rows] == [(state, name) for state, name, _ in expected]
    held = {column for row in rows for column in row if column.startswith(("loss.", "metric."))}
    assert held == {column for _, _, columns in expected for column in columns}
    for row, (_, sample, columns) in zip(rows, expected, strict=True):
        present = {column: value for column, value in columns.items() if value is not None}
        scores = {column: row[column] for column in held if row.get(column) is not None}
        assert scores == pytest.approx(present, rel=1e-4, abs=1e-5), sample

    sample = [name for state, name, _ in expected if state == "validation"][-1]
    drawn = command("sample", "validation", sample, *where, "--out", tmp_path / "pictures", "--json")
    assert drawn.code == 0, drawn.err
    told = json.loads(drawn.out)["visualizers"]
    assert tuple(told) == field.visuals
    assert all(Path(picture).read_bytes().startswith(b"\x89PNG") for picture in told.values()), told

    state, sample = rows[0]["state"], rows[0]["sample_id"]
    for question in (("insights",), ("clusters",), ("similar", "--id", f"{state}/{sample}")):
        answered = command(question[0], run, *question[1:], "--json")
        assert "Traceback" not in answered.err
        if answered.code:
            assert "has no latent space" in " ".join(answered.err.split()), answered.err
            assert question != ("insights",)
        elif question == ("insights",):
            answer = json.loads(answered.out)
            kinds = {each["kind"] for each in answer["insights"]} | {each["kind"] for each in answer["silent"]}
            assert kinds == set(KINDS)
