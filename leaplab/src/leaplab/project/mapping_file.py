"""`leap_mapping*.yaml`, Tensorleap's older way to say what feeds what, read as a wiring.

Such a file lists the nodes of a graph that was drawn in the browser. Under `decorators`: inputs, ground truths, losses,
metrics, visualizers and an optimizer, each with what feeds its arguments: another of them, or a layer of the model by
its name and number. Under `layers`: the layers that have a prediction type, which leaplab does not need.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NAMED = "leap_mapping.yaml"
PATTERNS = ("leap_mapping*.yaml", "leap_mapping*.yml")
_SECTIONS = {"Loss": "losses", "CustomLoss": "losses", "Metric": "metrics", "Visualizer": "visualizers"}
_SOURCES = {"Input": "input", "GroundTruth": "ground_truth"}
_NAMES = ("name", "selected", "metric_name", "visualizer_name", "output_name")
"""Where a node keeps the name of its handler; no file that was seen fills all of them."""


def mapping_files(root: Path) -> list[Path]:
    """The mapping files of an integration, beside leap.yaml or a folder deeper: the one that counts first, if one does.

    `leap_mapping.yaml` beside leap.yaml counts; without it, the only other one beside leap.yaml.
    """
    beside = sorted(path for pattern in PATTERNS for path in root.glob(pattern) if path.is_file())
    deeper = sorted(path for pattern in PATTERNS for path in root.glob(f"*/{pattern}") if path.is_file())
    return sorted(beside, key=lambda path: path.name != NAMED) + deeper


def own_mapping(root: Path) -> Path | None:
    """The mapping file that an integration's wiring is, or None where there is none, or no one of several is it."""
    beside = [path for path in mapping_files(root) if path.parent == root]
    return beside[0] if beside and (beside[0].name == NAMED or len(beside) == 1) else None


def is_mapping(content: Mapping[str, Any]) -> bool:
    """Whether a YAML file is a mapping file."""
    return isinstance(content.get("decorators"), list)


def wiring_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a mapping file in the form of a wiring file.

    Args:
        content: with every scalar as text.

    Returns:
        What a wiring file may hold, see `leaplab.worker.written_wiring`; the layers of the model by their numbers, and
        sentences about what is not understood. Nothing that the file holds is an error: what remains is run.
    """
    nodes = [node for node in content["decorators"] if isinstance(node, dict)]
    wiring: dict[str, Any] = {"losses": {}, "metrics": {}, "visualizers": {}, "layers": {}, "left_out": []}
    wiring["model_inputs"] = list(dict.fromkeys(_named(node) for node in nodes if _feeds_model(node)))
    wiring["inputs_of_model"] = {
        _named(node): str(origin) for node in nodes if _feeds_model(node) and (origin := _data(node).get("origin_name"))
    }
    for node in nodes:
        kind = str(_data(node).get("type") or node.get("operation"))
        if kind in _SECTIONS:
            _add(wiring, _SECTIONS[kind], node)
        elif kind not in (*_SOURCES, "Optimizer"):
            wiring["left_out"].append(f"the {kind} '{_named(node)}', which is no loss, metric or visualizer")
    return wiring


def _add(wiring: dict[str, Any], section: str, node: Mapping[str, Any]) -> None:
    handler = _named(node)
    column = wanted = str(_data(node).get("user_unique_name") or handler)
    taken = {key.rpartition(" as ")[2] for key in wiring[section]}
    while column in taken:
        column = f"{wanted}_{sum(one == wanted or one.startswith(f'{wanted}_') for one in taken)}"
    arguments = {}
    connected = node.get("inputs")
    for argument, sources in (connected if isinstance(connected, dict) else {}).items():
        if not isinstance(sources, list) or len(sources) != 1 or not isinstance(sources[0], dict):
            wiring["left_out"].append(f"'{column}', whose argument '{argument}' is not fed by one node")
            return
        arguments[argument] = _source(wiring["layers"], sources[0])
    wiring[section][handler if column == handler else f"{handler} as {column}"] = arguments


def _source(layers: dict[str, str], source: Mapping[str, Any]) -> str:
    operation = str(source.get("operation"))
    if operation in _SOURCES:
        return f"{_SOURCES[operation]}.{source.get('outputKey')}"
    number = str(source.get("id"))
    layers[number] = str(source.get("name") or operation)
    return f"layer.{number}"


def _feeds_model(node: Mapping[str, Any]) -> bool:
    """Whether a node is an input that goes into a layer: only layers have a name besides an operation."""
    fed = node.get("outputs")
    if str(_data(node).get("type") or node.get("operation")) != "Input" or not isinstance(fed, dict):
        return False
    ends: Sequence[Any] = [end for found in fed.values() if isinstance(found, list) for end in found]
    return any(isinstance(end, dict) and end.get("name") for end in ends)


def _named(node: Mapping[str, Any]) -> str:
    data = _data(node)
    names = ("output_name", *_NAMES) if str(data.get("type")) in _SOURCES else _NAMES
    return str(next((data[name] for name in names if data.get(name)), node.get("operation")))


def _data(node: Mapping[str, Any]) -> Mapping[str, Any]:
    data = node.get("data")
    return data if isinstance(data, dict) else {}
