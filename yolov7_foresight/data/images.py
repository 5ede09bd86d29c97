"""Image files of a folder."""

import os
from pathlib import Path

from data_access.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png")
"""In any case; other files in a folder of images are none."""


def list_images(folder: Path) -> dict[str, Path]:
    """Every image of a folder by its stem, sorted; hidden files, other files and folders within do not count.

    Raises:
        DataError: the folder cannot be read or holds no image, or two images have one stem.
    """
    found: dict[str, Path] = {}
    for name in file_names(folder):
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a Path for each of a hundred thousand takes its time
        if suffix.lower() not in SUFFIXES:
            continue
        if stem in found:
            raise DataError(
                f"{folder} holds both {found[stem].name} and {name}: remove one, because a label belongs to one image."
            )
        found[stem] = folder / name
    if not found:
        raise DataError(f"{folder} holds no image: put frames there, each a {', '.join(SUFFIXES)}.")
    return found


def file_names(folder: Path) -> list[str]:
    """Names of the files of a folder, sorted; without hidden ones.

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file())
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror or error}. Put the data there, as a readable folder."
        ) from error
