import numpy as np
from tqdm import tqdm


def spread(image: np.ndarray) -> float:
    return float(sum(tqdm([image.std(), 0.0], disable=True)))
