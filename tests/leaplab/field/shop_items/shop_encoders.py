import numpy as np
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_gt_encoder,
    tensorleap_input_encoder,
    tensorleap_metadata,
    tensorleap_preprocess,
)

from catalogue import COLOURS, GARMENTS, make_items


@tensorleap_preprocess()
def preprocess():
    splits = {"training": 12, "validation": 9, "test": 6}
    items = {split: make_items(split, size) for split, size in splits.items()}
    return [
        PreprocessResponse(sample_ids=list(found), data=found, state=DataStateType(split))
        for split, found in items.items()
    ]


@tensorleap_input_encoder("picture", channel_dim=-1)
def picture(item_id, subset):
    return subset.data[item_id].picture


@tensorleap_gt_encoder("garment")
def garment(item_id, subset):
    return np.float32([subset.data[item_id].garment == g for g in GARMENTS])


@tensorleap_gt_encoder("colour")
def colour(item_id, subset):
    return np.float32([subset.data[item_id].colour == c for c in COLOURS])


@tensorleap_gt_encoder("price")
def price(item_id, subset):
    return np.float32([subset.data[item_id].price / 100])


@tensorleap_metadata("item", {"garment": DatasetMetadataType.string, "colour": DatasetMetadataType.string,
                              "price": DatasetMetadataType.float})
def item(item_id, subset):
    found = subset.data[item_id]
    return {"garment": found.garment, "colour": found.colour, "price": found.price}
