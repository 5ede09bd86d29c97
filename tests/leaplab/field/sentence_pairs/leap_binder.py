from os.path import join

import numpy as np
from code_loader.contract.datasetclasses import *
from code_loader.contract.enums import *
from code_loader.contract.visualizer_classes import *
from code_loader.inner_leap_binder.leapbinder_decorators import *

from pairs_text import *


@tensorleap_preprocess()
def preprocess():
    subsets = []
    for state, seed, count in [
        (DataStateType.training, 1, 12), (DataStateType.validation, 2, 9), (DataStateType.unlabeled, 3, 6),
    ]:
        pairs = {f"{state.value}_{i}": pair for i, pair in enumerate(generate(seed, count))}
        subsets.append(PreprocessResponse(sample_ids=list(pairs.keys()), data=pairs, state=state))
    return subsets


# ---------------------------------------------------------------- inputs
@tensorleap_input_encoder("premise_ids", channel_dim=-1)
def premise_ids(sample_id: str, subset: PreprocessResponse) -> np.ndarray:
    return np.array(encode(subset.data[sample_id]["premise"], PREMISE_LEN), dtype=np.float32)


@tensorleap_input_encoder("hypothesis_ids", channel_dim=-1)
def hypothesis_ids(sample_id: str, subset: PreprocessResponse) -> np.ndarray:
    return np.array(encode(subset.data[sample_id]["hypothesis"], HYPOTHESIS_LEN), dtype=np.float32)


@tensorleap_input_encoder("attention_mask", channel_dim=-1)
def attention_mask(sample_id: str, subset: PreprocessResponse) -> np.ndarray:
    pair = subset.data[sample_id]
    ids = encode(pair["premise"], PREMISE_LEN) + encode(pair["hypothesis"], HYPOTHESIS_LEN)
    return (np.array(ids) != 0).astype(np.float32)


@tensorleap_gt_encoder("relation")
def relation(sample_id: str, subset: PreprocessResponse) -> np.ndarray:
    one_hot = np.zeros(len(LABELS), dtype=np.float32)
    one_hot[subset.data[sample_id]["label"]] = 1
    return one_hot


# ---------------------------------------------------------------- metadata
@tensorleap_metadata("genre", DatasetMetadataType.string)
def genre(sample_id: str, subset: PreprocessResponse) -> str:
    return subset.data[sample_id]["genre"]


@tensorleap_metadata("agreement", metadata_type=DatasetMetadataType.float)
def agreement(sample_id: str, subset: PreprocessResponse):
    return subset.data[sample_id]["agreement"]


@tensorleap_metadata("lengths", {"premise_words": DatasetMetadataType.int, "hypothesis_words": DatasetMetadataType.int})
def lengths(sample_id: str, subset: PreprocessResponse) -> dict:
    pair = subset.data[sample_id]
    return {f"{side}_words": len(pair[side].split()) for side in ("premise", "hypothesis")}


# ---------------------------------------------------------------- model
@tensorleap_load_model([PredictionTypeHandler(name="relation", labels=LABELS, channel_dim=-1)])
def load():
    from onnxruntime import InferenceSession

    return InferenceSession(join(HERE, "onnx_export", "nli.onnx"))


# ---------------------------------------------------------------- loss, metrics
@tensorleap_custom_loss("cross_entropy")
def cross_entropy(y_true: np.ndarray, logits: np.ndarray) -> np.ndarray:
    probabilities = softmax(logits.astype(np.float32))
    return -np.log((probabilities * y_true).sum(axis=-1).clip(1e-7)).astype(np.float32)


@tensorleap_custom_metric("accuracy", direction=MetricDirection.Upward, compute_insights=True)
def accuracy(y_true: np.ndarray, logits: np.ndarray) -> np.ndarray:
    return (y_true.argmax(-1) == logits.argmax(-1)).astype(np.float32)


@tensorleap_custom_metric("certainty", direction=MetricDirection.Upward, compute_insights=False)
def certainty(logits: np.ndarray) -> np.ndarray:
    return softmax(logits.astype(np.float32)).max(axis=-1)


@tensorleap_custom_metric("confusion", direction=MetricDirection.Upward, compute_insights=False)
def confusion(y_true: np.ndarray, logits: np.ndarray):
    result = []
    for truth, row in zip(y_true, softmax(logits.astype(np.float32))):
        result.append([
            ConfusionMatrixElement(
                label,
                ConfusionMatrixValue.Positive if truth[i] == 1 else ConfusionMatrixValue.Negative,
                float(row[i]),
            )
            for i, label in enumerate(LABELS)
        ])
    return result


# ---------------------------------------------------------------- visualizers
@tensorleap_custom_visualizer("premise", LeapDataType.Text)
def show_premise(premise: np.ndarray) -> LeapText:
    return LeapText(decode(premise[0]))


@tensorleap_custom_visualizer("hypothesis_overlap", LeapDataType.TextMask)
def show_overlap(premise: np.ndarray, hypothesis: np.ndarray) -> LeapTextMask:
    seen = set(premise[0]) - {0}
    negations = {INDEX["no"], INDEX["not"]}
    mask = [2 if i in negations else 1 if i in seen else 0 for i in hypothesis[0]]
    return LeapTextMask(np.array(mask, dtype=np.uint8), decode(hypothesis[0]), ["in the premise", "negation"])


@tensorleap_custom_visualizer("probabilities", LeapDataType.HorizontalBar)
def show_probabilities(logits: np.ndarray) -> LeapHorizontalBar:
    return LeapHorizontalBar(softmax(logits[0]).astype(np.float32), LABELS)


@tensorleap_custom_visualizer("probabilities_and_truth", LeapDataType.HorizontalBar)
def show_probabilities_and_truth(logits: np.ndarray, y_true: np.ndarray) -> LeapHorizontalBar:
    return LeapHorizontalBar(softmax(logits[0]).astype(np.float32), LABELS, gt=y_true[0])


@tensorleap_integration_test()
def check_integration(sample_id, subset):
    premise = premise_ids(sample_id, subset)
    hypothesis = hypothesis_ids(sample_id, subset)
    mask = attention_mask(sample_id, subset)
    y_true = relation(sample_id, subset)
    nli = load()
    names = nli.get_inputs()
    outputs = nli.run(None, {names[0].name: premise, names[1].name: hypothesis, names[2].name: mask})
    cross_entropy(y_true, outputs[0])
    accuracy(y_true, outputs[0])
    certainty(outputs[0])
    confusion(y_true, outputs[0])
    show_premise(premise)
    show_overlap(premise, hypothesis)
    show_probabilities(outputs[0])
    show_probabilities_and_truth(outputs[0], y_true)
    genre(sample_id, subset)
    agreement(sample_id, subset)
    lengths(sample_id, subset)


if __name__ == "__main__":
    training, validation, _ = preprocess()
    for part in (training, validation):
        check_integration(part.sample_ids[0], part)
        check_integration(part.sample_ids[-1], part)
    print("checked", len(training), "and", len(validation), "pairs")
