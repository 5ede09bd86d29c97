"""A simulated population as files."""

import csv
import io
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.files import file_name, write_array, write_json, write_text
from leaplab.protocol.description import Description, InputSpec
from leaplab.protocol.simulation import Simulated

PARAMETERS = "parameters.json"
SAMPLES = "samples.csv"
CHANNELS = (1, 3, 4)
SMALLEST_IMAGE = 8
"""Pixels of an image's shorter side, as the properties of inputs have it."""
SCALES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0))


def require_folder(folder: Path, overwrite: bool) -> None:
    """Accept a folder that is not there, is empty, or holds a population that may be replaced.

    Raises:
        LeaplabError: it holds something else, or must not be replaced.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / PARAMETERS).is_file():
        raise LeaplabError(f"{folder} is there, and holds no population of `leaplab tune`; name another by --write.")
    if not overwrite:
        raise LeaplabError(f"{folder} is there already; name another folder by --write, or replace it by --overwrite.")


def write_population(folder: Path, made: Simulated, description: Description, about: dict[str, Any]) -> Path:
    """Write FOLDER/parameters.json, FOLDER/samples.csv and FOLDER/INPUT/ID.png; .npy of an input that is no picture.

    The folder is whole or not there; what was in it is gone.

    Args:
        made: with its inputs.
        about: what parameters.json says; the number of samples is added.

    Raises:
        LeaplabError: it cannot be written.
    """
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        files = {spec.name: _write_input(aside, spec, made) for spec in description.inputs}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["sample_id", *files])
        writer.writerows(zip(made.ids, *files.values(), strict=True))
        write_text(aside / SAMPLES, text.getvalue())
        write_json(aside / PARAMETERS, {**about, "samples": len(made.ids)})
        if folder.exists():
            shutil.rmtree(folder)
        aside.replace(folder)
    except OSError as error:
        raise LeaplabError(f"{folder} cannot be written ({error.strerror}); name another folder by --write.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _write_input(folder: Path, spec: InputSpec, made: Simulated) -> list[str]:
    """The files of one input, from the folder on."""
    from PIL import Image

    arrays = made.inputs[spec.name]
    pictures = pictures_of(spec, arrays)
    named = []
    (folder / file_name(spec.name)).mkdir()
    for place, sample_id in enumerate(made.ids):
        path = Path(file_name(spec.name)) / f"{file_name(sample_id)}{'.npy' if pictures is None else '.png'}"
        if pictures is None:
            write_array(folder / path, arrays[place])
        else:
            pixels = pictures[place]
            Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(folder / path)
        named.append(str(path))
    return named


def pictures_of(spec: InputSpec, arrays: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """[N, H, W, 1, 3 or 4] uint8 of an input that is an image; None of another.

    An image has two sides of at least 8 pixels, and its values lie on a scale that their extremes tell: [0, 1],
    [0, 255] or [-1, 1]. What lies on none of these is stretched between its extremes.
    """
    if len(spec.shape) != 3:
        return None
    first = spec.channel_dim == 1
    axis = next(
        (
            each
            for each in ((0, -1) if first else (-1, 0))
            if spec.shape[each] in CHANNELS and min(spec.shape[1:] if each == 0 else spec.shape[:2]) >= SMALLEST_IMAGE
        ),
        None,
    )
    if axis is None:
        return None
    last = np.moveaxis(arrays, 1, -1) if axis == 0 else arrays
    low, high = float(last.min()), float(last.max())
    low, high = next((scale for scale in SCALES if scale[0] <= low and high <= scale[1]), (low, high))
    return np.asarray(np.rint((last - low) * (255 / max(high - low, 1e-12))), np.uint8)
