from io import BytesIO
from typing import Any

import numpy as np
import pytest
from code_loader.contract.enums import LeapDataType
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.protocol.inspection import Visual
from leaplab.render.rendered import RENDERERS, render


def pixels(rendered) -> Any:
    """The decoded picture."""
    with Image.open(BytesIO(rendered.png)) as picture:
        assert (picture.format, picture.width, picture.height) == ("PNG", rendered.width, rendered.height)
        return np.asarray(picture)


def image(data) -> Any:
    return pixels(render(Visual("picture", "Image", {"data": data})))


def test_picture_has_the_visualizer_s_own_pixels():
    colours = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)

    np.testing.assert_array_equal(image(colours), colours)
    np.testing.assert_array_equal(image(colours[..., :1]), colours[..., 0])


def test_fractions_are_cut_off_and_values_outside_are_clipped():
    values = np.array([0.0, 0.99, 1.5, 254.999, 255.0, 255.9, 300.0, 1e30, -0.5, -7.0, np.nan, np.inf, -np.inf])
    wanted = [0, 0, 1, 254, 255, 255, 255, 255, 0, 0, 0, 255, 0]

    for kind in (np.float32, np.float64):
        np.testing.assert_array_equal(image(values.astype(kind).reshape(1, -1, 1))[0], wanted)
    np.testing.assert_array_equal(
        image(np.array([[[-5], [0], [200], [256], [9999]]], np.int32))[0], [0, 0, 200, 255, 255]
    )


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 2), (4, 5, 4), (1, 4, 5, 3), (0, 5, 3), (3,), ()])
def test_array_that_is_no_image_is_told_with_its_shape(shape):
    with pytest.raises(LeaplabError, match="cannot be drawn; return") as error:
        image(np.zeros(shape))
    assert str(shape) in str(error.value)


def test_visualizer_of_another_type_is_told():
    with pytest.raises(LeaplabError, match="type Hologram are not drawn yet; Image, .*PointCloud are"):
        render(Visual("curve", "Hologram", {}))


def test_every_type_of_the_contract_is_drawn():
    assert set(RENDERERS) == {kind.value for kind in LeapDataType}
