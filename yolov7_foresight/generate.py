"""Write generated populations, stated substitutes: `python -m yolov7_foresight.generate --population cognata_a`.

The frames of Foresight and Cognata are not public. This draws streets, takes them with a camera, and writes them in
exactly the layout of the real ones, so that those can take their place. What was written says so, in GENERATED.txt in
its folder, and a population without that file is never touched. The same settings give the same bytes.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from data_access.errors import DataError
from data_access.root import data_root
from data_access.substitute import is_due, is_generated, replaced
from tasks.detection.detections import Objects
from vision.boxes import Boxes
from yolov7_foresight.camera import Camera
from yolov7_foresight.config import ForesightConfig, load_config
from yolov7_foresight.data.images import list_images
from yolov7_foresight.fitting import fit_camera
from yolov7_foresight.photographs import take
from yolov7_foresight.street import render

FITTED_SCENES = 24
"""Scenes with which a camera is fitted."""
DRAWING = 2
"""Counts the changes of what is drawn: frames of another one are not of the same settings."""


def write_population(name: str, root: Path, config: ForesightConfig, overwrite: bool = False) -> bool:
    """Write a population under a data root; False, and nothing written, where one of the same settings is there.

    Args:
        overwrite: whether a generated one of other settings may go.

    Raises:
        DataError: there is no such population, real frames are there, the images to fit to are missing, or the folder
            cannot be written.
    """
    if name not in config.populations:
        raise DataError(
            f"There is no population '{name}' in project_config.yaml; known are {', '.join(config.populations)}."
        )
    folder = root / name
    camera = _camera(name, root, config)
    text = _marker(name, camera, config)
    if not is_due(folder, text, "frames that were", "give another folder by --root to generate some", overwrite):
        return False
    with replaced(folder, text) as aside:
        _write_frames(name, aside, camera, config)
    return True


def _camera(name: str, root: Path, config: ForesightConfig) -> Camera:
    population = config.populations[name]
    camera = config.cameras[population.camera]
    if population.fitted_to is None:
        return camera
    target = root / population.fitted_to / "images"
    if not target.is_dir():
        raise DataError(
            f"{target} is missing, and the camera of {name} is fitted to its images: put frames there, or generate "
            f"{population.fitted_to} first."
        )
    paths = list(list_images(target).values())

    def scenes() -> Iterator[NDArray[np.uint8]]:
        for number in range(FITTED_SCENES):
            rng = np.random.default_rng((config.seed, *name.encode(), 0, number))
            image = render(rng, config.scenes.width, config.scenes.height, _hour(rng, population.dusk)).image
            yield camera.warp(image)

    return fit_camera(camera, list(scenes()), paths, config.seed)


def _write_frames(name: str, folder: Path, camera: Camera, config: ForesightConfig) -> None:
    population, settings = config.populations[name], config.scenes
    (folder / "images").mkdir()
    for number, (part, count) in enumerate(population.parts.items(), start=1):
        images, labels = folder / "images" / part, folder / "labels" / part
        images.mkdir(exist_ok=True)
        if population.labelled:
            labels.mkdir(parents=True, exist_ok=True)
        title = "/".join(filter(None, (name, part)))
        for index in tqdm(range(count), desc=f"drawing {title}", unit="image", disable=None):  # silent if nobody looks
            # Each frame has a stream of its own: more frames leave those that are there as they are.
            rng = np.random.default_rng((config.seed, *name.encode(), number, index))
            picture, objects = take(rng, config, camera, _hour(rng, population.dusk))
            stem = f"{name}_{part + '_' if part else ''}{index:05d}"
            quality = [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality]
            _, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
            (images / f"{stem}.jpg").write_bytes(encoded.tobytes())
            if population.labelled:
                (labels / f"{stem}.txt").write_text(_labels(objects, settings.width, settings.height), encoding="ascii")
    if name == "foresight":
        (folder / "classes.txt").write_text("".join(f"{label}\n" for label in config.labels), encoding="utf-8")


def _hour(rng: np.random.Generator, dusk: tuple[float, float]) -> float:
    return float(rng.uniform(*dusk))


def _labels(objects: Objects, width: int, height: int) -> str:
    rows = zip(objects.classes.tolist(), Boxes(objects.edges).normalised(width, height).tolist(), strict=True)
    return "".join(f"{label} {' '.join(f'{value:.6f}' for value in box)}\n" for label, box in rows)


def _marker(name: str, camera: Camera, config: ForesightConfig) -> str:
    settings = {
        "drawing": DRAWING,
        "seed": config.seed,
        "scenes": config.scenes,
        "population": config.populations[name],
        "camera": camera,
    }
    return (
        f"These frames are drawn by `python -m yolov7_foresight.generate --population {name}`. They are a substitute\n"
        "for real ones, which are not public, in their layout. To use real ones, put them here in their place.\n"
        f"{msgspec.json.encode(settings).decode()}\n"
    )


def main() -> None:
    """The command line."""
    config = load_config()
    parser = argparse.ArgumentParser(description="Write generated populations, stated substitutes, to the data root.")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--population", choices=list(config.populations), help="the one to write")
    chosen.add_argument("--all", action="store_true", help="write all of them; real frames are left alone")
    parser.add_argument("--root", type=Path, help="where to, instead of the data root")
    parser.add_argument("--replace", action="store_true", help="replace what was generated with other settings")
    given = parser.parse_args()
    root = given.root or data_root()
    try:
        for name in config.populations if given.all else [given.population]:
            folder = root / name
            if given.all and folder.exists() and not is_generated(folder):
                print(f"{folder}: real frames, left alone")
                continue
            written = write_population(name, root, config, given.replace)
            print(
                f"{folder}: {'generated, a substitute for real frames' if written else 'is there already'}", flush=True
            )
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
