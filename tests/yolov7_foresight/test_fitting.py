from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from data_access.errors import DataError
from vision import statistics
from yolov7_foresight.camera import Camera
from yolov7_foresight.fitting import fit_camera, look
from yolov7_foresight.street import render

Images = list[NDArray[np.uint8]]


def _streets(seed: int, count: int = 8) -> Images:
    return [render(np.random.default_rng((seed, number)), 160, 120, 0.5).image for number in range(count)]


def _written(images: Images, folder: Path) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        cv2.imwrite(str(path), image[..., ::-1])
    return paths


def _taken(camera: Camera, scenes: Images) -> Images:
    return [camera.develop(scene, np.random.default_rng(number)) for number, scene in enumerate(scenes)]


@pytest.mark.parametrize(
    "wanted",
    [
        Camera(exposure=-0.7, temperature=8500, spread=(0.7, 0.9, 1.2)),
        Camera(exposure=0.3, temperature=4200, spread=(1.2, 1.0, 0.8), noise=0.01),
    ],
)
def test_a_fitted_cameras_pictures_look_as_the_targets_do(wanted: Camera, tmp_path: Path) -> None:
    target = _taken(wanted, _streets(1))
    scenes = _streets(2)
    start = Camera(noise=wanted.noise)
    fitted = fit_camera(start, scenes, _written(target, tmp_path), seed=3)
    aim, before, after = look(target), look(_taken(start, scenes)), look(_taken(fitted, scenes))
    assert after.brightness == pytest.approx(aim.brightness, abs=0.01)
    assert after.deviations == pytest.approx(aim.deviations, abs=0.01)
    assert after.temperature == pytest.approx(aim.temperature, rel=0.05)
    assert abs(after.temperature - aim.temperature) < 0.2 * abs(before.temperature - aim.temperature)


def test_fitting_leaves_lens_blur_and_noise(tmp_path: Path) -> None:
    start = Camera(fisheye=0.4, vignette=0.2, blur=0.7, noise=0.01)
    fitted = fit_camera(start, _streets(2, 3), _written(_streets(1, 3), tmp_path), seed=3)
    kept = ("fisheye", "vignette", "blur", "noise", "gain", "gamma")
    assert all(getattr(fitted, name) == getattr(start, name) for name in kept)


def test_fitting_twice_gives_the_same_camera(tmp_path: Path) -> None:
    paths, scenes = _written(_streets(1, 3), tmp_path), _streets(2, 3)
    one, other = (fit_camera(Camera(noise=0.02), scenes, paths, seed=3) for _ in range(2))
    assert one == other


def test_a_look_is_the_mean_over_images_and_the_median_of_their_temperatures() -> None:
    images = [np.full((4, 4, 3), colour, np.uint8) for colour in ((200, 160, 120), (150, 150, 150), (130, 150, 190))]
    images.append(np.zeros((4, 4, 3), np.uint8))  # black has no temperature
    images[1][:2] = 50
    seen = look(images)
    assert seen.brightness == pytest.approx(np.mean([statistics.brightness(image) for image in images]))
    assert seen.temperature == pytest.approx(statistics.colour_temperature(images[1]))
    assert seen.deviations == pytest.approx(np.full(3, 50 / 255 / 4))


def test_a_black_target_leads_to_a_camera_all_the_same(tmp_path: Path) -> None:
    black = [np.zeros((30, 40, 3), np.uint8)] * 2
    fitted = fit_camera(Camera(), _streets(2, 2), _written(black, tmp_path), seed=3)
    assert np.isfinite([fitted.exposure, fitted.temperature, *fitted.spread]).all()


def test_an_unreadable_image_of_the_target_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"broken\.jpg"):
        fit_camera(Camera(), _streets(2, 2), [broken], seed=3)
