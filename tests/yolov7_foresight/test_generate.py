import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from data_access.errors import DataError
from data_access.images import read_image
from data_access.substitute import MARKER, is_generated
from vision import statistics
from vision.boxes import Boxes
from yolov7_foresight import generate, photographs
from yolov7_foresight.config import ForesightConfig
from yolov7_foresight.generate import main, write_population

Files = dict[str, bytes]


@pytest.fixture
def small(config: ForesightConfig) -> ForesightConfig:
    """Four frames of each population and part, 160 x 120."""
    return replace(
        config,
        scenes=replace(config.scenes, width=160, height=120),
        populations={
            name: replace(population, parts=dict.fromkeys(population.parts, 4))
            for name, population in config.populations.items()
        },
    )


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, small: ForesightConfig) -> Callable[..., None]:
    """The command line with small settings."""
    monkeypatch.setattr(generate, "load_config", lambda: small)

    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["generate", *arguments])
        main()

    return run


def _files(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _put_real_frame(root: Path, name: str) -> Path:
    path = root / name / "images" / "real.jpg"
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), np.random.default_rng(0).integers(20, 90, (60, 80, 3)).astype(np.uint8))
    return path


def test_foresight_has_the_real_layout(small: ForesightConfig, tmp_path: Path) -> None:
    assert write_population("foresight", tmp_path, small)
    folder = tmp_path / "foresight"
    for part in ("train", "val"):
        images = sorted(path.stem for path in (folder / "images" / part).iterdir())
        assert len(images) == 4
        assert sorted(path.stem for path in (folder / "labels" / part).iterdir()) == images
        assert all(path.suffix == ".jpg" for path in (folder / "images" / part).iterdir())
    assert (folder / "classes.txt").read_text(encoding="utf-8").split() == ["car", "pedestrian", "cyclist"]
    image = cv2.imread(str(next((folder / "images" / "val").iterdir())))
    assert image is not None
    assert image.shape == (120, 160, 3)


def test_the_target_has_images_alone_and_what_measures_on_it_has_labels(small: ForesightConfig, tmp_path: Path) -> None:
    for name, labelled in (("foresight_unlabeled", False), ("foresight_fisheye", True), ("cognata_a", True)):
        write_population(name, tmp_path, small)
        assert len(list((tmp_path / name / "images").glob("*.jpg"))) == 4
        assert (tmp_path / name / "labels").exists() == labelled


def test_labels_are_the_boxes_of_the_objects_that_were_drawn(
    small: ForesightConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []

    def watched(*arguments: Any) -> Any:
        drawn.append(original(*arguments))
        return drawn[-1]

    original = photographs.take
    monkeypatch.setattr(generate, "take", watched)
    write_population("cognata_a", tmp_path, small)
    labels = sorted((tmp_path / "cognata_a" / "labels").iterdir())
    assert sum(len(objects) for _, objects in drawn) > 0
    for path, (_, objects) in zip(labels, drawn, strict=True):
        rows = np.array([line.split() for line in path.read_text(encoding="ascii").splitlines()], float).reshape(-1, 5)
        assert rows[:, 0].tolist() == objects.classes.tolist()
        assert Boxes.from_normalised(rows[:, 1:], 160, 120).edges == pytest.approx(objects.edges, abs=2e-4)
        assert all(len(value.partition(".")[2]) == 6 for line in path.open() for value in line.split()[1:])


def test_the_same_settings_write_the_same_bytes(small: ForesightConfig, tmp_path: Path) -> None:
    for root in ("one", "other"):
        write_population("cognata_a", tmp_path / root, small)
    assert _files(tmp_path / "one" / "cognata_a") == _files(tmp_path / "other" / "cognata_a")


def test_more_frames_keep_those_that_are_there_and_populations_differ(small: ForesightConfig, tmp_path: Path) -> None:
    more = replace(
        small,
        populations={
            **small.populations,
            "foresight": replace(small.populations["foresight"], parts={"train": 6, "val": 4}),
        },
    )
    write_population("foresight", tmp_path / "few", small)
    write_population("foresight", tmp_path / "many", more)
    few, many = _files(tmp_path / "few" / "foresight"), _files(tmp_path / "many" / "foresight")
    assert len(many) == len(few) + 4
    assert all(many[name] == content for name, content in few.items() if name != MARKER)
    images = [content for name, content in few.items() if name.endswith(".jpg")]
    assert len(set(images)) == len(images)  # the first of train is not the first of val


def test_what_is_generated_says_so(small: ForesightConfig, tmp_path: Path) -> None:
    write_population("cognata_a", tmp_path, small)
    text = (tmp_path / "cognata_a" / MARKER).read_text(encoding="utf-8")
    assert "substitute" in text
    assert f'"seed":{small.seed}' in text
    assert is_generated(tmp_path / "cognata_a")
    assert not is_generated(tmp_path / "foresight")


def test_what_is_there_with_the_same_settings_is_left(small: ForesightConfig, tmp_path: Path) -> None:
    write_population("cognata_a", tmp_path, small)
    image = next((tmp_path / "cognata_a" / "images").iterdir())
    written = image.stat().st_mtime_ns
    assert not write_population("cognata_a", tmp_path, small)
    assert image.stat().st_mtime_ns == written


def test_what_has_other_settings_is_replaced_only_on_demand(small: ForesightConfig, tmp_path: Path) -> None:
    write_population("cognata_a", tmp_path, small)
    before = _files(tmp_path / "cognata_a")
    reseeded = replace(small, seed=small.seed + 1)
    with pytest.raises(DataError, match="other settings"):
        write_population("cognata_a", tmp_path, reseeded)
    assert _files(tmp_path / "cognata_a") == before
    assert write_population("cognata_a", tmp_path, reseeded, overwrite=True)
    after = _files(tmp_path / "cognata_a")
    assert after.keys() == before.keys()
    assert not set(after.values()) & {content for name, content in before.items() if name.endswith(".jpg")}


@pytest.mark.parametrize("overwrite", [False, True])
def test_real_frames_are_never_touched(overwrite: bool, small: ForesightConfig, tmp_path: Path) -> None:
    real = _put_real_frame(tmp_path, "cognata_a")
    before = _files(tmp_path)
    with pytest.raises(DataError, match="not generated") as raised:
        write_population("cognata_a", tmp_path, small, overwrite)
    assert str(real.parent.parent) in str(raised.value)
    assert _files(tmp_path) == before


def test_a_file_in_the_place_of_a_population_is_named(small: ForesightConfig, tmp_path: Path) -> None:
    (tmp_path / "cognata_a").write_text("a file", encoding="utf-8")
    with pytest.raises(DataError, match="cognata_a is a file"):
        write_population("cognata_a", tmp_path, small)


def test_an_empty_folder_is_filled(small: ForesightConfig, tmp_path: Path) -> None:
    (tmp_path / "cognata_a").mkdir()
    assert write_population("cognata_a", tmp_path, small)
    assert is_generated(tmp_path / "cognata_a")


def test_a_run_that_is_killed_leaves_nothing_and_the_next_one_starts_anew(
    small: ForesightConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_population("cognata_a", tmp_path / "whole", small)
    calls = iter(range(100))

    def interrupted(*arguments: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    original = photographs.take
    with monkeypatch.context() as patch:
        patch.setattr(generate, "take", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_population("cognata_a", tmp_path, small)
    assert not (tmp_path / "cognata_a").exists()
    write_population("cognata_a", tmp_path, small)
    assert _files(tmp_path / "cognata_a") == _files(tmp_path / "whole" / "cognata_a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cognata_a", "whole"]


def test_a_population_that_the_settings_do_not_know_is_refused(small: ForesightConfig, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no population 'cognata_c'.*cognata_a"):
        write_population("cognata_c", tmp_path, small)


def test_the_corrected_population_needs_a_target(small: ForesightConfig, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="foresight_unlabeled"):
        write_population("cognata_b", tmp_path, small)
    assert not (tmp_path / "cognata_b").exists()


def _gap(root: Path, name: str) -> tuple[float, float]:
    """How far red std and colour temperature are from the target's."""

    def measured(population: str) -> tuple[float, float]:
        images = [read_image(path) for path in sorted((root / population / "images").iterdir())]
        kelvins = [kelvin for image in images if (kelvin := statistics.colour_temperature(image)) is not None]
        return float(np.mean([statistics.channel_deviations(image)[0] for image in images])), float(np.median(kelvins))

    (red, kelvin), (target_red, target_kelvin) = measured(name), measured("foresight_unlabeled")
    return abs(red - target_red), abs(kelvin - target_kelvin)


@pytest.mark.parametrize("real", [False, True])
def test_the_corrected_population_is_nearer_to_the_target(real: bool, small: ForesightConfig, tmp_path: Path) -> None:
    if real:  # dark bluish frames with a black border, which nothing here has drawn
        folder = tmp_path / "foresight_unlabeled" / "images"
        folder.mkdir(parents=True)
        rng = np.random.default_rng(5)
        for number in range(6):
            light = cv2.resize(rng.random((4, 5)), (160, 120), interpolation=cv2.INTER_LINEAR)[..., np.newaxis]
            frame = np.zeros((120, 160, 3))
            frame[10:110, 12:148] = (light * (130, 120, 95))[10:110, 12:148]  # blue, green, red
            cv2.imwrite(str(folder / f"{number}.png"), frame.astype(np.uint8))
    else:
        write_population("foresight_unlabeled", tmp_path, small)
    for name in ("cognata_a", "cognata_b"):
        write_population(name, tmp_path, small)
    first, second = _gap(tmp_path, "cognata_a"), _gap(tmp_path, "cognata_b")
    assert second[0] < 0.7 * first[0]
    assert second[1] < 0.5 * first[1]


def test_the_command_writes_a_population_and_names_it_a_substitute(
    command: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command("--population", "cognata_a", "--root", str(tmp_path))
    assert "a substitute for real frames" in capsys.readouterr().out
    command("--population", "cognata_a", "--root", str(tmp_path))
    assert "is there already" in capsys.readouterr().out


def test_the_command_writes_to_the_data_root(
    command: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    command("--population", "cognata_a")
    assert is_generated(tmp_path / "cognata_a")


def test_the_command_refuses_real_frames_in_one_sentence(
    command: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _put_real_frame(tmp_path, "foresight")
    with pytest.raises(SystemExit) as ended:
        command("--population", "foresight", "--root", str(tmp_path))
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert str(tmp_path / "foresight") in error
    assert error.count("\n") == 1


def test_all_of_them_are_written_around_the_real_ones(
    command: Callable[..., None], small: ForesightConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = _put_real_frame(tmp_path, "foresight_unlabeled")
    before = real.read_bytes()
    command("--all", "--root", str(tmp_path))
    assert real.read_bytes() == before
    assert {name for name in small.populations if is_generated(tmp_path / name)} == {
        "foresight", "foresight_fisheye", "cognata_a", "cognata_b",
    }  # fmt: skip
    assert "foresight_unlabeled: real frames, left alone" in capsys.readouterr().out
