"""Run by binder_process.py: binds the integration as the platform does, and calls every handler on some samples."""

import json
import math
import os
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from code_loader import LeapLoader
from code_loader.contract.enums import DataStateEnum
from code_loader.inner_leap_binder import global_leap_binder

BATCH = 8
PYTHON_TYPES = {"int": "int", "float": "float", "string": "str", "boolean": "bool"}


def answer() -> dict[str, Any]:
    """Everything that the tests ask for."""
    loader = LeapLoader(str(Path.cwd()), "leap_binder.py")
    result = loader.check_dataset()
    failed = {payload.name: payload.display for payload in result.payloads if not payload.is_passed}
    found: dict[str, Any] = {"is_valid": result.is_valid, "failed": failed, "general_error": result.general_error}
    if not result.is_valid:
        return found
    found["states"] = {state.name: _sample_ids(loader, state) for state in loader._preprocess_result()}
    found["encoders"] = [record for state in loader._preprocess_result() for record in _encoders(loader, state)]
    found["metadata"] = _metadata(loader)
    found["instances"] = [record for state in loader._preprocess_result() for record in _instances(loader, state)]
    nodes = [node for node in result.engine_file_contract.node_connections if node.node_inputs]
    found["wiring"] = _wiring(result)
    model = sys.modules[f"{os.environ['LEAP_EXAMPLE']}.leap_binder"].load_model()
    found["scores"], found["visualizers"] = [], []
    for state in loader._preprocess_result():
        ids = _spread(loader, state)
        sources = _sources(loader, state, ids, found["wiring"]["model_inputs"], model)
        for node in nodes:
            arguments = {name: sources.get(_key(source)) for name, source in node.node_inputs.items()}
            if any(value is None for value in arguments.values()):
                continue  # the ground truth of an unlabeled state
            if node.node.type.value in ("CustomLoss", "Metric"):
                found["scores"] += _score(loader, node.node, state, ids, arguments)
            elif node.node.type.value == "Visualizer":
                found["visualizers"].append(_visualize(loader, node.node, state, ids, arguments))
    return found


def _ids(loader: Any, state: DataStateEnum) -> list[Any]:
    """Of the samples, without the element instances, which code-loader mixes in."""
    response = loader._preprocess_result()[state]
    instances = response.instance_to_sample_ids_mappings or {}
    return [sample_id for sample_id in response.sample_ids if sample_id not in instances]


def _sample_ids(loader: Any, state: DataStateEnum) -> dict[str, Any]:
    response = loader._preprocess_result()[state]
    ids = response.sample_ids
    return {
        "count": len(_ids(loader, state)),
        "instances": len(response.instance_to_sample_ids_mappings or {}),
        "rows": len(ids),
        "unique": len(set(ids)),
        "longest": max(len(str(sample_id)) for sample_id in ids),
        "types": sorted({type(sample_id).__name__ for sample_id in ids}),
    }


def _some(loader: Any, state: DataStateEnum) -> list[Any]:
    """The first, the last and some samples between."""
    ids = _ids(loader, state)
    between = random.Random(0).sample(ids, min(6, len(ids)))
    return [ids[0], ids[-1], *between]


def _spread(loader: Any, state: DataStateEnum) -> list[Any]:
    """Samples at even distances: the files may be sorted by class."""
    ids = _ids(loader, state)
    return [ids[round(position)] for position in np.linspace(0, len(ids) - 1, BATCH)]


def _encoders(loader: Any, state: DataStateEnum) -> list[dict[str, Any]]:
    samples = [loader.get_sample(state, sample_id) for sample_id in _some(loader, state)]
    again = loader.get_sample(state, samples[-1].index)
    tensors = [
        ("input", name, [sample.inputs[name] for sample in samples], again.inputs[name]) for name in again.inputs
    ]
    for name in again.gt or {}:
        tensors.append(("ground truth", name, [sample.gt[name] for sample in samples], again.gt[name]))
    return [
        {
            "what": f"{kind} {name} of {state.name}",
            "kind": kind,
            "name": name,
            "shapes": sorted({str(array.shape) for array in arrays}),
            "dtypes": sorted({str(array.dtype) for array in arrays}),
            "finite": all(bool(np.isfinite(array).all()) for array in arrays),
            "constant": sum(bool((array == array.flat[0]).all()) for array in arrays) if arrays[0].size > 1 else 0,
            "distinct": len({array.tobytes() for array in arrays}),
            "repeatable": bool(np.array_equal(arrays[-1], repeated)),
        }
        for kind, name, arrays, repeated in tensors
    ]


def _instances(loader: Any, state: DataStateEnum) -> list[dict[str, Any]]:
    """Every element instance of some samples, as the engine asks for it."""
    by_sample, _ = loader.get_instances_data(state)
    records = []
    for sample_id in _some(loader, state) if by_sample else ():
        whole = loader.get_sample(state, sample_id)
        for number, instance_id in enumerate(by_sample[sample_id]):
            sample = loader.get_sample(state, sample_id, number)
            # The engine also asks for a row of an instance by its own id.
            row = loader.get_sample(state, instance_id)
            for encoder, element in sample.instance_masks.items():
                records.append(
                    {
                        "what": f"{encoder} {number} of sample {sample_id} of {state.name}",
                        "name": element.name,
                        "shape": list(element.mask.shape),
                        "inputs": [list(array.shape) for array in whole.inputs.values()],
                        "dtype": str(element.mask.dtype),
                        "values": sorted({float(value) for value in np.unique(element.mask)}),
                        "metadata": {
                            key: [type(value).__name__, element.instance_metadata_is_none[key]]
                            for key, value in (element.instance_metadata or {}).items()
                        },
                        "row is of its sample": all(
                            bool(np.array_equal(row.inputs[name], whole.inputs[name])) for name in whole.inputs
                        ),
                    }
                )
    return records


def _metadata(loader: Any) -> dict[str, Any]:
    """Each value's declared type, the Python types met, NaNs, and values whose flag of absence is wrong."""
    found: dict[str, Any] = {}
    for state, response in loader._preprocess_result().items():
        for sample_id in _some(loader, state):
            converted, absent = loader.get_metadata(state, sample_id)
            for handler in global_leap_binder.setup_container.metadata:
                result = handler.function(sample_id, response)
                keyed = (
                    {f"{handler.name}_{key}": (key, value) for key, value in result.items()}
                    if isinstance(result, dict)
                    else {handler.name: ("", result)}
                )
                for name, (key, value) in keyed.items():
                    declared = handler.metadata_type
                    declared = declared.get(key) if isinstance(declared, dict) else declared
                    record = found.setdefault(
                        name,
                        {"declared": PYTHON_TYPES.get(getattr(declared, "value", "")), "types": [], "wrong": []},
                    )
                    if value is not None and type(value).__name__ not in record["types"]:
                        record["types"].append(type(value).__name__)
                    if isinstance(value, float) and math.isnan(value):
                        record["wrong"].append(f"{sample_id} is NaN")
                    if absent[name] != (value is None):
                        record["wrong"].append(f"{sample_id} is {value!r}, flagged absent: {absent[name]}")
                    if value is not None and converted[name] != value:
                        record["wrong"].append(f"{sample_id} is {value!r}, but the platform stores {converted[name]!r}")
    return found


def _wiring(result: Any) -> dict[str, Any]:
    """What the integration test consumes, beside what the binder declares."""
    setup, connections = result.setup, result.engine_file_contract.node_connections
    consumed = sorted(
        {
            _key(source)
            for node in connections
            if node.node.type.value != "PredictionLabels"
            for source in (node.node_inputs or {}).values()
        }
    )
    slots = {node.node.type.value: node.node.name for node in connections if node.node.type.value.startswith("Input")}
    container = global_leap_binder.setup_container
    return {
        "consumed": consumed,
        "predictions": [f"prediction {index}" for index in range(len(setup.prediction_types))],
        "ground_truths": [f"ground truth {output.name}" for output in setup.outputs],
        "inputs": [declared.name for declared in setup.inputs],
        "model_inputs": [slots[slot] for slot in sorted(slots)],
        "handlers": {
            node.node.user_unique_name: {name: _key(source) for name, source in node.node_inputs.items()}
            for node in connections
            if node.node.user_unique_name
        },
        "losses": [node.node.name for node in connections if node.node.type.value == "CustomLoss"],
        "metrics": {
            handler.metric_handler_data.name: {
                "direction": str(getattr(handler.metric_handler_data.direction, "name", "several")),
                "compute_insights": handler.metric_handler_data.compute_insights,
            }
            for handler in container.metrics
            if handler.metric_handler_data.name in {node.node.name for node in connections}
        },
        "metadata_functions": len(container.metadata),
    }


def _key(source: Any) -> str:
    kind = source.type.value
    if kind.startswith("Prediction"):
        return f"prediction {kind.removeprefix('Prediction')}"
    return f"{'ground truth' if kind == 'GroundTruth' else 'input'} {source.name}"


def _sources(loader: Any, state: DataStateEnum, ids: list[Any], model_inputs: list[str], model: Any) -> dict[str, Any]:
    """Everything that a handler can be fed with, as batches."""
    samples = [loader.get_sample(state, sample_id) for sample_id in ids]
    sources = {f"input {name}": np.stack([sample.inputs[name] for sample in samples]) for name in samples[0].inputs}
    for name in samples[0].gt or {}:
        sources[f"ground truth {name}"] = np.stack([sample.gt[name] for sample in samples])
    slots = [slot.name for slot in model.get_inputs()]
    feed = {slot: sources[f"input {name}"] for slot, name in zip(slots, model_inputs, strict=True)}
    outputs = model.run(None, feed)
    return {**sources, **{f"prediction {index}": output for index, output in enumerate(outputs)}}


def _score(
    loader: Any, node: Any, state: DataStateEnum, ids: list[Any], arguments: dict[str, Any]
) -> list[dict[str, Any]]:
    """A loss or metric on the batch, beside the same samples one at a time; in both precisions of the platform."""
    of_instances = node.name in loader.instance_metric_by_name()
    metric = loader.run_instance_metric if of_instances else loader.run_metric
    call = loader.run_custom_loss if node.type.value == "CustomLoss" else metric
    records = []
    for dtype in ("float32", "float16"):
        batch = {name: np.asarray(value, dtype) for name, value in arguments.items()}
        before = {name: value.copy() for name, value in batch.items()}
        whole = _as_arrays(call(node.name, np.array(ids), state, dict(batch)))
        mutated = [name for name in batch if not np.array_equal(batch[name], before[name], equal_nan=True)]
        singles = [
            _as_arrays(
                call(node.name, np.array([sample_id]), state, {name: v[row : row + 1] for name, v in batch.items()})
            )
            for row, sample_id in enumerate(ids)
        ]
        for key, values in whole.items():
            records.append(
                {
                    "what": f"{node.name}{' ' + key if key else ''} of {state.name} in {dtype}",
                    "handler": node.name,
                    "node": node.user_unique_name,
                    "state": state.name,
                    "length": len(values),
                    "dtype": str(values.dtype),
                    "is_matrix": key == "matrix",
                    "dimensions": values.ndim,
                    "finite": key == "matrix" or bool(np.isfinite(values).all()),
                    "difference": _difference(values, _joined(singles, key, of_instances)),
                    "mutated": mutated,
                }
            )
    return records


def _joined(singles: list[dict[str, Any]], key: str, of_instances: bool) -> Any:
    """The results of single samples as one; one with fewer instances than others has no such key."""
    absent = {key: np.array([np.nan], np.float32)} if of_instances else {}
    return np.concatenate([{**absent, **single}[key] for single in singles])


def _as_arrays(result: Any) -> dict[str, Any]:
    """Any of the results that a metric may have, as arrays over the batch."""
    if isinstance(result, dict):
        return {str(name): np.asarray(values) for name, values in result.items()}
    if isinstance(result, list):
        # A confusion matrix: the elements of each sample, of which each may have another number, as text.
        return {"matrix": np.array([json.dumps([_as_text(element) for element in row]) for row in result])}
    return {"": np.asarray(result)}


def _as_text(element: Any) -> list[Any]:
    assert math.isfinite(element.predicted_probability), element
    return [element.label, element.expected_outcome.value, round(element.predicted_probability, 5), element.id]


def _difference(whole: Any, singles: Any) -> float | str:
    if whole.dtype.kind == "U":
        return 0.0 if np.array_equal(whole, singles) else "another matrix"
    if whole.shape != singles.shape:
        return f"shapes {whole.shape} and {singles.shape}"
    if not np.array_equal(np.isnan(whole), np.isnan(singles)):
        return "a NaN in one of them"
    return float(np.nan_to_num(np.abs(whole - singles) / np.maximum(1, np.abs(singles))).max(initial=0))


def _visualize(
    loader: Any, node: Any, state: DataStateEnum, ids: list[Any], arguments: dict[str, Any]
) -> dict[str, Any]:
    single = {name: np.asarray(value[:1], np.float32) for name, value in arguments.items()}
    shown = loader.run_visualizer(node.name, np.array(ids[:1]), state, single)
    return {
        "what": f"{node.name} of {state.name}",
        "node": node.user_unique_name,
        "state": state.name,
        "declared": loader.visualizer_by_name()[node.name].type.value,
        "returned": shown.type.value,
        "image_dtype": str(shown.data.dtype) if shown.type.value == "Image" else None,
    }


Path(sys.argv[1]).write_text(json.dumps(answer()), encoding="utf-8")
