"""What LeapLoader and the model give for each sample of an integration, in the interpreter that runs this.

    python directly.py ROOT ENTRY_FILE MODEL LATENT OUT.npz

Knows nothing of leaplab. MODEL is an .onnx or .h5 file; LATENT is an .onnx file whose output is what feeds the model's
head, or the name of the layer that does. Losses and metrics are run by the wiring that code-loader tells, one sample at
a time.
"""

import json
import os
import sys
from typing import Any

os.environ["TL_DISABLE_ANALYTICS"] = "true"
root, entry_file, model_file, latent, out = sys.argv[1:]
os.chdir(root)
sys.path[0] = root

import numpy as np
from code_loader import LeapLoader
from code_loader.contract.enums import ConfusionMatrixValue, DataStateEnum

loader = LeapLoader(root, entry_file)
verdict = loader.check_dataset()
assert verdict.is_valid, (verdict.general_error, [payload.display for payload in verdict.payloads])
connections = verdict.engine_file_contract.node_connections
inputs = sorted((c.node.type.value, c.node.name) for c in connections if c.node.type.value.startswith("Input"))

if model_file.endswith(".onnx"):
    import onnxruntime

    whole, before_the_head = onnxruntime.InferenceSession(model_file), onnxruntime.InferenceSession(latent)

    def run(arrays: Any) -> Any:
        """The prediction, and what feeds the head."""
        names = [node.name for node in whole.get_inputs()]
        feed = dict(zip(names, arrays))  # noqa: B905 - Python 3.8
        return whole.run(None, feed)[0], before_the_head.run(None, feed)[0]

else:
    import tensorflow as tf

    keras_model = tf.keras.models.load_model(model_file, compile=False)
    both = tf.keras.Model(keras_model.inputs, [keras_model.outputs[0], keras_model.get_layer(latent).output])

    def run(arrays: Any) -> Any:
        """The prediction, and what feeds the head."""
        prediction, features = both(arrays)
        return np.asarray(prediction), np.asarray(features)


rows: Any = []
predictions: Any = []
vectors: Any = []
for state, ids in loader.get_preprocess_sample_ids().items():
    for sample_id in ids:
        sample = loader.get_sample(state, sample_id)
        arrays = [sample.inputs[name][None] for _, name in inputs]
        prediction, features = run(arrays)
        row = {"sample_id": str(sample_id), "state": state.name}
        for name, value in sample.metadata.items():
            row["metadata." + name] = None if sample.metadata_is_none[name] else value
        for connection in connections:
            kind = connection.node.type.value
            if kind not in ("CustomLoss", "Metric"):
                continue
            arguments = {}
            for argument, source in connection.node_inputs.items():
                told = source.type.value
                if told == "GroundTruth":
                    arguments[argument] = None if sample.gt is None else sample.gt[source.name][None]
                elif told.startswith("Input"):
                    arguments[argument] = sample.inputs[source.name][None]
                else:
                    arguments[argument] = prediction
            if any(value is None for value in arguments.values()):
                continue
            score = loader.run_custom_loss if kind == "CustomLoss" else loader.run_metric
            result = score(connection.node.name, np.array([sample_id]), DataStateEnum[state.name], arguments)
            column = ("loss." if kind == "CustomLoss" else "metric.") + connection.node.user_unique_name
            if isinstance(result, dict):
                for key, value in result.items():
                    row[column + "_" + key] = float(value[0])
            elif isinstance(result, list):
                row[column] = [
                    [e.label, e.expected_outcome is ConfusionMatrixValue.Positive, float(e.predicted_probability)]
                    for e in result[0]
                ]
            else:
                row[column] = float(np.asarray(result).reshape(-1)[0])
        rows.append(row)
        predictions.append(prediction[0])
        vectors.append(features[0])

np.savez(out, rows=json.dumps(rows), predictions=np.stack(predictions), vectors=np.stack(vectors))
sys.stdout.flush()
os._exit(0)
