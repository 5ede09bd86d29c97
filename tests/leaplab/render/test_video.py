import base64
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from code_loader.contract.visualizer_classes import LeapVideo
from PIL import Image, ImageSequence

from leaplab.errors import LeaplabError
from leaplab.render import video
from leaplab.render.canvas import GAP, ROW
from leaplab.render.video import write_mp4
from leaplab.worker.inspection import plain


def levels(count, height=32, width=48, channels=3) -> Any:
    """Frame t is of the grey 6 t."""
    greys = (6 * np.arange(count, dtype=np.uint8)).reshape(-1, 1, 1, 1)
    return np.broadcast_to(greys, (count, height, width, channels)).copy()


def moving(data) -> Any:
    """The frames of the GIF in the JSON, and how long each is shown."""
    kind, encoded = data["gif"].split(",")
    assert kind == "data:image/gif;base64"
    picture = Image.open(BytesIO(base64.b64decode(encoded)))
    shown = [
        (np.asarray(frame.convert("RGB")).astype(int), frame.info["duration"])
        for frame in ImageSequence.all_frames(picture)
    ]
    return [frame for frame, _ in shown], [duration for _, duration in shown]


def test_animation_has_every_frame_in_order_for_a_tenth_of_a_second(draw):
    frames, durations = moving(draw(LeapVideo(levels(40)))[1])

    assert durations == [100] * 40
    np.testing.assert_allclose([frame.mean() for frame in frames], 6 * np.arange(40), atol=2)


def test_long_video_is_thinned_in_the_animation_to_the_same_length(draw):
    noise = np.random.default_rng(0).integers(0, 256, (500, 4, 4, 1)).astype(np.uint8)
    _, data = draw(LeapVideo(noise))
    frames, durations = moving(data)

    assert len(frames) == 200
    assert sum(durations) == pytest.approx(50_000, rel=0.25)
    assert data["frames"] == 500


def test_sheet_shows_sixteen_frames_from_the_first_to_the_last(draw, told):
    _, notes = told(video)
    pixels, data = draw(LeapVideo(levels(40)))
    # 48 x 32 pixels are shown three times as large, four in a row.
    shown = [
        int(pixels[row * (96 + ROW + GAP) + ROW + 48, column * (144 + GAP) + 72, 0]) // 6
        for row in range(4)
        for column in range(4)
    ]

    assert (shown[0], shown[-1], len(set(shown))) == (0, 39, 16)
    np.testing.assert_allclose(np.diff(shown), 39 / 15, atol=1)
    assert data["frames"] == 40
    assert notes == ["16 of 40 frames, numbered from 0."]


def test_floats_are_shares_of_white_and_clipped(draw):
    values = np.array([0, 0.5, 1, 1.5, -1, np.nan, np.inf, -np.inf], np.float32)
    pixels, _ = draw(LeapVideo(values.reshape(1, 1, -1, 1)))
    # One frame of eight pixels, each twenty wide.
    shown = pixels[ROW + 10, 10:160:20, 0]

    assert shown.tolist() == [0, 127, 255, 255, 0, 0, 255, 0]


@pytest.mark.parametrize("size", [(32, 48), (33, 47), (1, 1), (5, 300)])
@pytest.mark.parametrize("channels", [1, 3])
def test_mp4_has_every_frame(tmp_path, size, channels):
    path = tmp_path / "sample" / "video.mp4"
    write_mp4(plain(LeapVideo(levels(12, size[0], size[1], channels))), path)
    reader = cv2.VideoCapture(str(path))
    means = []
    while True:
        is_there, frame = reader.read()
        if not is_there:
            break
        means.append(float(frame[: size[0], : size[1]].mean()))
        shape = frame.shape
    reader.release()

    np.testing.assert_allclose(means, 6 * np.arange(12), atol=4)
    assert shape[:2] >= size
    assert max(shape[0] - size[0], shape[1] - size[1]) <= 15
    assert [file.name for file in path.parent.iterdir()] == ["video.mp4"]


def test_mp4_keeps_red_red(tmp_path):
    frames = np.zeros((3, 32, 32, 3), np.uint8)
    frames[..., 0] = 255
    write_mp4(plain(LeapVideo(frames)), tmp_path / "red.mp4")
    _, frame = cv2.VideoCapture(str(tmp_path / "red.mp4")).read()

    blue, green, red = frame.reshape(-1, 3).mean(axis=0)
    assert (red > 240, green < 20, blue < 20) == (True, True, True)


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (2, 0, 4, 3), (2, 4, 0, 1)])
def test_video_without_pixels_is_told(draw, tmp_path, shape):
    leap = LeapVideo(np.zeros(shape, np.uint8))
    with pytest.raises(LeaplabError, match="A video of shape .* cannot be drawn; return"):
        draw(leap)
    with pytest.raises(LeaplabError, match="A video of shape .* cannot be drawn; return"):
        write_mp4(plain(leap), tmp_path / "none.mp4")
    assert list(tmp_path.iterdir()) == []
