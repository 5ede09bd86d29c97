import numpy as np
import pytest
from numpy.typing import NDArray

from cifar10_resnet import metadata
from cifar10_resnet.config import Cifar10Config


def test_a_class_that_is_not_known_has_neither_name_nor_kind(config: Cifar10Config) -> None:
    assert metadata.class_name(None, config.labels) is None
    assert metadata.kind(None, config.vehicles) is None
    assert metadata.can_fly(None, config.flyers) is None


def test_the_ship_is_a_vehicle_and_the_airplane_and_the_bird_fly(config: Cifar10Config) -> None:
    names = [metadata.class_name(label, config.labels) for label in range(10)]
    kinds = {name: metadata.kind(name, config.vehicles) for name in names}
    assert [name for name, kind in kinds.items() if kind == "vehicle"] == ["airplane", "automobile", "ship", "truck"]
    assert [name for name, kind in kinds.items() if kind == "animal"] == [
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
    ]
    assert [name for name in names if metadata.can_fly(name, config.flyers)] == ["airplane", "bird"]


@pytest.fixture
def red_on_white() -> NDArray[np.uint8]:
    """A red square of 24 x 24 in a white frame of 4 pixels."""
    image = np.full((32, 32, 3), 255, np.uint8)
    image[4:28, 4:28] = (200, 0, 0)
    return image


def test_the_object_is_the_centre_and_the_background_the_frame(red_on_white: NDArray[np.uint8]) -> None:
    colour = metadata.object_colour(red_on_white, 4, 0.05)
    assert colour == {"hue": pytest.approx(0.0, abs=0.01), "colour": "red"}
    assert metadata.background_lightness(red_on_white, 4) == pytest.approx(100, abs=0.01)
    inverted = red_on_white[..., ::-1].copy()
    inverted[4:28, 4:28] = (90, 90, 90)
    assert metadata.object_colour(inverted, 4, 0.05) == {"hue": None, "colour": "grey"}


def test_a_pixel_inside_the_frame_is_no_background(red_on_white: NDArray[np.uint8]) -> None:
    black_corner = red_on_white.copy()
    black_corner[4, 4] = 0
    assert metadata.background_lightness(black_corner, 4) == metadata.background_lightness(red_on_white, 4)
    black_corner[3, 3] = 0
    assert metadata.background_lightness(black_corner, 4) < metadata.background_lightness(red_on_white, 4)
