"""Street scenes drawn from a seed, with the exact outline of every object: a substitute where real frames are absent.

A pinhole camera looks along a straight road. Everything stands on the ground and is drawn from the far to the near, so
that what is in front hides what is behind; an object's pixels are known, and its box is that of the visible ones.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from yolov7_foresight.canvas import BACKGROUND, OVERSAMPLING, Canvas, shade
from yolov7_foresight.road_users import draw_car, draw_cyclist, draw_pedestrian

CAR, PEDESTRIAN, CYCLIST = range(3)
FURNITURE = -1
"""Stands in the street, but is no object to be found."""
HEADINGS = ("away", "towards", "across")
"""Of cars, by their style."""
WALLS = ((165, 110, 85), (185, 175, 155), (140, 140, 145), (200, 190, 175), (120, 85, 70))


class Placed(NamedTuple):
    """Something in the street.

    Attributes:
        z: metres ahead.
        kind: class, or `FURNITURE`.
        x: metres to the right.
        style: a car's heading; 1 for a cyclist along the road, 0 for one across it; furniture's side of it.
    """

    z: float
    kind: int
    x: float
    style: float


@dataclass(frozen=True, eq=False)
class Scene:
    """What was drawn.

    Attributes:
        image: [H, W, 3] uint8, RGB.
        instances: [H, W] int32, the number of the object that each pixel shows, counted from 1; 0 for none.
        classes: [K] int, of object 1, 2, and so on.
        whole_areas: [K] float, pixels of the image that each object would show if nothing stood before it.
    """

    image: NDArray[np.uint8]
    instances: NDArray[np.int32]
    classes: NDArray[np.int64]
    whole_areas: NDArray[np.float64]


def visible_objects(scene: Scene, least_visible: float, least_side: int) -> Objects:
    """The objects that are to be found, each in the box of its visible pixels.

    Args:
        least_visible: share of an object's area below which it counts as hidden.
        least_side: pixels; an object whose box is narrower or lower is too small to count.
    """
    width = scene.instances.shape[1]
    edges, classes = [], []
    flat = scene.instances.ravel()
    places = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[places], np.arange(1, len(scene.classes) + 2))
    for number, label in enumerate(scene.classes):
        own = places[starts[number] : starts[number + 1]]
        if len(own) == 0 or len(own) < least_visible * scene.whole_areas[number]:
            continue
        y, x = np.divmod(own, width)
        box = (x.min(), y.min(), x.max() + 1, y.max() + 1)
        if min(box[2] - box[0], box[3] - box[1]) >= least_side:
            edges.append(box)
            classes.append(label)
    return Objects(np.array(edges, np.float64).reshape(-1, 4), np.array(classes, np.int64))


def _sky_and_ground(canvas: Canvas, rng: np.random.Generator) -> None:
    horizon = int(canvas.horizon)
    top, low = (
        np.array([(120, 160, 215), (190, 195, 200), (95, 130, 185)][rng.integers(3)], float),
        np.array((225, 228, 230.0)),
    )
    share = np.linspace(0, 1, max(horizon, 1))[:, np.newaxis]
    canvas.image[:horizon] = (top * (1 - share) + low * share)[:, np.newaxis].astype(np.uint8)
    canvas.image[horizon:] = shade(
        [(120, 118, 112), (105, 115, 85), (135, 130, 122)][rng.integers(3)], rng.uniform(0.8, 1.1)
    )


def _street(canvas: Canvas, rng: np.random.Generator, half: float) -> None:
    far = 300.0
    pavement = shade((150, 146, 140), rng.uniform(0.8, 1.15))
    canvas.face([(-half - 3.5, 0, 0.5), (-half - 3.5, 0, far), (half + 3.5, 0, far), (half + 3.5, 0, 0.5)], pavement)
    kerb = half + 0.15
    canvas.face([(-kerb, 0, 0.5), (-kerb, 0, far), (kerb, 0, far), (kerb, 0, 0.5)], shade(pavement, 1.15))
    asphalt = shade((88, 88, 92), rng.uniform(0.7, 1.25))
    canvas.face([(-half, 0, 0.5), (-half, 0, far), (half, 0, far), (half, 0, 0.5)], asphalt)
    mark = (215, 213, 205)
    if rng.random() < 0.8:
        start = rng.uniform(0, 6)
        for z in np.arange(start, 90, 6.0):
            canvas.face([(-0.07, 0, z + 0.5), (-0.07, 0, z + 3), (0.07, 0, z + 3), (0.07, 0, z + 0.5)], mark)
    if rng.random() < 0.4:
        for x in (-half + 0.25, half - 0.25):
            canvas.face([(x - 0.06, 0, 0.5), (x - 0.06, 0, 120), (x + 0.06, 0, 120), (x + 0.06, 0, 0.5)], mark)
    if rng.random() < 0.25:
        z = rng.uniform(6, 25)
        for x in np.arange(-half + 0.3, half - 0.3, 0.9):
            canvas.face([(x, 0, z), (x, 0, z + 3), (x + 0.45, 0, z + 3), (x + 0.45, 0, z)], mark)


def _buildings(canvas: Canvas, rng: np.random.Generator, half: float) -> None:
    for side in (-1, 1):
        z, line = rng.uniform(-8, 4) + 120, half + rng.uniform(3.5, 9)
        while z > 3:
            depth, tall = rng.uniform(7, 20), rng.uniform(5, 17)
            near = max(z - depth, 1.0)
            if rng.random() < 0.8:
                wall = shade(WALLS[rng.integers(len(WALLS))], rng.uniform(0.7, 1.1))
                x = side * line
                canvas.face([(x, 0, near), (x, tall, near), (x, tall, z), (x, 0, z)], wall)
                end = x + side * 12
                canvas.face([(x, 0, near), (x, tall, near), (end, tall, near), (end, 0, near)], shade(wall, 0.82))
                pane = shade((70, 80, 95), rng.uniform(0.7, 1.6))
                for y in np.arange(1.2, tall - 1.5, 3.0):
                    for pane_z in np.arange(near + 1, z - 1.5, 3.2):
                        top, back = y + 1.5, pane_z + 1.3
                        canvas.face([(x, y, pane_z), (x, top, pane_z), (x, top, back), (x, y, back)], pane)
                        if rng.random() < 0.12:
                            canvas.light((x, y + 0.8, pane_z + 0.6), 0.4, (240, 205, 130))
            z = near - rng.uniform(0, 5)


def _furniture(canvas: Canvas, rng: np.random.Generator, half: float, side: int, z: float) -> None:
    """A tree, a lamp or a sign on the pavement; none of them is an object to be found."""
    x = side * (half + rng.uniform(0.5, 1.4))
    kind = rng.integers(3)
    if kind == 0:
        canvas.stroke((x, 0, z), (x, 3.0, z), 0.25, (85, 68, 52))
        leaf = shade((70, 105, 50), rng.uniform(0.6, 1.3))
        for _ in range(9):
            dx, dy, size = rng.uniform(-1.1, 1.1), rng.uniform(3.0, 5.2), rng.uniform(0.5, 1.1)
            canvas.disc((x + dx, dy, z), size, size, shade(leaf, rng.uniform(0.75, 1.2)))
    elif kind == 1:
        canvas.stroke((x, 0, z), (x, 6.5, z), 0.13, (95, 97, 100))
        canvas.stroke((x, 6.5, z), (x - side * 1.4, 6.7, z), 0.1, (95, 97, 100))
        canvas.light((x - side * 1.4, 6.65, z), 0.16, (255, 225, 170))
    else:
        canvas.stroke((x, 0, z), (x, 2.3, z), 0.07, (130, 130, 132))
        canvas.disc((x, 2.5, z), 0.32, 0.32, [(190, 40, 40), (40, 80, 170), (225, 225, 225)][rng.integers(3)])


def render(rng: np.random.Generator, width: int, height: int, dusk: float, crowd: float = 1.0) -> Scene:
    """A street with cars, pedestrians and cyclists.

    Args:
        rng: decides everything.
        width: of the image in pixels.
        height: of the image in pixels.
        dusk: 0 broad daylight to 1 night, when lamps shine.
        crowd: factor on how many objects there are.
    """
    horizon = height * rng.uniform(0.40, 0.52)
    canvas = Canvas(width, height, horizon, width * rng.uniform(0.8, 1.05), rng.uniform(1.2, 1.6))
    half = rng.uniform(3.2, 5.5)
    _sky_and_ground(canvas, rng)
    _street(canvas, rng, half)
    _buildings(canvas, rng, half)

    plan = _plan(rng, half, crowd)
    classes, whole = [], []
    for placed in sorted(plan, key=lambda item: -item.z):
        if placed.kind == FURNITURE:
            canvas.number = BACKGROUND
            _furniture(canvas, rng, half, int(placed.style), placed.z)
            continue
        classes.append(placed.kind)
        canvas.number = len(classes)
        _draw(canvas, rng, placed)
        # Nothing hides it yet: what stands in front is drawn later.
        whole.append(np.count_nonzero(canvas.instances == canvas.number) / OVERSAMPLING**2)
    canvas.number = BACKGROUND

    image = np.asarray(cv2.resize(_lit(canvas, rng, dusk), (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    instances = canvas.instances[OVERSAMPLING // 2 :: OVERSAMPLING, OVERSAMPLING // 2 :: OVERSAMPLING].copy()
    return Scene(image, instances, np.array(classes, np.int64), np.array(whole, np.float64))


def _draw(canvas: Canvas, rng: np.random.Generator, placed: Placed) -> None:
    if placed.kind == CAR:
        draw_car(canvas, rng, placed.x, placed.z, HEADINGS[int(placed.style)])
    elif placed.kind == PEDESTRIAN:
        draw_pedestrian(canvas, rng, placed.x, placed.z)
    else:
        draw_cyclist(canvas, rng, placed.x, placed.z, along=bool(placed.style))


def _plan(rng: np.random.Generator, half: float, crowd: float) -> list[Placed]:
    """What stands in the street, in no order."""
    plan: list[Placed] = []
    if rng.random() < 0.97:
        for _ in range(rng.poisson(1.3 * crowd)):
            plan.append(Placed(_far(rng, 7, 60), CAR, half * 0.5 + rng.uniform(-0.4, 0.4), 0))
        for _ in range(rng.poisson(1.0 * crowd)):
            plan.append(Placed(_far(rng, 7, 60), CAR, -half * 0.5 + rng.uniform(-0.4, 0.4), 1))
        for side in (-1, 1):
            if rng.random() < 0.4:
                start = rng.uniform(5, 25)
                for position in range(rng.integers(1, 4)):
                    plan.append(
                        Placed(start + position * rng.uniform(5.2, 7.5), CAR, side * (half + 0.6), float(side < 0))
                    )
        if rng.random() < 0.3:
            plan.append(Placed(_far(rng, 9, 40), CAR, rng.uniform(-6, 6), 2))
        for _ in range(rng.poisson(1.9 * crowd)):
            x = rng.uniform(-half, half) if rng.random() < 0.2 else (half + rng.uniform(0.8, 3.2)) * rng.choice((-1, 1))
            plan.append(Placed(_far(rng, 4.5, 35), PEDESTRIAN, x, 0))
        for _ in range(rng.poisson(1.1 * crowd)):
            along = rng.random() < 0.55
            x = rng.choice((-1, 1)) * (half - rng.uniform(0.3, 1.2)) if along else rng.uniform(-half - 2, half + 2)
            plan.append(Placed(_far(rng, 5, 35), CYCLIST, x, float(along)))
    for _ in range(rng.integers(2, 7)):
        plan.append(Placed(_far(rng, 6, 70), FURNITURE, 0.0, float(rng.choice((-1, 1)))))
    kept: list[Placed] = []
    for item in plan:  # nothing stands inside something else
        if all(_is_clear(item, other) for other in kept):
            kept.append(item)
    return kept


def _is_clear(one: Placed, other: Placed) -> bool:
    """People may stand close together, cars take the room that they take."""
    return abs(one.z - other.z) > 4.5 or abs(one.x - other.x) > 1.8 or CAR not in (one.kind, other.kind)


def _far(rng: np.random.Generator, near: float, far: float) -> float:
    return float(np.exp(rng.uniform(np.log(near), np.log(far))))


def _lit(canvas: Canvas, rng: np.random.Generator, dusk: float) -> NDArray[np.uint8]:
    """Texture, the light of the hour, and lamps that shine once it is dark."""
    height, width = canvas.image.shape[:2]
    image = canvas.image.astype(np.float32)
    for cells in (12, 60, 240):
        noise = rng.normal(0, 0.035, (cells * height // width + 1, cells)).astype(np.float32)
        image *= 1 + cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)[..., np.newaxis]
    left, right = rng.uniform(0.82, 1.12, 2).tolist()
    sun = np.linspace(left, right, width, dtype=np.float32)[np.newaxis, :, np.newaxis]
    ambient = np.array((1.0, 1.0, 1.0), np.float32) * (1 - dusk) + np.array((0.34, 0.30, 0.36), np.float32) * dusk
    image *= sun * ambient * np.float32(rng.uniform(0.85, 1.1))
    if dusk > 0.2:
        lights = canvas.lights.astype(np.float32)
        small = cv2.resize(lights, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
        glow = cv2.resize(cv2.GaussianBlur(small, (0, 0), 3), (width, height), interpolation=cv2.INTER_LINEAR)
        image += dusk * (0.8 * lights + 1.5 * glow)
    return np.clip(image, 0, 255).astype(np.uint8)
