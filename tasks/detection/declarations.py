"""What the binders of the detectors tell code-loader's decorators alike."""

from collections.abc import Mapping, Sequence

from code_loader.contract.enums import DatasetMetadataType

_TYPES = {
    str: DatasetMetadataType.string,
    int: DatasetMetadataType.int,
    float: DatasetMetadataType.float,
    bool: DatasetMetadataType.boolean,
}


def declared(types: Mapping[str, type]) -> dict[str, DatasetMetadataType]:
    """Python's type of each metadata value -> code-loader's."""
    return {key: _TYPES[of_value] for key, of_value in types.items()}


def row_labels(labels: Sequence[str], coefficients: int = 0) -> list[str]:
    """Names of the values of a row of detections: box, objectness, classes, coefficients of masks."""
    of_masks = (f"coefficient_{number}" for number in range(coefficients))
    return ["x", "y", "width", "height", "objectness", *labels, *of_masks]
