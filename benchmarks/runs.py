"""The runs that the benchmarks of the analyses look at, evaluated once: build/benchmark-runs."""

from functools import cache
from pathlib import Path

from benchmarks.measuring import watch

RUNS = Path("build/benchmark-runs")
GENERATED = Path("build/benchmark-data")
MODELS = (Path("../shared/models"), Path("models"))
"""Where the models lie that the methods' numbers were taken on, else those that are shipped."""
SUFFIX = "-34ac9c3"
MNIST, CIFAR10 = f"mnist_cnn{SUFFIX}", f"cifar10_resnet_18{SUFFIX}"
REAL_FRAMES, FRAMES, TOTES = f"real_frames{SUFFIX}", f"yolov7_tiny_foresight{SUFFIX}", f"armbench_yolo_seg{SUFFIX}"
EXAMPLES = {
    MNIST: ("mnist", "mnist_cnn"),
    CIFAR10: ("cifar10_resnet", "cifar10_resnet_18"),
    REAL_FRAMES: ("yolov7_foresight", "yolov7_tiny_foresight"),
    FRAMES: ("yolov7_foresight", "yolov7_tiny_foresight"),
    TOTES: ("armbench_segmentation", "armbench_yolo_seg"),
}
"""Run -> example, and model."""
OF_GENERATED = {FRAMES: ["yolov7_foresight.generate", "--all"], TOTES: ["armbench_segmentation.generate"]}
"""Runs of generated data -> the command that generates them; the others need the real data."""


@cache
def evaluated(name: str) -> Path:
    """The run's folder, evaluated where it is not up to date."""
    example, model = EXAMPLES[name]
    file = next(path for folder in MODELS if (path := folder / f"{model}.onnx").exists())
    environment = {"LEAP_EXAMPLE": example}
    if name in OF_GENERATED:
        environment["LEAP_DATA_ROOT"] = str(GENERATED.resolve())
        watch(["-m", *OF_GENERATED[name]], environment)
    options = ["--runs", str(RUNS), "--name", name, "--model", str(file), "--update"]
    watch(["-m", "leaplab", "evaluate", ".", *options], environment)
    return RUNS / name


def forget(run: Path, analysis: str) -> None:
    """Delete what is cached of an analysis, so that it is asked anew."""
    for path in (run / "derived").glob(f"{analysis}-*.npy"):
        path.unlink()
