import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console

from data_access.images import read_image
from data_access.substitute import MARKER
from vision import statistics
from yolov7_foresight import population_statistics
from yolov7_foresight.config import ForesightConfig
from yolov7_foresight.data.preprocess import UNLABELED
from yolov7_foresight.population_statistics import Report, main, measure, show

WARM, GREY, BLACK = (200, 120, 60), (120, 120, 120), (0, 0, 0)


def _put(root: Path, folder: str, *colours: tuple[int, int, int]) -> list[Path]:
    """Images of a colour, whose left half is darker by a quarter."""
    images = root / folder
    images.mkdir(parents=True)
    paths = []
    for number, colour in enumerate(colours):
        image = np.full((12, 16, 3), colour, np.uint8)
        image[:, :8] = image[:, :8] // 4 * 3
        paths.append(images / f"{number}.png")
        cv2.imwrite(str(paths[-1]), image[..., ::-1])
    return paths


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A real target and training part, a generated cognata_a, and nothing else."""
    _put(tmp_path, "foresight/images/train", GREY)
    _put(tmp_path, "foresight_unlabeled/images", (90, 100, 130), (100, 110, 150), (80, 80, 90))
    _put(tmp_path, "cognata_a/images", WARM, BLACK)
    (tmp_path / "cognata_a" / MARKER).write_text("drawn\n", encoding="utf-8")
    return tmp_path


def _text(report: Report) -> str:
    console = Console(width=160, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        show(report, console)
    return captured.get()


def test_statistics_are_means_over_images_and_the_median_of_temperatures(root: Path, config: ForesightConfig) -> None:
    report = measure(root, config)
    target = next(one for one in report.populations if one.name == "foresight_unlabeled")
    images = [read_image(path) for path in sorted((root / "foresight_unlabeled/images").iterdir())]
    assert target.statistics["brightness"] == pytest.approx(np.mean([statistics.brightness(one) for one in images]))
    assert target.statistics["red_std"] == pytest.approx(np.mean([one[..., 0].std() / 255 for one in images]))
    assert target.statistics["blue_mean"] == pytest.approx(np.mean([one[..., 2].mean() / 255 for one in images]))
    kelvins = sorted(statistics.colour_temperature(one) or 0.0 for one in images)
    assert target.statistics["colour_temperature"] == pytest.approx(kelvins[1])


def test_an_image_without_a_colour_temperature_is_counted_and_left_out(root: Path, config: ForesightConfig) -> None:
    report = measure(root, config)
    generated = next(one for one in report.populations if one.name == "cognata_a")
    assert generated.without_temperature == 1
    assert generated.statistics["colour_temperature"] == pytest.approx(
        statistics.colour_temperature(read_image(root / "cognata_a/images/0.png"))
    )


def test_a_population_none_of_whose_images_has_a_temperature_has_none(root: Path, config: ForesightConfig) -> None:
    _put(root, "cognata_b/images", BLACK)
    report = measure(root, config)
    black = next(one for one in report.populations if one.name == "cognata_b")
    assert black.statistics["colour_temperature"] is None
    assert report.from_target["cognata_b"]["colour_temperature"] is None
    assert report.from_target["cognata_b"]["red_std"] is not None
    assert "-" in _text(report)


def test_absent_populations_are_named_and_generated_ones_marked(root: Path, config: ForesightConfig) -> None:
    report = measure(root, config)
    assert [(one.name, one.generated) for one in report.populations] == [
        ("foresight/train", False),
        ("foresight_unlabeled", False),
        ("cognata_a", True),
    ]
    assert report.absent == ["foresight/val", "foresight_fisheye", "cognata_b"]
    text = _text(report)
    assert "Generated, as substitutes for real frames: cognata_a." in text
    assert "Not there: foresight/val, foresight_fisheye, cognata_b" in text


def test_the_distance_to_the_target_is_a_signed_difference(root: Path, config: ForesightConfig) -> None:
    report = measure(root, config)
    by_name = {one.name: one.statistics for one in report.populations}
    assert set(report.from_target) == {"foresight/train", "cognata_a"}
    for key in ("red_std", "colour_temperature"):
        own, target = by_name["cognata_a"][key], by_name["foresight_unlabeled"][key]
        assert own is not None
        assert target is not None
        assert report.from_target["cognata_a"][key] == pytest.approx(own - target)
    warmer = report.from_target["cognata_a"]["colour_temperature"]
    assert warmer is not None
    assert warmer < 0


def test_without_a_target_there_is_no_distance(tmp_path: Path, config: ForesightConfig) -> None:
    _put(tmp_path, "foresight/images/val", GREY)
    report = measure(tmp_path, config)
    assert report.from_target == {}
    assert "higher than" not in _text(report)


def test_a_limit_measures_a_seeded_part_and_says_of_how_many(root: Path, config: ForesightConfig) -> None:
    (target,) = [one for one in measure(root, config, most=2).populations if one.name == "foresight_unlabeled"]
    assert (target.images, target.measured) == (3, 2)
    (whole,) = [one for one in measure(root, config, most=None).populations if one.name == "foresight_unlabeled"]
    assert (whole.images, whole.measured) == (3, 3)


def test_an_empty_root_has_all_populations_absent(tmp_path: Path, config: ForesightConfig) -> None:
    report = measure(tmp_path / "nowhere", config)
    assert report.populations == []
    assert "foresight_unlabeled" in report.absent
    assert "Not there" in _text(report)


def test_the_command_prints_json_on_demand(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["population_statistics", "--root", str(root), "--json"])
    main()
    read = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in read["populations"]] == ["foresight/train", "foresight_unlabeled", "cognata_a"]
    assert read["from_target"]["cognata_a"]["red_std"] > 0


def test_a_damaged_image_ends_the_command_with_its_name(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = root / "cognata_a/images/0.png"
    broken.write_bytes(broken.read_bytes()[:40])
    monkeypatch.setenv("LEAP_DATA_ROOT", str(root))
    monkeypatch.setattr(sys, "argv", ["population_statistics"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert str(broken) in error
    assert "Traceback" not in error


def test_the_target_and_what_is_compared_are_what_the_story_is_about() -> None:
    assert UNLABELED == "foresight_unlabeled"
    assert population_statistics.COMPARED == ("red_std", "colour_temperature")
