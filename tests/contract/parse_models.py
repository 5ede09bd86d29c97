"""Run by an interpreter that has leap-model-parser: what the platform's parser says of model files.

    python parse_models.py FOLDER

For each .h5 and .onnx of the folder, whose inputs lie in STEM.npy beside it, prints a line of JSON with the name and
either what the parser failed on, or its nodes and inputs; and writes the outputs of the Keras model that the parser has
made of it, NAME.0.npy and so on.
"""

import json
import sys
from pathlib import Path

import numpy as np
from leap_model_parser.contract.importmodelresponse import ImportModelTypeEnum
from leap_model_parser.model_parser import ModelParser

TYPES = {".h5": ImportModelTypeEnum.H5_TF2, ".onnx": ImportModelTypeEnum.ONNX}


def main(folder: Path) -> None:
    for file in sorted(path for path in folder.iterdir() if path.suffix in TYPES):
        try:
            graph, inputs, model, failure = ModelParser().get_keras_model_and_model_graph(file, TYPES[file.suffix])
        except Exception as error:  # the parser raises whatever Keras does
            print(json.dumps({"name": file.name, "failure": f"{type(error).__name__}: {error}"}), flush=True)
            continue
        outputs = model(np.load(file.with_suffix(".npy")))
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        for place, output in enumerate(outputs):
            np.save(folder / f"{file.name}.{place}.npy", np.asarray(output))
        names = [told.name for told in inputs]
        print(json.dumps({"name": file.name, "failure": failure, "nodes": len(graph), "inputs": names}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
