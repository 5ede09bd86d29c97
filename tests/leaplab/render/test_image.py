import numpy as np
from code_loader.contract.visualizer_classes import LeapImage

from leaplab.render.image import shown_size


def test_huge_image_is_shrunk_to_the_mean_of_its_pixels(draw):
    stripes = np.zeros((1024, 4096, 3), np.uint8)
    stripes[:, ::2] = 200
    pixels, _ = draw(LeapImage(stripes))

    assert pixels.shape == (512, 2048, 3)
    np.testing.assert_allclose(pixels, 100, atol=1)


def test_line_of_pixels_keeps_a_pixel_of_height(draw):
    assert draw(LeapImage(np.zeros((1, 9000, 1), np.uint8)))[0].shape == (1, 2048, 3)


def test_small_images_grow_by_whole_factors():
    assert shown_size(28, 28, 2048) == (616, 616)
    assert shown_size(200, 320, 2048) == (640, 400)
    assert shown_size(321, 321, 2048) == (321, 321)
    assert shown_size(1, 1, 2048) == (640, 640)
    assert shown_size(4096, 1024, 2048) == (512, 2048)
    assert shown_size(100, 100, 300, 640) == (300, 300)
