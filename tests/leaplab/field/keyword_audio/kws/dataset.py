from dataclasses import dataclass
from typing import Dict, List, Optional

import numpy as np

from kws.features import AudioConfig

KEYWORDS: List[str] = ["yes", "no", "stop", "silence"]
_PITCH = {"yes": (500, 900), "no": (900, 400), "stop": (1500, 1500)}


@dataclass(frozen=True)
class Clip:
    waveform: np.ndarray
    keyword: str
    speaker: Optional[str]
    snr_db: Optional[float]


class Dataset:
    """Chirps in noise. A clip of silence has neither a speaker nor a signal-to-noise ratio."""

    def __init__(self, prefix: str, size: int, seed: int, noise: float = 0.05, config: AudioConfig = AudioConfig()):
        self.config = config
        rng = np.random.default_rng(seed)
        self._clips: Dict[str, Clip] = {f"{prefix}-{i:02d}": self._draw(rng, i, noise) for i in range(size)}

    def _draw(self, rng: np.random.Generator, number: int, noise: float) -> Clip:
        keyword = KEYWORDS[number % len(KEYWORDS)]
        waveform = rng.normal(0, noise, self.config.samples)
        if keyword == "silence":
            return Clip(waveform.astype(np.float32), keyword, None, None)
        begin, end = _PITCH[keyword]
        loudness = rng.uniform(0.2, 0.6)
        pitch = np.linspace(begin, end, self.config.samples) * rng.uniform(0.9, 1.1)
        tone = loudness * np.sin(2 * np.pi * np.cumsum(pitch) / self.config.sample_rate)
        snr = 10 * np.log10((loudness**2 / 2) / noise**2)
        return Clip((waveform + tone).clip(-1, 1).astype(np.float32), keyword, f"s{rng.integers(5)}", float(snr))

    @property
    def ids(self) -> List[str]:
        return list(self._clips)

    def __getitem__(self, clip_id: str) -> Clip:
        return self._clips[clip_id]
