from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from catalogue import COLOURS, GARMENTS, make_items

WIDTH = 12
items = list(make_items("fit", 120).values())
rng = np.random.default_rng(20)
x = np.stack([i.picture.transpose(2, 0, 1).ravel() for i in items]) - 0.5
project = rng.normal(0, 0.12, (x.shape[1], WIDTH))
embedding = np.tanh(x @ project)
design = np.column_stack([embedding, np.ones(len(x))])


def fit(target):
    solved = np.linalg.lstsq(design, target, rcond=None)[0]
    return solved[:-1], solved[-1]


garment_w, garment_b = fit(4.0 * np.array([[i.garment == g for g in GARMENTS] for i in items]))
colour_w, colour_b = fit(4.0 * np.array([[i.colour == c for c in COLOURS] for i in items]))
price_w, price_b = fit(np.array([[i.price / 100] for i in items]))
stored = dict(half=np.array(0.5), project=project, garment_w=garment_w, garment_b=garment_b, colour_w=colour_w,
              colour_b=colour_b, price_w=price_w, price_b=price_b)
nodes = [
    helper.make_node("Transpose", ["picture"], ["nchw"], perm=[0, 3, 1, 2]),
    helper.make_node("Flatten", ["nchw"], ["flat"]),
    helper.make_node("Sub", ["flat", "half"], ["centred"]),
    helper.make_node("MatMul", ["centred", "project"], ["projected"]),
    helper.make_node("Tanh", ["projected"], ["embedding"]),
    helper.make_node("Gemm", ["embedding", "garment_w", "garment_b"], ["garment_logits"]),
    helper.make_node("Softmax", ["garment_logits"], ["garment"]),
    helper.make_node("Gemm", ["embedding", "colour_w", "colour_b"], ["colour_logits"]),
    helper.make_node("Softmax", ["colour_logits"], ["colour"]),
    helper.make_node("Gemm", ["embedding", "price_w", "price_b"], ["price"]),
]
outputs = {"garment": len(GARMENTS), "colour": len(COLOURS), "price": 1, "embedding": WIDTH}
graph = helper.make_graph(
    nodes, "heads",
    [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["batch", 16, 16, 3])],
    [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", w]) for n, w in outputs.items()],
    [numpy_helper.from_array(np.asarray(v, dtype=np.float32), k) for k, v in stored.items()],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
          Path(__file__).with_name("shop_heads.onnx"))
