import functools
import pathlib
from dataclasses import astuple, dataclass, fields
from typing import Optional

import numpy as np

from code_loader.contract.datasetclasses import PredictionTypeHandler, PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, DataStateType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapText
from code_loader.inner_leap_binder.leapbinder_decorators import (tensorleap_custom_loss, tensorleap_custom_metric,
                                                                 tensorleap_custom_visualizer, tensorleap_gt_encoder,
                                                                 tensorleap_input_encoder,
                                                                 tensorleap_integration_test, tensorleap_load_model,
                                                                 tensorleap_metadata, tensorleap_preprocess)

MILLION = 1_000_000
HEATING = ("gas", "oil", "heat pump")


@dataclass
class House:
    area: float
    rooms: int
    year: int
    heating: str
    garden: bool
    distance_km: Optional[float]
    price: int


class HouseTable:
    """The rows of one split, and all that is made of a row."""

    COLUMNS = ["area", "rooms", "age", *(f"heating: {h}" for h in HEATING), "garden", "distance", "distance unknown"]

    def __init__(self, name, size, seed):
        rng = np.random.default_rng(seed)
        self.rows = {}
        for number in range(size):
            house = House(
                area=round(float(rng.uniform(40, 220)), 1),
                rooms=int(rng.integers(1, 8)),
                year=int(rng.integers(1900, 2024)),
                heating=HEATING[rng.integers(3)],
                garden=bool(rng.random() < 0.4),
                distance_km=None if number % 5 == 2 else round(float(rng.gamma(2, 4)), 1),
                price=0,
            )
            house.price = int(4000 * house.area + 60000 * house.garden + 900 * (house.year - 1900)
                              - 3000 * (house.distance_km or 8) + rng.normal(0, 30000))
            self.rows[f"{name}-{number:03d}"] = house

    @property
    def ids(self):
        return [*self.rows]

    def features(self, house_id, _):
        h = self.rows[house_id]
        return np.array([
            h.area / 100, h.rooms / 4, (2024 - h.year) / 100, *(h.heating == name for name in HEATING), h.garden,
            (h.distance_km or 0) / 10, h.distance_km is None,
        ], dtype=np.float32)

    def price(self, house_id, _):
        return np.array([self.rows[house_id].price / MILLION], dtype=np.float32)


class Splits:
    """What Tensorleap calls; every method finds its table in the response."""

    def preprocess(self):
        sizes = [(DataStateType.training, 12, 1), (DataStateType.validation, 9, 2), (DataStateType.test, 6, 3)]
        tables = [(state, HouseTable(state.name, size, seed)) for state, size, seed in sizes]
        return [PreprocessResponse(sample_ids=t.ids, data=t, state=state) for state, t in tables]

    def features(self, house_id, response):
        return response.data.features(house_id, response)

    def price(self, house_id, response):
        return response.data.price(house_id, response)

    def row(self, house_id, response):
        row = response.data.rows[house_id]
        return {field.name: value for field, value in zip(fields(row), astuple(row)) if field.name != "price"}


class Scores:
    @staticmethod
    def squared_error(truth, guess):
        return np.square(truth.astype(np.float32) - guess.astype(np.float32))[:, 0]

    @classmethod
    def errors(cls, truth, guess):
        off = np.abs(truth.astype(np.float32) - guess.astype(np.float32))[:, 0]
        return {"thousands": off * 1000, "within_10_percent": (off <= 0.1 * truth[:, 0]).astype(np.float32)}


def decade(house_id, response, first):
    return max((response.data.rows[house_id].year - first) // 10, 0)


def named(function, **arguments):
    """A partial that has the name and the signature's beginning of its function, which code-loader asks for."""
    return functools.update_wrapper(functools.partial(function, **arguments), function)


_splits = Splits()
preprocess = tensorleap_preprocess()(_splits.preprocess)
encode_features = tensorleap_input_encoder("features", channel_dim=-1)(_splits.features)
encode_price = tensorleap_gt_encoder("price")(_splits.price)
row_metadata = tensorleap_metadata("house", {
    "area": DatasetMetadataType.float, "rooms": DatasetMetadataType.int, "year": DatasetMetadataType.int,
    "heating": DatasetMetadataType.string, "garden": DatasetMetadataType.boolean,
    "distance_km": DatasetMetadataType.float,
})(_splits.row)
decade_metadata = tensorleap_metadata("decade", DatasetMetadataType.int)(named(decade, first=1900))
squared_error = tensorleap_custom_loss("squared_error")(Scores.squared_error)
errors = tensorleap_custom_metric(
    "error",
    direction={"thousands": MetricDirection.Downward, "within_10_percent": MetricDirection.Upward},
    compute_insights={"thousands": True, "within_10_percent": True},
)(Scores.errors)


@tensorleap_custom_visualizer("feature_values", LeapDataType.HorizontalBar)
def feature_values(features) -> LeapHorizontalBar:
    return LeapHorizontalBar(body=features[0], labels=HouseTable.COLUMNS)


@tensorleap_custom_visualizer("price_tag", LeapDataType.Text)
def price_tag(truth, guess) -> LeapText:
    return LeapText([f"sold for {truth[0, 0] * MILLION:,.0f}", f"estimated at {guess[0, 0] * MILLION:,.0f}"])


@tensorleap_load_model([PredictionTypeHandler("price", ["price"], channel_dim=-1)])
def regressor():
    import onnxruntime

    return onnxruntime.InferenceSession(str(pathlib.Path(__file__).resolve().parent / "regressor.onnx"))


@tensorleap_integration_test()
def test_integration(house_id, response):
    features = encode_features(house_id, response)
    truth = encode_price(house_id, response)
    model = regressor()
    guess = model.run(None, {model.get_inputs()[0].name: features})[0]
    squared_error(truth, guess)
    errors(truth, guess)
    feature_values(features)
    price_tag(truth, guess)
    row_metadata(house_id, response)
    decade_metadata(house_id, response)


if __name__ == "__main__":
    for split in preprocess():
        test_integration(split.sample_ids[0], split)
    print("ok")
