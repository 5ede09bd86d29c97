"""The .onnx of a trained model's .h5, which gives the same numbers."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import onnxruntime
from numpy.typing import NDArray

TOLERANCE = 1e-4


def write_onnx(path: Path, example_batch: NDArray[np.float32]) -> float:
    """Write `path` with the suffix .onnx from that with .h5, and print how far the two differ on a batch.

    The .h5 stays as it is, byte for byte: a card may tell its checksum.

    Args:
        path: the files' path without suffix; the .h5 holds a functional model of one input.
        example_batch: [B, ...] float32, what the encoders make of real samples.

    Returns:
        The largest difference between the outputs of the two files, relative to values whose size is above 1.

    Raises:
        ValueError: that difference is above `TOLERANCE`; then nothing is written.
    """
    h5, onnx = path.with_suffix(".h5"), path.with_suffix(".onnx")
    model = keras.models.load_model(h5, compile=False)
    # First, because Keras exports only what has been called.
    from_h5 = [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(model(example_batch))]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        file = Path(folder) / onnx.name
        model.export(file, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(str(file))
        from_onnx = session.run(None, {session.get_inputs()[0].name: example_batch})
        # Not max, which may lose a NaN.
        difference = float(np.max([_difference(*outputs) for outputs in zip(from_onnx, from_h5, strict=True)]))
        if not difference <= TOLERANCE:
            raise ValueError(f"{onnx.name} and {h5.name} differ by {difference:.2g}, more than {TOLERANCE}.")
        file.replace(onnx)
    print(f"{path.name}: .onnx within {difference:.1g} of .h5")
    return difference


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    # Of a value above 1, as pixels are, relative to it.
    return float((np.abs(one - other) / np.maximum(np.abs(other), 1)).max())
