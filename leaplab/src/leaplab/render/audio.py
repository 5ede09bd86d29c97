"""LeapAudio."""

import base64
import wave
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from leaplab.errors import LeaplabError
from leaplab.files import written_aside
from leaplab.render.axes import Axes, padded
from leaplab.render.canvas import MARGIN, blank, numbers, plural
from leaplab.render.colours import BRIGHT
from leaplab.render.graph import BOTTOM, LEFT, RIGHT, TOP, draw_graph
from leaplab.render.image import displayable, picture_of
from leaplab.render.legend import below

WIDTH, HEIGHT = 640, 200
MOST_VISUAL = 480
MOST_PLAYED = 4_000_000  # bytes of sound that a page gets with its picture
MOST_RATE = 2**31 - 1  # of a WAV file: its bytes a second are a 32-bit number


def draw_audio(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """The waveform `audio` [N] over its seconds, and under it the object's own `visual`, a graph or an image.

    Each pixel column spans the samples' smallest and largest value there. The JSON has `seconds`, and `wav`, a data
    URI of the sound where it is shorter than 4 MB.

    Raises:
        LeaplabError: there are no samples, or the visual cannot be drawn.
    """
    samples = _samples(fields)
    seconds = len(samples) / fields["sample_rate"]
    finite = samples[np.isfinite(samples)]
    low, high = (min(float(finite.min()), 0.0), max(float(finite.max()), 0.0)) if finite.size else (0.0, 0.0)
    picture, draw = blank(WIDTH, HEIGHT)
    axes = Axes(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM, (0.0, seconds), padded(low, high))
    axes.draw(draw, f"Seconds ({fields['sample_rate']:,} samples a second)", "Amplitude")
    _draw_envelope(draw, axes, samples)

    notes = []
    if missing := len(samples) - finite.size:
        notes.append(f"{missing:,} of {plural(len(samples), 'sample')} NaN or infinite: silent.")
    if beyond := int((np.abs(finite) > 1).sum()):
        notes.append(f"{beyond:,} of {plural(len(samples), 'sample')} beyond -1..1: cut off in the sound.")
    picture = below(picture, notes=notes)
    visual = _visual(fields["visual"])
    sheet, _ = blank(max(picture.width, visual.width), picture.height + visual.height)
    sheet.paste(picture, (0, 0))
    sheet.paste(visual, (0, picture.height))

    data: dict[str, Any] = {"seconds": seconds}
    if 2 * len(samples) <= MOST_PLAYED:
        data["wav"] = "data:audio/wav;base64," + base64.b64encode(_wav(samples, fields["sample_rate"])).decode("ascii")
    return sheet, data


def write_wav(fields: dict[str, Any], path: Path) -> None:
    """The samples as a mono WAV of 16 bits: -1..1 is the full range, what lies beyond is clipped, NaN is silent.

    Raises:
        LeaplabError: there are no samples, or more a second than the format can say.
    """
    samples = _samples(fields)
    with written_aside(path) as aside:
        aside.write_bytes(_wav(samples, fields["sample_rate"]))


def _wav(samples: NDArray[np.float64], rate: int) -> bytes:
    clear = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0).clip(-1, 1)
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes((clear * 32767).round().astype("<i2").tobytes())
    return file.getvalue()


def _samples(fields: dict[str, Any]) -> NDArray[np.float64]:
    """-1..1; integers are scaled from the range of their type."""
    audio = np.asarray(fields["audio"])
    samples = numbers(audio, "The audio")
    if fields["sample_rate"] > MOST_RATE:
        raise LeaplabError(f"Sound cannot have more than {MOST_RATE:,} samples a second; correct sample_rate.")
    if samples.ndim != 1 or not samples.size:
        raise LeaplabError(f"Audio of shape {samples.shape} cannot be drawn; return [samples], at least one.")
    if audio.dtype.kind == "i":
        return samples / -float(np.iinfo(audio.dtype).min)
    if audio.dtype.kind == "u":
        half = (float(np.iinfo(audio.dtype).max) + 1) / 2
        return samples / half - 1
    return samples


def _draw_envelope(draw: ImageDraw.ImageDraw, axes: Axes, samples: NDArray[np.float64]) -> None:
    """A vertical line in each pixel column from the smallest to the largest finite sample there."""
    columns = int(axes.width)
    edges = np.linspace(0, len(samples), columns + 1)
    for column in range(columns):
        # With fewer samples than columns each sample is as wide as its time.
        part = samples[int(edges[column]) : max(int(np.ceil(edges[column + 1])), int(edges[column]) + 1)]
        part = part[np.isfinite(part)]
        if part.size:
            top, bottom = float(axes.y(part.max())), float(axes.y(part.min()))
            draw.line((axes.left + column, round(top), axes.left + column, round(bottom)), fill=BRIGHT[0])


def _visual(fields: dict[str, Any]) -> Image.Image:
    if "x_range" in fields:
        return draw_graph(fields)[0]
    # Time runs along an image, too: it lies under the waveform's seconds.
    picture = picture_of(displayable(fields["data"]))
    width, height = WIDTH - LEFT - RIGHT, min(max(picture.height, 120), MOST_VISUAL)
    sheet, _ = blank(WIDTH, height + MARGIN)
    sheet.paste(picture.convert("RGB").resize((width, height), Image.Resampling.NEAREST), (LEFT, 0))
    return sheet
