import base64
import wave
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from code_loader.contract.visualizer_classes import LeapAudio, LeapGraph, LeapImage

from leaplab.errors import LeaplabError
from leaplab.render import audio
from leaplab.render.audio import HEIGHT, MOST_RATE, WIDTH, write_wav
from leaplab.render.colours import BRIGHT
from leaplab.render.graph import BOTTOM, LEFT, RIGHT, TOP
from leaplab.worker.inspection import plain

NAN, INF = float("nan"), float("inf")
SPECTROGRAM = LeapImage(np.full((60, 20, 1), 77, np.uint8))
CURVE = LeapGraph(np.array([[0.0], [1.0]], np.float32))


def sound(samples, rate=8000, visual=SPECTROGRAM, dtype=np.float32) -> Any:
    return LeapAudio(np.array(samples, dtype), rate, visual)


def read(source) -> Any:
    with wave.open(source, "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")


def envelope(pixels) -> Any:
    """Lowest and highest row of the waveform in each pixel column."""
    seen = (pixels[:HEIGHT] == BRIGHT[0]).all(axis=2)[:, LEFT : WIDTH - RIGHT]
    rows = [np.flatnonzero(column) for column in seen.T]
    return [(int(found.min()), int(found.max())) if found.size else None for found in rows]


def row_of(value, low=-1.0, high=1.0) -> Any:
    room = 0.05 * (high - low)
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low + room) / (high - low + 2 * room))


@pytest.mark.parametrize("rate", [8000, 44_100, 1])
def test_wav_has_the_samples_at_their_rate(tmp_path, rate):
    samples = np.sin(np.arange(1000) / 7)
    write_wav(plain(sound(samples, rate)), tmp_path / "clip.wav")
    found_rate, found = read(str(tmp_path / "clip.wav"))

    assert found_rate == rate
    np.testing.assert_allclose(found / 32767, samples, atol=1 / 32767)


def test_page_gets_the_same_sound(draw):
    samples = np.sin(np.arange(1000) / 7)
    _, data = draw(sound(samples, 8000))
    rate, found = read(BytesIO(base64.b64decode(data["wav"].removeprefix("data:audio/wav;base64,"))))

    assert (rate, data["seconds"]) == (8000, 0.125)
    np.testing.assert_allclose(found / 32767, samples, atol=1 / 32767)


def test_page_gets_no_endless_sound(draw, monkeypatch):
    monkeypatch.setattr(audio, "MOST_PLAYED", 100)

    assert "wav" in draw(sound(np.zeros(50)))[1]
    assert "wav" not in draw(sound(np.zeros(51)))[1]


def test_samples_beyond_the_range_are_cut_off_and_told(draw, told, tmp_path):
    _, notes = told(audio)
    leap = sound([0.5, 2.0, -3.0, NAN, INF])
    write_wav(plain(leap), tmp_path / "clip.wav")
    draw(leap)

    assert read(str(tmp_path / "clip.wav"))[1].tolist() == [16384, 32767, -32767, 0, 0]
    assert notes == [
        "2 of 5 samples NaN or infinite: silent.",
        "2 of 5 samples beyond -1..1: cut off in the sound.",
    ]


@pytest.mark.parametrize(
    ("dtype", "values", "wanted"),
    [
        (np.int16, [0, 16_384, -32_768, 32_767], [0, 0.5, -1, 1]),
        (np.uint8, [128, 192, 0, 255], [0, 0.5, -1, 1]),
        (np.float64, [0, 0.5, -1, 1], [0, 0.5, -1, 1]),
    ],
)
def test_integers_are_shares_of_their_type_s_range(tmp_path, dtype, values, wanted):
    write_wav(plain(sound(values, dtype=dtype)), tmp_path / "clip.wav")

    np.testing.assert_allclose(read(str(tmp_path / "clip.wav"))[1] / 32767, wanted, atol=0.01)


def test_waveform_spans_the_samples_of_each_column(draw):
    quiet, loud = np.zeros(4000), np.tile([1.0, -1.0], 2000)
    pixels, _ = draw(sound(np.concatenate([quiet, loud])))
    spans = envelope(pixels)

    for column in (10, 100, 270):
        assert spans[column] == (round(row_of(0)), round(row_of(0)))
    for column in (285, 400, 550):
        np.testing.assert_allclose(spans[column], (row_of(1), row_of(-1)), atol=1)


def test_few_samples_are_as_wide_as_their_time(draw):
    spans = envelope(draw(sound([1.0, -1.0]))[0])

    np.testing.assert_allclose(spans[100], (row_of(1), row_of(1)), atol=1)
    np.testing.assert_allclose(spans[400], (row_of(-1), row_of(-1)), atol=1)


def test_missing_samples_leave_a_gap(draw):
    spans = envelope(draw(sound([1.0, NAN, -1.0, 1.0]))[0])

    assert spans[200] is None
    assert spans[50] is not None


def test_own_image_lies_under_the_seconds(draw):
    pixels, _ = draw(sound(np.zeros(10)))

    assert (pixels[HEIGHT : HEIGHT + 120, LEFT : WIDTH - RIGHT] == 77).all()
    assert (pixels[HEIGHT : HEIGHT + 120, :LEFT] == 255).all()


def test_own_graph_lies_under_the_waveform(draw):
    beside, _ = draw(sound(np.zeros(10), visual=CURVE))
    alone, _ = draw(CURVE)

    np.testing.assert_array_equal(beside[-alone.shape[0] :], alone)


def test_audio_without_samples_is_told(draw):
    with pytest.raises(LeaplabError, match=r"Audio of shape \(0,\) cannot be drawn"):
        draw(sound([]))


@pytest.mark.parametrize("rate", [MOST_RATE + 1, 10**400])
def test_rate_that_no_file_can_have_is_told(draw, tmp_path, rate):
    with pytest.raises(LeaplabError, match="correct sample_rate"):
        draw(sound([0.0], rate))
    with pytest.raises(LeaplabError, match="correct sample_rate"):
        write_wav(plain(sound([0.0], rate)), tmp_path / "clip.wav")


def test_samples_that_are_no_numbers_are_told(draw):
    with pytest.raises(LeaplabError, match="The audio has values of type object"):
        draw(sound([None], dtype=object))
