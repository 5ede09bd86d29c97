"""Cars, pedestrians and cyclists, drawn as flat shapes in space."""

import cv2
import numpy as np

from yolov7_foresight.canvas import Canvas, Colour, Point, shade


def draw_car(canvas: Canvas, rng: np.random.Generator, x: float, z: float, heading: str) -> None:
    """A car whose near lower middle is at (x, z): heading `away`, `towards`, or `across` the road."""
    colour = _paint(rng)
    length, width, height = rng.uniform(3.7, 4.9), rng.uniform(1.65, 1.95), rng.uniform(1.38, 1.75)
    glass = shade((60, 75, 90), rng.uniform(0.6, 1.3))
    if heading == "across":
        _car_from_the_side(canvas, rng, x, z, length, height, colour, glass)
        return
    waist = height * rng.uniform(0.56, 0.64)
    left, right, back = x - width / 2, x + width / 2, z + length
    floor = 0.22
    inset, slope = 0.14, rng.uniform(0.25, 0.7)
    canvas.face([(left, 0.0, z), (right, 0.0, z), (right, 0.0, back), (left, 0.0, back)], (28, 28, 30))
    for side in (left, right):
        if side * (1 if side == left else -1) > 0:  # the camera sees this flank
            flank = shade(colour, 0.72)
            canvas.face([(side, floor, z), (side, waist, z), (side, waist, back), (side, floor, back)], flank)
            inner = side + inset if side == left else side - inset
            cabin = [(side, waist, z + 0.2), (inner, height, z + 0.2 + slope)]
            cabin += [(inner, height, z + length * 0.62), (side, waist, z + length * 0.78)]
            canvas.face(cabin, shade(glass, 0.8))
            for wheel in (z + 0.75, back - 0.85):
                _flank_wheel(canvas, side, wheel)
    near_top = z + 0.2 + slope
    canvas.face(
        [
            (left, waist, z + 0.1),
            (left + inset, height, near_top),
            (right - inset, height, near_top),
            (right, waist, z + 0.1),
        ],
        colour,
    )
    margin = inset + 0.08
    canvas.face(
        [
            (left + 0.12, waist + 0.03, z + 0.1),
            (left + margin, height - 0.08, near_top),
            (right - margin, height - 0.08, near_top),
            (right - 0.12, waist + 0.03, z + 0.1),
        ],
        glass,
    )
    for wheel in (left + 0.02, right - 0.24):
        canvas.face([(wheel, 0.0, z), (wheel + 0.22, 0.0, z), (wheel + 0.22, 0.4, z), (wheel, 0.4, z)], (22, 22, 24))
    canvas.face([(left, floor, z), (left, waist, z), (right, waist, z), (right, floor, z)], shade(colour, 0.93))
    canvas.face(
        [
            (left + 0.05, floor, z),
            (left + 0.05, floor + 0.16, z),
            (right - 0.05, floor + 0.16, z),
            (right - 0.05, floor, z),
        ],
        (45, 45, 48),
    )
    plate = (225, 225, 215) if rng.random() < 0.6 else (215, 200, 90)
    canvas.face([(x - 0.26, 0.42, z), (x - 0.26, 0.54, z), (x + 0.26, 0.54, z), (x + 0.26, 0.42, z)], plate)
    lamp = (255, 250, 220) if heading == "towards" else (225, 30, 25)
    for side in (left + 0.2, right - 0.2):
        canvas.light((side, waist - 0.14, z), 0.11, lamp)


def _car_from_the_side(
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    z: float,
    length: float,
    height: float,
    colour: Colour,
    glass: Colour,
) -> None:
    start, waist, floor = x - length / 2, height * 0.6, 0.25
    forward = rng.random() < 0.5

    def at(share: float, y: float) -> Point:
        return (start + length * (share if forward else 1 - share), y, z)

    canvas.face([at(0, 0.0), at(1, 0.0), at(1, floor), at(0, floor)], (25, 25, 27))
    body = [at(0, floor), at(0, waist * 0.95), at(0.14, waist), at(0.3, height), at(0.66, height), at(0.8, waist)]
    canvas.face([*body, at(0.99, waist * 0.82), at(1, floor)], colour)
    canvas.face([at(0.19, waist), at(0.32, height - 0.08), at(0.47, height - 0.08), at(0.47, waist)], glass)
    canvas.face([at(0.5, waist), at(0.5, height - 0.08), at(0.64, height - 0.08), at(0.75, waist)], glass)
    for wheel in (0.2, 0.81):
        canvas.disc(at(wheel, 0.32), 0.33, 0.33, (24, 24, 26))
        canvas.disc(at(wheel, 0.32), 0.18, 0.18, (140, 140, 145))
    canvas.light(at(0.985, waist * 0.72), 0.08, (255, 250, 220))
    canvas.light(at(0.015, waist * 0.8), 0.08, (225, 30, 25))


def _flank_wheel(canvas: Canvas, x: float, z: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    canvas.face([(x, 0.32 + 0.32 * np.sin(a), z + 0.32 * np.cos(a)) for a in turn], (22, 22, 24))
    canvas.face([(x, 0.32 + 0.17 * np.sin(a), z + 0.17 * np.cos(a)) for a in turn], (130, 130, 135))


def draw_pedestrian(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """Somebody on foot at (x, z)."""
    _person(canvas, rng, x, 0.0, z, rng.uniform(1.5, 1.9) if rng.random() < 0.88 else rng.uniform(1.0, 1.4))


def _person(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, z: float, tall: float, legs: bool = True
) -> None:
    skin = shade((225, 180, 150), rng.uniform(0.45, 1.1))
    coat, trousers = _cloth(rng), shade(_cloth(rng), 0.7)
    hip, shoulder = y + 0.5 * tall, y + 0.82 * tall
    if legs:
        stride = rng.uniform(0.0, 0.24) * tall
        for side in (-1, 1):
            foot = (x + side * stride, y, z)
            canvas.stroke((x + side * 0.05, hip, z), foot, 0.095 * tall, shade(trousers, 1 if side > 0 else 0.85))
            toe = (foot[0] + 0.1 * tall * (1 if rng.random() < 0.5 else -1) * 0.5, y + 0.02, z)
            canvas.stroke((foot[0], y + 0.03, z), toe, 0.06 * tall, (35, 30, 28))
    half = rng.uniform(0.11, 0.15) * tall
    hem = hip - rng.uniform(0.0, 0.18) * tall
    canvas.face(
        [(x - half * 0.85, hem, z), (x - half, shoulder, z), (x + half, shoulder, z), (x + half * 0.85, hem, z)], coat
    )
    for side in (-1, 1):
        hand = (x + side * (half + rng.uniform(0.0, 0.12) * tall), hip + rng.uniform(-0.04, 0.1) * tall, z)
        canvas.stroke((x + side * half, shoulder - 0.03 * tall, z), hand, 0.06 * tall, shade(coat, 0.88))
    if rng.random() < 0.3:
        bag = x + (half + 0.06 * tall) * (1 if rng.random() < 0.5 else -1)
        canvas.face(
            [
                (bag - 0.09, hip - 0.1, z),
                (bag - 0.09, hip + 0.18, z),
                (bag + 0.09, hip + 0.18, z),
                (bag + 0.09, hip - 0.1, z),
            ],
            _cloth(rng),
        )
    canvas.disc((x, y + 0.92 * tall, z), 0.062 * tall, 0.078 * tall, skin)
    hair = shade((70, 50, 35), rng.uniform(0.3, 2.2))
    canvas.disc((x, y + 0.955 * tall, z), 0.062 * tall, 0.045 * tall, hair)


def draw_cyclist(canvas: Canvas, rng: np.random.Generator, x: float, z: float, along: bool) -> None:
    """Somebody on a bicycle at (x, z), who rides along the road or across the view."""
    frame = _paint(rng)
    if along:
        canvas.disc((x, 0.34, z), 0.05, 0.34, (25, 25, 27))
        canvas.stroke((x, 0.3, z), (x, 0.95, z), 0.07, frame)
        canvas.stroke((x - 0.3, 1.02, z), (x + 0.3, 1.02, z), 0.05, (40, 40, 42))
        _person(canvas, rng, x, 0.35, z, 1.5)
    else:
        way = 1 if rng.random() < 0.5 else -1
        for wheel in (-0.52, 0.52):
            canvas.disc((x + wheel, 0.34, z), 0.33, 0.33, (25, 25, 27), ring=0.055)
        seat, bar, crank = (x - 0.22 * way, 0.9, z), (x + 0.38 * way, 1.0, z), (x - 0.05 * way, 0.32, z)
        for start, end in (
            (crank, seat),
            (crank, bar),
            ((x - 0.52 * way, 0.34, z), seat),
            (bar, (x + 0.52 * way, 0.34, z)),
        ):
            canvas.stroke(start, end, 0.05, frame)
        trousers, coat = shade(_cloth(rng), 0.7), _cloth(rng)
        knee = (x + 0.14 * way, rng.uniform(0.55, 0.8), z)
        canvas.stroke((seat[0], 0.95, z), knee, 0.16, trousers)
        canvas.stroke(knee, (x - 0.03 * way, 0.22, z), 0.12, trousers)
        shoulder = (x + 0.18 * way, 1.45, z)
        canvas.stroke((seat[0], 0.98, z), shoulder, 0.3, coat)
        canvas.stroke(shoulder, (bar[0], 1.03, z), 0.09, shade(coat, 0.85))
        canvas.disc((x + 0.3 * way, 1.66, z), 0.11, 0.14, shade((225, 180, 150), rng.uniform(0.45, 1.1)))
        canvas.disc((x + 0.28 * way, 1.73, z), 0.13, 0.09, _paint(rng))
    canvas.light((x, 0.7, z), 0.04, (225, 30, 25) if rng.random() < 0.5 else (255, 250, 220))


def _paint(rng: np.random.Generator) -> Colour:
    greys = ((235, 235, 238), (40, 42, 46), (150, 152, 156), (90, 94, 100))
    vivid = ((150, 30, 32), (30, 60, 130), (40, 95, 60), (185, 150, 60), (110, 60, 40), (60, 120, 160))
    base = greys[rng.integers(len(greys))] if rng.random() < 0.6 else vivid[rng.integers(len(vivid))]
    return shade(base, rng.uniform(0.8, 1.1))


def _cloth(rng: np.random.Generator) -> Colour:
    hue = np.array([[[rng.integers(0, 180), rng.integers(20, 170), rng.integers(40, 220)]]], np.uint8)
    red, green, blue = (float(value) for value in cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0])
    return red, green, blue
