"""Welded parts; each is photographed from one to four sides, and the photographs of a part belong together."""
import os

import numpy as np

MODEL_FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "weld.onnx")
DEFECTS = ("none", "pore", "crack")


class PartArchive:
    def __init__(self, line, number_of_parts, seed):
        rng = np.random.default_rng(seed)
        self._views = {}
        self.groups = []
        for part in range(number_of_parts):
            ids = []
            operator = f"op{rng.integers(3)}"
            current = None if part % 3 == 1 else float(rng.uniform(90, 140))
            for side in range(1 + (part + seed) % 4):
                view_id = f"{line}-p{part}-{'nesw'[side]}"
                defect = int(rng.integers(3))
                self._views[view_id] = {
                    "photo": self._photo(rng, defect),
                    "defect": defect,
                    "operator": operator,
                    "current": current,
                    "side": side,
                }
                ids.append(view_id)
            self.groups.append(ids)

    @staticmethod
    def _photo(rng, defect):
        photo = rng.uniform(0.4, 0.6, (12, 24, 1))
        photo[4:8] += 0.3
        if defect == 1:
            row, column = rng.integers(4, 7), rng.integers(2, 20)
            photo[row : row + 2, column : column + 2] -= 0.6
        elif defect == 2:
            column = rng.integers(2, 12)
            photo[5, column : column + 10] -= 0.5
        return photo.clip(0, 1).astype(np.float32)

    def view(self, view_id):
        return self._views[view_id]
