"""Model files."""

from pathlib import Path
from typing import Any

from data_access.errors import DataError


def load_onnx_session(path: Path) -> Any:
    """An onnxruntime `InferenceSession` on the CPU.

    Raises:
        DataError: the file is missing or no ONNX model.
    """
    if not path.is_file():
        raise DataError(f"The model {path} is missing; models/README.md says how it is made.")
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no public base class
        reason = " ".join(str(error).split())
        raise DataError(f"{path} cannot be read as an ONNX model: {reason}") from error
