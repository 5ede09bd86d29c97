"""The model as a Keras export looks after tf2onnx: input image, the last dense layer's softmax as the output."""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tiles.preprocess import COLOURS, LABELS

weights = COLOURS / 255.
rng = np.random.default_rng(30)
arrays = {
    'conv2d/kernel': rng.normal(0, 0.4, (6, 3, 3, 3)),
    'dense/kernel': np.concatenate([6 * weights.T, rng.normal(0, 0.3, (6, len(LABELS)))]),
    'dense/bias': -3 * (weights**2).sum(axis=1),
}
nodes = [
    helper.make_node('Transpose', ['image'], ['permute'], perm=[0, 3, 1, 2], name='permute'),
    helper.make_node('Conv', ['permute', 'conv2d/kernel'], ['conv2d'], name='conv2d'),
    helper.make_node('Relu', ['conv2d'], ['activation'], name='activation'),
    helper.make_node('ReduceMean', ['activation'], ['pool'], axes=[2, 3], keepdims=0, name='pool'),
    helper.make_node('ReduceMean', ['permute'], ['colour'], axes=[2, 3], keepdims=0, name='colour'),
    helper.make_node('Concat', ['colour', 'pool'], ['concatenate'], axis=1, name='concatenate'),
    helper.make_node('Gemm', ['concatenate', 'dense/kernel', 'dense/bias'], ['dense/logits'], name='dense/logits'),
    helper.make_node('Softmax', ['dense/logits'], ['dense'], name='dense'),
]
graph = helper.make_graph(
    nodes, 'tiles',
    [helper.make_tensor_value_info('image', TensorProto.FLOAT, ['unk__0', 16, 16, 3])],
    [helper.make_tensor_value_info('dense', TensorProto.FLOAT, ['unk__0', len(LABELS)])],
    [numpy_helper.from_array(np.asarray(v, dtype=np.float32), k) for k, v in arrays.items()],
)
os.makedirs('model', exist_ok=True)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8), 'model/tiles.onnx')
