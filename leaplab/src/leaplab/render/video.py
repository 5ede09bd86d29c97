"""LeapVideo."""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.files import written_aside
from leaplab.render.canvas import ROW, blank, grid, numbers, plural, write
from leaplab.render.colours import MUTED
from leaplab.render.image import picture_of, resized, shown_size
from leaplab.render.legend import below

# LeapVideo has no rate; code-loader's own player shows a frame for 0.1 s.
FRAMES_PER_SECOND = 10
MOST_STILLS, STILL, STILL_READABLE = 16, 320, 160
# Median cut takes a hundred times as long and is no closer.
FAST = Image.Quantize.FASTOCTREE
MOST_MOVING, MOVING, MOVING_READABLE = 200, 320, 256


def draw_video(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """`data` [T, H, W, 1 or 3], 0..1 of floats or 0..255 of uint8: at most 16 of its frames beside each other.

    The JSON has `gif`, a data URI of all frames (of more than 200 as many, evenly, in the same time), and `frames`, T.

    Raises:
        LeaplabError: there is no frame, or no pixel.
    """
    video = _checked(fields["data"])
    count = len(video)
    size = shown_size(video.shape[1], video.shape[2], STILL, STILL_READABLE)
    panels = []
    for frame in _spread(count, MOST_STILLS):
        sheet, draw = blank(max(size[0], 48), size[1] + ROW)
        sheet.paste(resized(picture_of(_pixels(video[frame]), STILL), size), (0, ROW))
        write(draw, (0, ROW / 2), f"{frame:,}", MUTED)
        panels.append(sheet)
    columns = next(side for side in (1, 2, 3, 4) if side == 4 or side * side >= len(panels))
    shown = "" if len(panels) == count else f"{len(panels)} of "
    sheet = below(grid(panels, columns), notes=[f"{shown}{plural(count, 'frame')}, numbered from 0."])
    encoded = base64.b64encode(gif(video)).decode("ascii")
    return sheet, {"gif": f"data:image/gif;base64,{encoded}", "frames": count}


def gif(video: NDArray[Any]) -> bytes:
    """The frames [T, H, W, 1 or 3] as an endless animation at ten frames a second."""
    size = shown_size(video.shape[1], video.shape[2], MOVING, MOVING_READABLE)
    chosen = _spread(len(video), MOST_MOVING)
    frames = [resized(picture_of(_pixels(video[frame]), MOVING), size).quantize(256, FAST) for frame in chosen]
    # The same length as the whole video; the format counts in hundredths of a second.
    duration = round(100 / FRAMES_PER_SECOND * len(video) / len(chosen)) * 10
    file = BytesIO()
    frames[0].save(
        file, format="GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0, optimize=False
    )
    return file.getvalue()


def write_mp4(fields: dict[str, Any], path: Path) -> None:
    """Every frame at its own size as an MP4 of ten frames a second; an odd side gets its last pixel twice.

    Raises:
        LeaplabError: there is no frame, or this OpenCV cannot write MP4.
    """
    video = _checked(fields["data"])
    height, width = video.shape[1:3]
    # The codec halves its colours in both directions, and wants blocks.
    bottom, right = max(height % 2, 16 - height), max(width % 2, 16 - width)
    size = (width + right, height + bottom)
    with written_aside(path) as aside:
        # OpenCV tells the container by the name's end.
        named = aside.with_suffix(".mp4")
        writer = cv2.VideoWriter(str(named), cv2.VideoWriter.fourcc(*"mp4v"), float(FRAMES_PER_SECOND), size)
        try:
            if not writer.isOpened():
                raise LeaplabError(f"This OpenCV cannot write {path}; take the GIF of the page instead.")
            for frame in video:
                colours = np.asarray(picture_of(_pixels(frame), max(height, width)).convert("RGB"))[..., ::-1]
                writer.write(cv2.copyMakeBorder(colours, 0, bottom, 0, right, cv2.BORDER_REPLICATE))
            writer.release()
            named.replace(aside)
        finally:
            writer.release()
            named.unlink(missing_ok=True)


def _checked(data: Any) -> NDArray[Any]:
    video = np.asarray(data)
    if video.ndim != 4 or video.shape[3] not in (1, 3) or 0 in video.shape:
        raise LeaplabError(f"A video of shape {video.shape} cannot be drawn; return [T, H, W, 1] or [T, H, W, 3].")
    return video


def _pixels(frame: NDArray[Any]) -> NDArray[np.uint8]:
    if frame.dtype == np.uint8:
        return np.asarray(frame)
    exact = np.nan_to_num(numbers(frame, "The video"), nan=0.0, posinf=1.0, neginf=0.0)
    return (exact.clip(0, 1) * 255).astype(np.uint8)


def _spread(count: int, most: int) -> list[int]:
    """At most `most` frames, evenly, the first and the last among them."""
    return [int(place) for place in np.linspace(0, count - 1, min(count, most)).round()]
