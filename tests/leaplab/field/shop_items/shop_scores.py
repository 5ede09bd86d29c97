import numpy as np
from code_loader.contract.enums import LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage
from code_loader.inner_leap_binder.leapbinder_decorators import (
    tensorleap_custom_loss,
    tensorleap_custom_metric,
    tensorleap_custom_visualizer,
)

from catalogue import COLOURS, GARMENTS


def _cross_entropy(truth, guess):
    return -np.log((truth * guess.astype(np.float32)).sum(axis=1).clip(1e-6))


@tensorleap_custom_loss("garment_loss")
def garment_loss(truth, guess):
    return _cross_entropy(truth, guess)


@tensorleap_custom_loss("joint_loss")
def joint_loss(garment_truth, colour_truth, price_truth, garment_guess, colour_guess, price_guess):
    priced = np.abs(price_truth.astype(np.float32) - price_guess.astype(np.float32))[:, 0]
    return _cross_entropy(garment_truth, garment_guess) + _cross_entropy(colour_truth, colour_guess) + priced


@tensorleap_custom_metric("hit", direction=MetricDirection.Upward, compute_insights=True)
def hit(truth, guess):
    return (truth.argmax(axis=1) == guess.argmax(axis=1)).astype(np.float32)


@tensorleap_custom_metric("price_off", direction=MetricDirection.Downward, compute_insights=True)
def price_off(truth, guess):
    return 100 * np.abs(truth.astype(np.float32) - guess.astype(np.float32))[:, 0]


@tensorleap_custom_visualizer("item", LeapDataType.Image)
def show_item(picture) -> LeapImage:
    return LeapImage((picture[0] * 255).astype(np.uint8))


@tensorleap_custom_visualizer("garments", LeapDataType.HorizontalBar)
def show_garments(guess, truth) -> LeapHorizontalBar:
    return LeapHorizontalBar(guess[0], GARMENTS, truth[0])


@tensorleap_custom_visualizer("colours", LeapDataType.HorizontalBar)
def show_colours(guess, truth) -> LeapHorizontalBar:
    return LeapHorizontalBar(guess[0], COLOURS, truth[0])
