from typing import List

import numpy as np

# Tensorleap imports
from code_loader import leap_binder
from code_loader.contract.datasetclasses import PreprocessResponse
from code_loader.contract.enums import DatasetMetadataType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage

from tiles.metrics import margin, smoothed_crossentropy
from tiles.preprocess import LABELS, load_subset, one_hot, to_input


# Preprocess Function
def preprocess_func() -> List[PreprocessResponse]:
    train = load_subset(12, seed=0)
    val = load_subset(8, seed=1)
    return [PreprocessResponse(length=len(train['images']), data=train),
            PreprocessResponse(length=len(val['images']), data=val)]


# Input encoder: the image with the index idx
def input_encoder(idx: int, preprocess: PreprocessResponse) -> np.ndarray:
    return to_input(preprocess.data['images'][idx])


# Ground truth encoder: one hot
def gt_encoder(idx: int, preprocess: PreprocessResponse) -> np.ndarray:
    return one_hot(preprocess.data['labels'][idx])


def metadata_label(idx: int, preprocess: PreprocessResponse) -> str:
    return LABELS[preprocess.data['labels'][idx]]


def metadata_sky(idx: int, preprocess: PreprocessResponse) -> dict:
    share = float(preprocess.data['clouds'][idx])
    return {'clouds': share, 'clear': share < 0.1}


def image_visualizer(data: np.ndarray) -> LeapImage:
    return LeapImage((np.squeeze(data) * 255).astype(np.uint8))


def bar_visualizer(data: np.ndarray) -> LeapHorizontalBar:
    return LeapHorizontalBar(np.squeeze(data), LABELS)


# Dataset binding functions
leap_binder.set_preprocess(function=preprocess_func)
leap_binder.set_input(function=input_encoder, name='image')
leap_binder.set_ground_truth(function=gt_encoder, name='classes')
leap_binder.set_metadata(function=metadata_label, name='label', metadata_type=DatasetMetadataType.string)
leap_binder.set_metadata(metadata_sky, name='sky', metadata_type={'clouds': DatasetMetadataType.float,
                                                                 'clear': DatasetMetadataType.boolean})
leap_binder.add_custom_loss(smoothed_crossentropy, 'smoothed_crossentropy')
leap_binder.add_custom_metric(margin, name='margin', direction=MetricDirection.Upward)
leap_binder.set_visualizer(name='tile', function=image_visualizer, visualizer_type=LeapDataType.Image)
leap_binder.set_visualizer(name='horizontal_bar_classes', function=bar_visualizer,
                           visualizer_type=LeapDataType.HorizontalBar)
leap_binder.add_prediction(name='classes', labels=LABELS)

if __name__ == '__main__':
    leap_binder.check()
