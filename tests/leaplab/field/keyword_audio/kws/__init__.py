from kws.dataset import Clip, Dataset
from kws.features import AudioConfig, log_mel

__all__ = ["AudioConfig", "Clip", "Dataset", "log_mel"]
