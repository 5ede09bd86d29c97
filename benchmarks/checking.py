"""What stands before a push: `leaplab check`, `leaplab bundle` and `leaplab sample` of the mnist example."""

import tempfile

from benchmarks.measuring import Figure, watch

REPEATS = 3


def run() -> list[Figure]:
    """The fastest of three each."""
    environment = {"LEAP_EXAMPLE": "mnist"}
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "leaplab check (ONNX)": (["check"], 15.0),
            "leaplab bundle, with its proof": (["bundle", "--out", f"{folder}/bundle.tar.gz"], None),
            "leaplab sample": (["sample", "validation", "validation_00000", "--out", folder], None),
        }
        return [
            Figure(
                what,
                min(watch(["-m", "leaplab", *arguments], environment).seconds for _ in range(REPEATS)),
                "s",
                bound,
            )
            for what, (arguments, bound) in commands.items()
        ]
