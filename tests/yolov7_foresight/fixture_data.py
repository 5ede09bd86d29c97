"""A small dataset in the layout of the real one, for machines without it: generated, seeded, no substitute for it."""

from pathlib import Path

from msgspec.structs import replace

from yolov7_foresight.config import ForesightConfig, load_config
from yolov7_foresight.generate import write_population

REAL_DATA = "foresight/images"
OF_EACH = 12
"""Frames of each population, and of each part of foresight."""


def small(config: ForesightConfig) -> ForesightConfig:
    """The settings for few and small frames, and no camera that takes its time to be fitted."""
    return replace(
        config,
        scenes=replace(config.scenes, width=240, height=180),
        populations={
            name: replace(population, parts=dict.fromkeys(population.parts, OF_EACH), fitted_to=None)
            for name, population in config.populations.items()
        },
    )


def write(root: Path) -> Path:
    """Write every population under a data root; the root."""
    config = small(load_config())
    for name in config.populations:
        write_population(name, root, config)
    return root
