from os import makedirs
from os.path import join

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh
from pairs_text import HERE, HYPOTHESIS_LEN, LABELS, PREMISE_LEN, VOCAB

WIDTH = 6
g = np.random.default_rng(44)
table = g.normal(size=(len(VOCAB), WIDTH)).astype("float32")
head = g.normal(size=(2 * WIDTH, 3)).astype("float32")
inits = {
    "embeddings.weight": table,
    "classifier.weight": head,
    "classifier.bias": np.array([0.1, 0.0, -0.1], "float32"),
    "last": np.array([-1]), "one": np.array([1]), "tiny": np.array(1.0, "float32"),
    "split": np.array([PREMISE_LEN, HYPOTHESIS_LEN]),
}
nodes = [
    h.make_node("Cast", ["attention_mask"], ["mask"], to=T.FLOAT),
    h.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
    h.make_node("Split", ["mask3", "split"], ["mask_p", "mask_h"], axis=1),
]
for side, ids in [("p", "premise_ids"), ("h", "hypothesis_ids")]:
    nodes += [
        h.make_node("Gather", ["embeddings.weight", ids], [f"emb_{side}"], name=f"/embeddings/Gather_{side}"),
        h.make_node("Mul", [f"emb_{side}", f"mask_{side}"], [f"kept_{side}"]),
        h.make_node("ReduceSum", [f"kept_{side}", "one"], [f"sum_{side}"], keepdims=0),
        h.make_node("ReduceSum", [f"mask_{side}", "one"], [f"count_{side}"], keepdims=0),
        h.make_node("Max", [f"count_{side}", "tiny"], [f"some_{side}"]),
        h.make_node("Div", [f"sum_{side}", f"some_{side}"], [f"mean_{side}"]),
    ]
nodes += [
    h.make_node("Sub", ["mean_p", "mean_h"], ["difference"]),
    h.make_node("Abs", ["difference"], ["distance"]),
    h.make_node("Mul", ["mean_p", "mean_h"], ["product"]),
    h.make_node("Concat", ["distance", "product"], ["pooled"], axis=-1, name="/pooler/Concat"),
    h.make_node("Gemm", ["pooled", "classifier.weight", "classifier.bias"], ["logits"], name="/classifier/Gemm"),
]
width = {"premise_ids": PREMISE_LEN, "hypothesis_ids": HYPOTHESIS_LEN, "attention_mask": PREMISE_LEN + HYPOTHESIS_LEN}
graph = h.make_graph(
    nodes, "torch_jit",
    [h.make_tensor_value_info(name, T.INT64, ["batch_size", length]) for name, length in width.items()],
    [h.make_tensor_value_info("logits", T.FLOAT, ["batch_size", len(LABELS)])],
    [nh.from_array(np.asarray(a), n) for n, a in inits.items()],
)
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 14)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
makedirs(join(HERE, "onnx_export"), exist_ok=True)
onnx.save(model, join(HERE, "onnx_export", "nli.onnx"))
