import numpy as np


def draw(seed: int, defect: int) -> np.ndarray:
    image = np.random.RandomState(seed).uniform(0.2, 0.4, (1, 8, 8)).astype(np.float32)
    if defect == 1:
        image[0, 3:4, :] += 0.5
    if defect == 2:
        image[0, 2:6, 2:6] -= 0.2
    return image
