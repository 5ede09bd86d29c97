import numpy as np


def centre_distance(truth, guess):
    """[B, 7] boxes -> metres on the ground, [B]."""
    return np.hypot(*(truth[:, :2] - guess[:, :2]).T)


def heading_error(truth, guess):
    """Smallest angle between two headings, in radians; a box looks the same from both ends."""
    off = np.mod(np.abs(truth[:, 6] - guess[:, 6]), np.pi)
    return np.minimum(off, np.pi - off)


def huber(difference, delta=1.0):
    size = np.abs(difference)
    return np.where(size < delta, 0.5 * size**2, delta * (size - 0.5 * delta))
