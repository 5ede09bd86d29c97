"""A small dataset in the format of the real one, for machines without it: a few generated totes."""

from pathlib import Path

from msgspec.structs import replace

from armbench_segmentation.config import load_config
from armbench_segmentation.generate import generate

REAL_DATA = "armbench/mix-object-tote/train.json"


def write(root: Path, seed: int = 0) -> Path:
    """Write seeded totes under a data root; their folder."""
    config = load_config()
    some = replace(config.generator, training=8, validation=4, unlabeled=4)
    folder = (root / REAL_DATA).parent
    generate(replace(config, generator=some, seed=seed), folder)
    return folder
