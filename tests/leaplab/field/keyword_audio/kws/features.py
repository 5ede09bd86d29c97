from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class AudioConfig:
    sample_rate: int = 8000
    samples: int = 2000
    n_fft: int = 256
    hop: int = 128
    n_mels: int = 20

    @property
    def frames(self) -> int:
        return 1 + (self.samples - self.n_fft) // self.hop


@lru_cache(maxsize=None)
def mel_filters(config: AudioConfig) -> np.ndarray:
    """Triangles [n_mels, n_fft // 2 + 1], evenly spaced on the mel scale."""
    top = 2595 * np.log10(1 + config.sample_rate / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, config.n_mels + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(config.n_fft, 1 / config.sample_rate)
    lower, centre, upper = hertz[:-2, None], hertz[1:-1, None], hertz[2:, None]
    return np.clip(np.minimum((bins - lower) / (centre - lower), (upper - bins) / (upper - centre)), 0, None)


def log_mel(waveform: np.ndarray, config: AudioConfig) -> np.ndarray:
    """[n_mels, frames, 1]"""
    starts = np.arange(config.frames) * config.hop
    windows = np.stack([waveform[s : s + config.n_fft] for s in starts]) * np.hanning(config.n_fft)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    return np.log10(mel_filters(config) @ power.T + 1e-6)[..., None].astype(np.float32)
