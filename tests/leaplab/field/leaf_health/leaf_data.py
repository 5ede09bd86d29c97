"""Leaves, healthy or with spots of rust, and how much of a leaf is covered."""
import numpy as np

STATES = {"training": 10, "validation": 8}


class LeafSet:
    def __init__(self, state):
        self.state = state
        self.leaves = {}
        for number in range(STATES[state]):
            rng = np.random.default_rng(sum(map(ord, state)) * 1000 + number)
            self.leaves[f"{state}-leaf-{number}"] = self.grow(rng, spots=int(rng.integers(0, 6)) if number % 2 else 0)

    @staticmethod
    def grow(rng, spots):
        y, x = np.mgrid[-1:1:20j, -1:1:20j]
        inside = (x**2 + (1.6 * y) ** 2) < 0.8
        rust = np.zeros_like(inside)
        for _ in range(spots):
            cx, cy = rng.uniform(-0.6, 0.6), rng.uniform(-0.3, 0.3)
            rust |= inside & ((x - cx) ** 2 + (y - cy) ** 2 < rng.uniform(0.01, 0.04))
        image = np.where(inside[..., None], [0.15, 0.6, 0.2], [0.95, 0.95, 0.9])
        image = np.where(rust[..., None], [0.7, 0.35, 0.1], image) + rng.normal(0, 0.02, (20, 20, 3))
        return {"image": image.clip(0, 1).astype(np.float32), "rust": rust, "inside": inside, "spots": spots}

    def covered(self, leaf_id):
        leaf = self.leaves[leaf_id]
        return float(leaf["rust"].sum() / leaf["inside"].sum())
