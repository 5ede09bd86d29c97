"""What feeds a model's head, found in a graph of names: the lab asks it of ONNX models, the worker of Keras models."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence


def frontier(
    start: Sequence[str],
    producers: Mapping[str, str],
    inputs: Mapping[str, Sequence[str]],
    features: Mapping[str, tuple[str, int]],
) -> list[tuple[str, int]]:
    """What feeds the head: walking back from the outputs, the data input of the first weighted node on each path.

    Args:
        start: names of the output tensors.
        producers: tensor -> the node that makes it.
        inputs: node -> the tensors that it takes and that depend on the model's inputs.
        features: node with weights (dense, convolution) -> (its data tensor, the channel axis of that tensor).

    Returns:
        (tensor, channel axis) pairs, without repetition, in the order of discovery.
    """
    found: dict[str, int] = {}
    queue, seen = deque(start), set(start)
    while queue:
        node = producers.get(queue.popleft())
        if node is None:
            continue
        if node in features:
            tensor, axis = features[node]
            found.setdefault(tensor, axis)
            continue
        for tensor in inputs[node]:
            if tensor not in seen:
                seen.add(tensor)
                queue.append(tensor)
    return list(found.items())
