"""Keyword spotting: log-mel spectrogram in, logits of four keywords out."""
from pathlib import Path
from typing import Dict, List, Optional, Union

import numpy as np
from code_loader.contract.datasetclasses import PreprocessResponse, PredictionTypeHandler, SamplePreprocessResponse
from code_loader.contract.enums import DataStateType, DatasetMetadataType, LeapDataType, MetricDirection
from code_loader.contract.visualizer_classes import LeapAudio, LeapGraph, LeapHorizontalBar, LeapImage
from code_loader.inner_leap_binder import leapbinder_decorators as tl

from kws import AudioConfig, Dataset, log_mel
from kws.dataset import KEYWORDS

CONFIG = AudioConfig()


@tl.tensorleap_preprocess()
def preprocess() -> List[PreprocessResponse]:
    datasets = {
        DataStateType.training: Dataset("tr", 12, seed=10),
        DataStateType.validation: Dataset("va", 8, seed=11),
        DataStateType.additional: Dataset("cafe", 8, seed=12, noise=0.2),
    }
    return [PreprocessResponse(sample_ids=d.ids, data=d, state=state) for state, d in datasets.items()]


@tl.tensorleap_input_encoder("log_mel", channel_dim=-1)
def input_log_mel(clip_id: str, dataset: PreprocessResponse) -> np.ndarray:
    return log_mel(dataset.data[clip_id].waveform, CONFIG)


@tl.tensorleap_gt_encoder("keyword")
def gt_keyword(clip_id: str, dataset: PreprocessResponse) -> np.ndarray:
    return np.array([dataset.data[clip_id].keyword == k for k in KEYWORDS], dtype=np.float32)


@tl.tensorleap_metadata("clip", {
    "keyword": DatasetMetadataType.string,
    "speaker": DatasetMetadataType.string,
    "snr_db": DatasetMetadataType.float,
    "clipped": DatasetMetadataType.boolean,
    "peak": DatasetMetadataType.float,
})
def clip_metadata(clip_id: str, dataset: PreprocessResponse) -> Dict[str, Optional[Union[str, float, bool]]]:
    clip = dataset.data[clip_id]
    peak = float(np.abs(clip.waveform).max())
    return {
        "keyword": clip.keyword,
        "speaker": clip.speaker,
        "snr_db": clip.snr_db,
        "clipped": peak >= 1.0,
        "peak": peak,
    }


@tl.tensorleap_load_model([PredictionTypeHandler(name="keyword", labels=KEYWORDS, channel_dim=-1)])
def load_model():
    import onnxruntime
    return onnxruntime.InferenceSession(Path(__file__).parent / "kws.onnx")


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float32)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@tl.tensorleap_custom_loss("nll")
def nll(truth: np.ndarray, logits: np.ndarray) -> np.ndarray:
    return -(_log_softmax(logits) * truth).sum(axis=1)


@tl.tensorleap_custom_metric("rank_of_truth", direction=MetricDirection.Downward, compute_insights=True)
def rank_of_truth(truth: np.ndarray, logits: np.ndarray) -> np.ndarray:
    mine = (logits * truth).sum(axis=1, keepdims=True)
    return (logits > mine).sum(axis=1).astype(np.float32)


@tl.tensorleap_custom_metric("accuracy", direction=MetricDirection.Upward, compute_insights=True)
def accuracy(truth: np.ndarray, logits: np.ndarray) -> List[float]:
    return [float(t.argmax() == l.argmax()) for t, l in zip(truth, logits)]


@tl.tensorleap_custom_visualizer("player", LeapDataType.Audio)
def player(mel: np.ndarray, sample: SamplePreprocessResponse) -> LeapAudio:
    clip_id = str(np.atleast_1d(sample.sample_ids)[0])
    waveform = sample.preprocess_response.data[clip_id].waveform
    spectrogram = mel[0, ::-1]
    low, high = spectrogram.min(), spectrogram.max()
    picture = (255 * (spectrogram - low) / max(high - low, 1e-6)).astype(np.uint8)
    return LeapAudio(waveform, CONFIG.sample_rate, LeapImage(picture))


@tl.tensorleap_custom_visualizer("band_energy", LeapDataType.Graph)
def band_energy(mel: np.ndarray) -> LeapGraph:
    bands = np.stack([part.mean(axis=0) for part in np.split(mel[0, :, :, 0], 2)], axis=1)
    duration = CONFIG.samples / CONFIG.sample_rate
    return LeapGraph(
        bands.astype(np.float32), x_label="time [s]", y_label="log10 energy", x_range=(0.0, duration),
        legend=["low bands", "high bands"],
    )


@tl.tensorleap_custom_visualizer("scores", LeapDataType.HorizontalBar)
def scores(logits: np.ndarray, truth: np.ndarray) -> LeapHorizontalBar:
    return LeapHorizontalBar(body=np.exp(_log_softmax(logits))[0], labels=KEYWORDS, gt=truth[0])


@tl.tensorleap_integration_test()
def integration_test(clip_id: str, dataset: PreprocessResponse):
    mel = input_log_mel(clip_id, dataset)
    truth = gt_keyword(clip_id, dataset)
    clip_metadata(clip_id, dataset)

    model = load_model()
    logits = model.run(None, {model.get_inputs()[0].name: mel})[0]

    nll(truth, logits)
    rank_of_truth(truth, logits)
    accuracy(truth, logits)
    player(mel, SamplePreprocessResponse(clip_id, dataset))
    band_energy(mel)
    scores(logits, truth)


if __name__ == "__main__":
    for response in preprocess():
        for clip in response.sample_ids[:4]:
            integration_test(clip, response)
