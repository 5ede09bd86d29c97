"""Visualizers' objects as files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from leaplab.errors import LeaplabError
from leaplab.files import file_name
from leaplab.protocol.inspection import Visual
from leaplab.render.audio import write_wav
from leaplab.render.rendered import render
from leaplab.render.video import write_mp4

BESIDE: dict[str, tuple[str, Callable[[dict[str, Any], Path], None]]] = {
    "Video": (".mp4", write_mp4),
    "Audio": (".wav", write_wav),
}


def write_visuals(visuals: Sequence[Visual], folder: Path) -> dict[str, Path | str]:
    """Write FOLDER/NAME.png for each, with NAME.mp4 beside a video and NAME.wav beside an audio.

    Returns:
        Name -> its picture, or a sentence where there is none.

    Raises:
        LeaplabError: the folder cannot be written.
    """
    written: dict[str, Path | str] = {}
    for visual in visuals:
        if visual.error is not None:
            written[visual.name] = visual.error
            continue
        try:
            png = render(visual).png
        except LeaplabError as error:
            written[visual.name] = str(error)
            continue
        path = folder / f"{file_name(visual.name)}.png"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png)
        except OSError as error:
            raise LeaplabError(
                f"{path} cannot be written ({error.strerror}); choose another folder by --out."
            ) from error
        written[visual.name] = path
        write_beside = BESIDE.get(visual.type)
        if write_beside is not None:
            suffix, write = write_beside
            try:
                write(visual.fields, path.with_suffix(suffix))
            except LeaplabError as error:
                written[visual.name] = f"{path} ({error})"
    return written
