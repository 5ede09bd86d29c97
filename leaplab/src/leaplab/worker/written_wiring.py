"""The wiring of an integration that has no integration test, written by hand; the lab has read the file.

    model_inputs: [image]                 # optional: the encoders that feed the model, in its order
    losses:
      cross_entropy: {ground_truth: ground_truth.classes, prediction: prediction.0}
    metrics:
      accuracy: {ground_truth: ground_truth.classes, prediction: prediction.classes}
      accuracy as of_the_baseline: {ground_truth: ground_truth.classes, prediction: ground_truth.baseline}
    visualizers:
      picture: {image: input.image}

Each handler by its registered name, each argument with its source: `input.NAME`, `ground_truth.NAME`, or `prediction.`
and the output's position or prediction type. A handler that is used twice says `as` what else it is called. Arguments
that have a default may be left out. Metrics of element instances stand among the others.

The lab reads a mapping file (`leap_mapping.yaml`) into the same, with a section `layers` of the model's layers, number
-> name, of which a source is `layer.NUMBER`. A program wrote such a file, often for an older state of the integration:
what it names that is not there is left out and told, while in a file that a person wrote it is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Collection, Mapping, Sequence

from leaplab.errors import LeaplabError
from leaplab.protocol.binding import WiringOrder
from leaplab.protocol.description import Node, Source
from leaplab.worker.wiring import Wiring

SECTIONS = {"losses": "loss", "metrics": "metric", "visualizers": "visualizer"}
OF_MAPPING = ("layers", "left_out", "inputs_of_model")
FIRST = "1"
"""Number of the layer that makes the model's first output: layers are numbered from the outputs on."""


@dataclass(frozen=True)
class ModelEnds:
    """What a model calls its ends.

    Attributes:
        inputs: names, in order; for a Keras model those of its input layers.
        outputs: names, in order; for a Keras model those of the layers that make them.
        layers: names of all layers; empty where they are not known.
    """

    inputs: Sequence[str]
    outputs: Sequence[str]
    layers: Collection[str] = ()


class _MistakeError(Exception):
    """What is wrong with a file, without its path."""


class _AbsentError(_MistakeError):
    """What is named is not there; `briefly` says so without what is."""

    def __init__(self, where: str, name: str, known: Sequence[str]) -> None:
        super().__init__(f"{where} names '{name}'; the integration has {', '.join(known) or 'none'}.")
        self.briefly = f"{where} names '{name}', which the integration does not have"


def is_mapping(written: WiringOrder) -> bool:
    """Whether a wiring was read from a mapping file."""
    return "layers" in written.content


def written_wiring(
    written: WiringOrder,
    inputs: Sequence[str],
    ground_truths: Sequence[str],
    predictions: Sequence[str],
    handlers: Mapping[str, Mapping[str, Sequence[str]]],
    optional: Mapping[str, Mapping[str, Collection[str]]] | None = None,
    ends: Callable[[], ModelEnds] | None = None,
) -> Wiring:
    """What the names of a written wiring stand for.

    Args:
        written: the file's content.
        inputs: names of the input encoders.
        ground_truths: names of the ground-truth encoders.
        predictions: names of the prediction types, in order.
        handlers: section -> registered name -> names of the arguments.
        optional: section -> registered name -> those of them that have a default.
        ends: looks at the model; called only where a mapping file cannot be understood without it.

    Raises:
        LeaplabError: it is not as described above, or names something that the integration does not have.
    """
    path, content = written.path, written.content
    mapping = is_mapping(written)
    unknown = set(content) - {*SECTIONS, "model_inputs", *(OF_MAPPING if mapping else ())}
    if unknown:
        raise LeaplabError(
            f"{path}: {', '.join(sorted(map(str, unknown)))} is not {', '.join(SECTIONS)} or model_inputs."
        )
    known = {"input": list(inputs), "ground_truth": list(ground_truths), "prediction": list(predictions)}
    wiring = Wiring(left_out=list(content.get("left_out") or []) if mapping else [])
    try:
        if mapping:
            model = _OnceLooked(ends)
            outputs = _outputs(content["layers"], model)
            wiring.model_inputs = _inputs_of(content, inputs, model, wiring.left_out)
        else:
            outputs = {}
            wiring.model_inputs = _model_inputs(content, inputs)
        for section, nodes in (
            ("losses", wiring.losses),
            ("metrics", wiring.metrics),
            ("visualizers", wiring.visualizers),
        ):
            of_section = content.get(section) or {}
            if not isinstance(of_section, dict):
                raise _MistakeError(f"{section} must map names of handlers to their arguments.")
            defaults = (optional or {}).get(section, {})
            for name, arguments in of_section.items():
                try:
                    nodes.append(_node(section, name, arguments, handlers[section], defaults, known, outputs))
                except _MistakeError as mistake:
                    if not mapping:
                        raise
                    column = str(name).rpartition(" as ")[2]
                    reason = getattr(mistake, "briefly", str(mistake).rstrip("."))
                    wiring.left_out.append(f"the {SECTIONS[section]} '{column}': {reason}")
    except _MistakeError as mistake:
        raise LeaplabError(f"{path}: {mistake}") from mistake
    return wiring


class _OnceLooked:
    """The ends of a model, looked at once; None where they cannot be told."""

    def __init__(self, look: Callable[[], ModelEnds] | None) -> None:
        self._look = look
        self._found: ModelEnds | None = None
        self.reason = "there is no model to look at"

    def __call__(self) -> ModelEnds | None:
        if self._found is None and self._look is not None:
            try:
                self._found = self._look()
            except LeaplabError as error:
                self._look, self.reason = None, str(error).rstrip(".")
        return self._found


def _model_inputs(content: Mapping[str, Any], inputs: Sequence[str]) -> list[str]:
    names = content.get("model_inputs") or []
    if not isinstance(names, list):
        raise _MistakeError(f"model_inputs must be a list of input encoders: [{', '.join(inputs)}].")
    return [_one_of("model_inputs", name, inputs) for name in names]


def _inputs_of(content: Mapping[str, Any], inputs: Sequence[str], model: _OnceLooked, left_out: list[str]) -> list[str]:
    """The encoders that feed the model, in its order where the model's names tell it, else in that of the encoders."""
    feeding = [name for name in inputs if name in content["model_inputs"]]
    left_out += [
        f"the input '{name}', which the integration does not have"
        for name in content["model_inputs"]
        if name not in inputs
    ]
    if len(feeding) < 2:
        return feeding
    ends = model()
    called = {content["inputs_of_model"].get(name, name): name for name in feeding}
    if ends is not None and set(ends.inputs) == set(called):
        return [called[name] for name in ends.inputs]
    return feeding


def _outputs(layers: Mapping[str, str], model: _OnceLooked) -> dict[str, int | str]:
    """Number of a layer -> the output of the model that it makes, or why that cannot be told.

    Layers are numbered from the first output back to the inputs, then from the second, and so on: the first output is
    number 1, and any other number may as well be that of a layer in between. The model tells which.
    """
    found: dict[str, int | str] = {}
    asked = [number for number in layers if number != FIRST]
    ends = model() if asked else None
    if ends is not None:
        found = {number: list(ends.outputs).index(name) for number, name in layers.items() if name in ends.outputs}
    if FIRST in layers:
        found.setdefault(FIRST, 0)
    open_ = sorted((number for number in asked if number not in found), key=_in_order)
    if ends is None:
        return {**found, **dict.fromkeys(open_, f"is not known to be an output ({model.reason})")}
    inner = [number for number in open_ if len(ends.outputs) == 1 or layers[number] in ends.layers]
    found.update(dict.fromkeys(inner, "is no output of the model, and leaplab hands over none in between"))
    open_ = [number for number in open_ if number not in inner]
    free = [place for place in range(len(ends.outputs)) if place not in found.values()]
    if len(open_) == len(free):
        found.update(zip(open_, free))
    else:
        found.update(dict.fromkeys(open_, f"may be any of the model's outputs {', '.join(ends.outputs)}"))
    return found


def _in_order(number: str) -> tuple[int, str]:
    return (int(number) if number.isdecimal() else 0, number)


def _node(
    section: str,
    name: Any,
    arguments: Any,
    handlers: Mapping[str, Sequence[str]],
    optional: Mapping[str, Collection[str]],
    known: Mapping[str, list[str]],
    outputs: Mapping[str, int | str],
) -> Node:
    handler, as_, column = (name, "", name) if name in handlers else str(name).rpartition(" as ")
    handler, column = (handler, column) if as_ else (column, column)
    _one_of(section, handler, list(handlers))
    expected = list(handlers[handler])
    needed = [argument for argument in expected if argument not in optional.get(handler, ())]
    if not isinstance(arguments, dict) or not set(needed) <= set(arguments) <= set(expected):
        raise _MistakeError(f"{section}.{handler} must give a source for each of {', '.join(needed)}.")
    sources = {
        argument: _source(f"{section}.{handler}.{argument}", arguments[argument], known, outputs)
        for argument in expected
        if argument in arguments
    }
    return Node(handler, column, sources)


def _source(where: str, text: Any, known: Mapping[str, list[str]], outputs: Mapping[str, int | str]) -> Source:
    kind, dot, name = str(text).partition(".")
    if kind == "layer" and name in outputs:
        place = outputs[name]
        if isinstance(place, str):
            raise _MistakeError(f"the layer that feeds '{where.rpartition('.')[2]}' {place}.")
        return Source("prediction", index=place)
    if kind not in known or not dot:
        raise _MistakeError(f"{where} is '{text}'; write input.NAME, ground_truth.NAME or prediction.NUMBER.")
    if kind == "prediction":
        if name.isdecimal():  # not checked here: an older integration may declare no prediction types
            return Source("prediction", index=int(name))
        return Source("prediction", index=known[kind].index(_one_of(where, name, known[kind])))
    _one_of(where, name, known[kind])
    return Source("input" if kind == "input" else "ground_truth", name)


def _one_of(where: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise _AbsentError(where, name, known)
    return name
