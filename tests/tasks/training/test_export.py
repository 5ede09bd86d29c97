import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BATCH = np.random.default_rng(1).random((6, 4), dtype=np.float32)


def written(model: Any, folder: Path) -> bytes:
    """What lies in tiny.h5 of the folder, written now."""
    from tasks.training.keras2_file import save_for_keras_2

    save_for_keras_2(model, folder / "tiny.h5")
    return (folder / "tiny.h5").read_bytes()


def test_the_onnx_gives_the_numbers_of_the_model(
    tmp_path: Path, tiny_model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    import onnxruntime

    from tasks.training.export import write_onnx

    written(tiny_model, tmp_path)
    difference = write_onnx(tmp_path / "tiny", BATCH)
    kernel, bias = tiny_model.layers[-1].get_weights()
    powers = np.exp(BATCH @ kernel + bias)
    from_onnx = onnxruntime.InferenceSession(str(tmp_path / "tiny.onnx")).run(None, {"numbers": BATCH})[0]
    np.testing.assert_allclose(from_onnx, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)
    assert difference == pytest.approx(float(np.abs(from_onnx - np.asarray(tiny_model(BATCH))).max()), abs=1e-9)
    assert f"tiny: .onnx within {difference:.1g} of .h5" in capsys.readouterr().out


def test_the_h5_stays_as_it_is(tmp_path: Path, tiny_model: Any) -> None:
    from tasks.training.export import write_onnx

    before = written(tiny_model, tmp_path)
    write_onnx(tmp_path / "tiny", BATCH)
    assert (tmp_path / "tiny.h5").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.h5", "tiny.onnx"}


def test_the_onnx_of_a_shipped_h5_leaves_the_file_that_its_card_records(repository: Path, tmp_path: Path) -> None:
    from tasks.training.export import write_onnx

    file = tmp_path / "mnist_cnn.h5"
    file.write_bytes((repository / "models" / file.name).read_bytes())
    assert write_onnx(tmp_path / "mnist_cnn", np.random.default_rng(2).random((4, 28, 28, 1), dtype=np.float32)) < 1e-5
    card = (repository / "models" / "README.md").read_text(encoding="utf-8")
    assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" in card


def test_an_onnx_that_differs_is_an_error_that_names_both_and_is_not_written(
    tmp_path: Path, tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    from tasks.training.export import write_onnx

    class Wrong(onnxruntime.InferenceSession):  # type: ignore[misc]
        def run(self, *arguments: Any) -> Any:
            return [output + 0.5 for output in super().run(*arguments)]

    written(tiny_model, tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(b"of an earlier training")
    monkeypatch.setattr(onnxruntime, "InferenceSession", Wrong)
    with pytest.raises(ValueError, match=r"^tiny.onnx and tiny.h5 differ by 0.5, more than 0.0001.$"):
        write_onnx(tmp_path / "tiny", BATCH)
    assert (tmp_path / "tiny.onnx").read_bytes() == b"of an earlier training"


def test_a_model_that_gives_nan_is_an_error(tmp_path: Path, tiny_model: Any) -> None:
    from tasks.training.export import write_onnx

    tiny_model.set_weights([np.full_like(weights, np.nan) for weights in tiny_model.get_weights()])
    written(tiny_model, tmp_path)
    with pytest.raises(ValueError, match="differ by nan"):
        write_onnx(tmp_path / "tiny", BATCH)
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.h5"}
