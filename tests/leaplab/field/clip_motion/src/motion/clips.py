import numpy as np

from .settings import directionNames, frameHeight, frameWidth, numFrames

_steps = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


class ClipStore:
    """Clips of one square that moves; frames are RGB bytes [T, H, W, 3]."""

    def __init__(self, splitName, numClips, seed):
        self.splitName = splitName
        generator = np.random.default_rng(seed)
        self.clips = {f"{splitName}_clip{n}": self._render(generator, n) for n in range(numClips)}

    def _render(self, generator, number):
        direction = directionNames[int(generator.integers(4))]
        speed = int(generator.integers(1, 3))
        size = 4
        stepY, stepX = (speed * s for s in _steps[direction])
        travel = speed * (numFrames - 1)
        y = int(generator.integers(max(-stepY, 0) and travel, frameHeight - size + 1 - (travel if stepY > 0 else 0)))
        x = int(generator.integers(max(-stepX, 0) and travel, frameWidth - size + 1 - (travel if stepX > 0 else 0)))
        frames = generator.integers(0, 40, (numFrames, frameHeight, frameWidth, 3), dtype=np.uint8)
        colour = generator.integers(140, 256, 3, dtype=np.uint8)
        for t in range(numFrames):
            frames[t, y + t * stepY : y + t * stepY + size, x + t * stepX : x + t * stepX + size] = colour
        return {"frames": frames, "direction": direction, "speed": speed, "night": bool(number % 3 == 0)}

    def clipIds(self):
        return sorted(self.clips)

    def clip(self, clipId):
        return self.clips[clipId]


def toModelInput(frames):
    return frames.astype(np.float32) / 255


def toOneHot(direction):
    return (np.array(directionNames) == direction).astype(np.float32)
