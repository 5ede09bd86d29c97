"""The model files that the repository ships, and the card that tells of them."""

import hashlib
from importlib import import_module
from pathlib import Path


def test_the_card_gives_the_checksums_of_the_files(example: str) -> None:
    model_path: Path = import_module(f"{example}.config").load_config().model_path
    card = (model_path.parent / "README.md").read_text(encoding="utf-8")
    for suffix in (".onnx", ".h5"):
        file = model_path.with_suffix(suffix)
        assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" in card
