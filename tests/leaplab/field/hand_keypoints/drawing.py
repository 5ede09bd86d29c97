import numpy as np


def draw_crosses(gray, points, colours, reach=2):
    """RGB uint8 picture of [H, W, 1] in 0..1 with a cross at each of the points, relative to the image."""
    canvas = np.repeat((gray * 255).astype(np.uint8), 3, axis=-1)
    height, width = canvas.shape[:2]
    for (x, y), colour in zip(points, colours):
        column, row = int(round(float(x) * (width - 1))), int(round(float(y) * (height - 1)))
        if not (0 <= row < height and 0 <= column < width):
            continue
        canvas[max(row - reach, 0) : row + reach + 1, column] = colour
        canvas[row, max(column - reach, 0) : column + reach + 1] = colour
    return canvas
