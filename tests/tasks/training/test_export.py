from pathlib import Path
from typing import Any

import numpy as np
import pytest

BATCH = np.random.default_rng(1).random((6, 4), dtype=np.float32)


def test_both_files_give_the_numbers_of_the_model(tmp_path: Path, tiny_model: Any) -> None:
    import keras
    import onnxruntime

    from tasks.training.export import export

    difference = export(tiny_model, tmp_path / "tiny", BATCH)
    expected = np.asarray(tiny_model(BATCH))
    from_h5 = np.asarray(keras.models.load_model(tmp_path / "tiny.h5", compile=False)(BATCH))
    session = onnxruntime.InferenceSession(str(tmp_path / "tiny.onnx"))
    from_onnx = session.run(None, {"numbers": BATCH})[0]
    np.testing.assert_allclose(from_h5, expected, atol=1e-6)
    np.testing.assert_allclose(from_onnx, expected, atol=1e-5)
    assert difference == pytest.approx(float(np.abs(from_onnx - from_h5).max()), abs=1e-9)


def test_files_that_differ_are_an_error_that_names_both(
    tmp_path: Path, tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from tasks.training import export as module

    # A .h5 that is not the model: another one lies where export() reads its own back.
    other = keras.models.clone_model(tiny_model)
    other.layers[-1].bias.assign([5.0, 0.0, -5.0])
    monkeypatch.setattr(keras.models, "load_model", lambda path, compile: other)
    with pytest.raises(ValueError, match=r"^tiny.onnx and tiny.h5 differ by .*, more than 0.0001.$"):
        module.export(tiny_model, tmp_path / "tiny", BATCH)


def test_a_model_that_gives_nan_is_an_error(tmp_path: Path, tiny_model: Any) -> None:
    from tasks.training.export import export

    tiny_model.set_weights([np.full_like(weights, np.nan) for weights in tiny_model.get_weights()])
    with pytest.raises(ValueError, match="differ by nan"):
        export(tiny_model, tmp_path / "tiny", BATCH)
    assert list(tmp_path.iterdir()) == [], "a pair of files that disagrees must not be left behind"
