"""Write the stated substitute for ARMBench: `python -m armbench_segmentation.generate`.

ARMBench's mix-object-tote is not public. This draws totes of its kind and writes them in exactly its layout, so that
the real dataset can take their place. What was written says so, in GENERATED.txt beside it, and a dataset without that
file is never touched. The same settings give the same bytes.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_masks
from tqdm import tqdm

from armbench_segmentation.config import ArmbenchConfig, load_config
from armbench_segmentation.simulation import TOTE, Scene, draw_tote
from data_access.errors import DataError
from data_access.root import data_root
from data_access.substitute import is_due, replaced

STATES = ("training", "validation", "unlabeled")
CATEGORIES = {"Object": 1, "Tote": 2}


def dataset_folder(config: ArmbenchConfig) -> Path:
    """Where the dataset lies or is to lie."""
    return data_root() / config.dataset.folder


def generate(config: ArmbenchConfig, folder: Path, replace: bool = False) -> bool:
    """Write the dataset; False, and nothing written, where one of the same settings is there already.

    Args:
        replace: whether a generated one of other settings may go.

    Raises:
        DataError: another dataset is there, or the folder cannot be written.
    """
    text = _marker(config)
    elsewhere = "point LEAP_DATA_ROOT to another folder to generate one"
    if not is_due(folder, text, "a dataset that was", elsewhere, replace):
        return False
    if missing := set(CATEGORIES) - set(config.dataset.categories):
        raise DataError(
            f"The config does not map {' and '.join(sorted(missing))}, so generated totes could not be read: add them "
            "to dataset.categories."
        )
    with replaced(folder, text) as aside:
        for index, state in enumerate(STATES):
            _write_state(config, aside, state, index)
    return True


def annotate(scene: Scene, image_id: int, first_id: int) -> list[dict[str, Any]]:
    """COCO annotations of what a scene shows, the tote first; ids count from `first_id`."""
    annotations = []
    for number in range(TOTE, len(scene.kinds) + 1):
        mask = scene.owners == number
        code = coco_masks.encode(np.asfortranarray(mask.astype(np.uint8)))
        annotations.append(
            {
                "id": first_id + number,
                "image_id": image_id,
                "category_id": CATEGORIES["Tote" if number == TOTE else "Object"],
                "segmentation": outlines(mask) or _run_lengths(mask, code, compressed=number == TOTE),
                "area": int(coco_masks.area(code)),
                "bbox": coco_masks.toBbox(code).tolist(),
                "iscrowd": 0,
            }
        )
    return annotations


def outlines(mask: NDArray[np.bool_]) -> list[list[float]] | None:
    """[H, W] bool -> polygons (x, y, x, y, ...) along the edges of its pixels, one a part.

    pycocotools decodes them to exactly this mask, which must not be empty. None where none do, as for one with a hole.
    """
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    # Contours go through the middles of pixels. Here a pixel is 3 x 3 that share their outermost with the neighbours,
    # so that the middles of those lie on its edges.
    fine = np.zeros((2 * height + 1, 2 * width + 1), np.uint8)
    fine[1::2, 1::2] = mask[top : top + height, left : left + width]
    fine = np.asarray(cv2.dilate(fine, np.ones((3, 3), np.uint8)), np.uint8)
    contours, _ = cv2.findContours(fine, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    # Less than a quarter of a pixel off, a line passes no middle of a pixel; that saves a third of the points.
    simpler = [cv2.approxPolyDP(contour, 0.5, True) for contour in contours]
    polygons = [contour.reshape(-1, 2) / 2 + (left, top) for contour in simpler]
    # Polygons add up, so they cannot tell of a hole, nor always of two parts that meet at a corner.
    whole = coco_masks.merge(coco_masks.frPyObjects([polygon.ravel().tolist() for polygon in polygons], *mask.shape))
    if not np.array_equal(coco_masks.decode(whole), mask):
        return None
    return [[_short(value) for value in polygon.ravel().tolist()] for polygon in polygons]


def _short(value: float) -> float:
    return int(value) if value.is_integer() else value


def _run_lengths(mask: NDArray[np.bool_], code: dict[str, Any], compressed: bool) -> dict[str, Any]:
    if compressed:
        return {"size": list(mask.shape), "counts": code["counts"].decode("ascii")}
    values = mask.ravel(order="F")
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    lengths = np.diff(np.concatenate([[0], changes, [values.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *lengths] if values[0] else lengths}


def _write_state(config: ArmbenchConfig, folder: Path, state: str, index: int) -> None:
    settings = config.generator
    part = getattr(config.dataset, state)
    (folder / part.images).mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in _shown(range(1, getattr(settings, state) + 1), state):
        # Each image has a stream of its own: more images leave those that are there as they are.
        scene = draw_tote(
            settings.width, settings.height, settings.mean_objects, np.random.default_rng((config.seed, index, number))
        )
        name = f"{Path(part.annotations).stem}_{number:06d}.jpg"
        quality = [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality]
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(scene.pixels, cv2.COLOR_RGB2BGR), quality)
        (folder / part.images / name).write_bytes(encoded.tobytes())
        images.append({"id": number, "file_name": name, "width": settings.width, "height": settings.height})
        annotations += annotate(scene, number, len(annotations) + 1)
    content = {
        "info": {"description": "Generated totes, a substitute for ARMBench mix-object-tote; see GENERATED.txt"},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in CATEGORIES.items()],
    }
    (folder / part.annotations).write_bytes(msgspec.json.encode(content))


def _shown(numbers: Iterable[int], state: str) -> Iterable[int]:
    return tqdm(numbers, desc=f"drawing totes, {state}", unit="image", disable=None)  # silent where nobody looks


def _marker(config: ArmbenchConfig) -> str:
    settings = msgspec.json.encode({"seed": config.seed, "generator": config.generator, "dataset": config.dataset})
    return (
        "These totes are drawn by `python -m armbench_segmentation.generate`. They are a substitute for ARMBench's\n"
        "mix-object-tote, which is not public, in its layout. To use the real dataset, put it here in their place.\n"
        f"{settings.decode()}\n"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write generated totes, a substitute for ARMBench, to the data root.")
    parser.add_argument("--replace", action="store_true", help="replace totes that were generated with other settings")
    given = parser.parse_args()
    try:
        config = load_config()
        folder = dataset_folder(config)
        written = generate(config, folder, given.replace)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{folder}: {'generated totes, a substitute for ARMBench' if written else 'is there already'}")


if __name__ == "__main__":
    main()
