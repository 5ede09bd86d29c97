from pathlib import Path

from code_loader.contract.datasetclasses import PredictionTypeHandler
from code_loader.inner_leap_binder.leapbinder_decorators import tensorleap_integration_test, tensorleap_load_model

from catalogue import COLOURS, GARMENTS
from shop_encoders import *
from shop_scores import *
from shop_spaces import *

HEADS = [
    PredictionTypeHandler("garment", GARMENTS, channel_dim=-1),
    PredictionTypeHandler("colour", COLOURS, channel_dim=-1),
    PredictionTypeHandler("price", ["price"], channel_dim=-1),
    PredictionTypeHandler("embedding", [f"e{i}" for i in range(12)], channel_dim=-1),
]


@tensorleap_load_model(HEADS)
def load_model():
    import onnxruntime

    return onnxruntime.InferenceSession(Path(__file__).with_name("shop_heads.onnx"))


@tensorleap_integration_test()
def integration_test(item_id, subset):
    image = picture(item_id, subset)
    garment_truth = garment(item_id, subset)
    colour_truth = colour(item_id, subset)
    price_truth = price(item_id, subset)
    model = load_model()
    heads = model.run(None, {model.get_inputs()[0].name: image})

    garment_loss(garment_truth, heads[0])
    joint_loss(garment_truth, colour_truth, price_truth, heads[0], heads[1], heads[2])
    hit(garment_truth, heads[0])
    hit(colour_truth, heads[1])
    price_off(price_truth, heads[2])
    show_item(image)
    show_garments(heads[0], garment_truth)
    show_colours(heads[1], colour_truth)
    item(item_id, subset)
    colour_histogram(item_id, subset)
    pixels(item_id, subset)
    embedding_space(heads[3])
    beliefs(heads[0], heads[1])


if __name__ == "__main__":
    for response in preprocess():
        for name in response.sample_ids[:2]:
            integration_test(name, response)
