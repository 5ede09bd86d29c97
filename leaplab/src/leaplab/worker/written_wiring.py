"""The wiring of an integration that has no integration test, written by hand; the lab has read the file.

    model_inputs: [image]                 # optional: the encoders that feed the model, in its order
    losses:
      cross_entropy: {ground_truth: ground_truth.classes, prediction: prediction.0}
    metrics:
      accuracy: {ground_truth: ground_truth.classes, prediction: prediction.classes}
    visualizers:
      picture: {image: input.image}

Each handler by its registered name, each argument with its source: `input.NAME`, `ground_truth.NAME`, or `prediction.`
and the output's position or prediction type. Metrics of element instances stand among the others.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from leaplab.errors import LeaplabError
from leaplab.protocol.binding import WiringOrder
from leaplab.protocol.description import Node, Source
from leaplab.worker.wiring import Wiring

SECTIONS = ("losses", "metrics", "visualizers")


def written_wiring(
    written: WiringOrder,
    inputs: Sequence[str],
    ground_truths: Sequence[str],
    predictions: Sequence[str],
    handlers: Mapping[str, Mapping[str, Sequence[str]]],
) -> Wiring:
    """What the names of a written wiring stand for.

    Args:
        written: the file's content.
        inputs: names of the input encoders.
        ground_truths: names of the ground-truth encoders.
        predictions: names of the prediction types, in order.
        handlers: section -> registered name -> names of the arguments.

    Raises:
        LeaplabError: it is not as described above, or names something that the integration does not have.
    """
    path, content = written.path, written.content
    unknown = set(content) - {*SECTIONS, "model_inputs"}
    if unknown:
        raise LeaplabError(
            f"{path}: {', '.join(sorted(map(str, unknown)))} is not {', '.join(SECTIONS)} or model_inputs."
        )

    known = {"input": list(inputs), "ground_truth": list(ground_truths), "prediction": list(predictions)}
    model_inputs = content.get("model_inputs") or []
    if not isinstance(model_inputs, list):
        raise LeaplabError(f"{path}: model_inputs must be a list of input encoders: [{', '.join(inputs)}].")
    wiring = Wiring(model_inputs=[_one_of(path, "model_inputs", name, inputs) for name in model_inputs])
    targets = {"losses": wiring.losses, "metrics": wiring.metrics, "visualizers": wiring.visualizers}
    for section, nodes in targets.items():
        of_section = content.get(section) or {}
        if not isinstance(of_section, dict):
            raise LeaplabError(f"{path}: {section} must map names of handlers to their arguments.")
        for name, arguments in of_section.items():
            _one_of(path, section, name, list(handlers[section]))
            expected = list(handlers[section][name])
            if not isinstance(arguments, dict) or set(arguments) != set(expected):
                raise LeaplabError(f"{path}: {section}.{name} must give a source for each of {', '.join(expected)}.")
            sources = {
                argument: _source(path, f"{section}.{name}.{argument}", arguments[argument], known)
                for argument in expected
            }
            nodes.append(Node(name, name, sources))
    return wiring


def _source(path: str, where: str, text: Any, known: Mapping[str, list[str]]) -> Source:
    kind, dot, name = str(text).partition(".")
    if kind not in known or not dot:
        raise LeaplabError(f"{path}: {where} is '{text}'; write input.NAME, ground_truth.NAME or prediction.NUMBER.")
    if kind == "prediction":
        if name.isdecimal():  # not checked here: an older integration may declare no prediction types
            return Source("prediction", index=int(name))
        return Source("prediction", index=known[kind].index(_one_of(path, where, name, known[kind])))
    _one_of(path, where, name, known[kind])
    return Source("input" if kind == "input" else "ground_truth", name)


def _one_of(path: str, where: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise LeaplabError(f"{path}: {where} names '{name}'; the integration has {', '.join(known) or 'none'}.")
    return name
