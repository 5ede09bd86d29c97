"""What a person types, and what a person is told."""

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tasks.settings import ExampleConfig, Recipe

EXAMPLES = ("mnist", "cifar10_resnet", "yolov7_foresight", "armbench_segmentation")
DETECTORS = ("yolov7_foresight", "armbench_segmentation")


class _MissingError(Exception):
    pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have been done."""
    from tasks.training import command_line

    done: list[tuple[Any, ...]] = []
    monkeypatch.setattr(command_line, "fit", lambda *given: done.append(("fit", *given)))
    monkeypatch.setattr(command_line, "write_onnx", lambda *given: done.append(("onnx", *given)))
    return done


def _run(arguments: Sequence[str], prepare: Any = None, load: Any = None) -> None:
    from tasks.training.command_line import carry_out, training_parser

    recipe = Recipe(epochs=40, warmup_epochs=2, batch_size=8, learning_rate=0.1, weight_decay=0.0)
    config = ExampleConfig(labels=("a", "b"), model="models/shipped.onnx", seed=1, training=recipe)

    def prepared(config: ExampleConfig) -> Any:
        return SimpleNamespace(config=config, compared=np.zeros(3))

    given = training_parser("mnist", has_anchors=True).parse_args(arguments)
    carry_out(
        given, load or (lambda: config), prepare or prepared, _MissingError, lambda config, training: print("anchors")
    )


def test_what_is_typed_is_done(
    asked: list[tuple[Any, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.settings import ROOT
    from tasks.training.fitting import Start

    _run([])
    (_, training, name, start) = asked.pop()
    assert (name, start, training.config.training.epochs) == (ROOT / "models/shipped", Start(None, False), 40)

    _run(["--init", "a.h5", "--output", f"{tmp_path}/new/mine", "--epochs", "2", "--resume"])
    (_, training, name, start) = asked.pop()
    assert (name, start) == (tmp_path / "new" / "mine", Start(Path("a.h5"), True))
    assert (training.config.training.epochs, training.config.training.warmup_epochs) == (2, 1)
    assert name.parent.is_dir()

    (tmp_path / "mine.h5").touch()
    _run(["--export", "--output", f"{tmp_path}/mine"])
    assert asked.pop()[:2] == ("onnx", tmp_path / "mine")
    _run(["--anchors"])
    assert (asked, capsys.readouterr().out) == ([], "anchors\n")


def _missing(*given: Any) -> Any:
    raise _MissingError("frames.zip is missing: put it there.")


@pytest.mark.parametrize(
    ("arguments", "functions", "sentence"),
    [
        ([], {"prepare": _missing}, "error: frames.zip is missing: put it there.\n"),
        ([], {"load": _missing}, "error: frames.zip is missing: put it there.\n"),
        (
            ["--export", "--output", "{}/none"],
            {},
            "error: {}/none.h5 does not exist: train first, or give its --output",
        ),
        (["--epochs", "0"], {}, "must be at least 1"),
        (["--epochs", "many"], {}, "invalid"),
        (["--output", "{}/v1.2"], {}, "leave '.2' out of the name"),
    ],
)
def test_what_a_person_can_mend_is_a_sentence(
    asked: list[tuple[Any, ...]],
    arguments: list[str],
    functions: dict[str, Any],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        _run([text.format(tmp_path) for text in arguments], **functions)
    assert ended.value.code == 2
    assert sentence.format(tmp_path) in capsys.readouterr().err
    assert asked == []


def test_ctrl_c_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*given: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        _run([], prepare=stopped)
    assert ended.value.code == 130
    assert "the same command with --resume goes on from the last whole epoch" in capsys.readouterr().err


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_the_same_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module(f"{name}.train")
    seen: list[argparse.Namespace] = []
    monkeypatch.setattr(module, "carry_out", lambda given, *others: seen.append(given))
    options = ["--init", "a.h5", "--output", "b", "--epochs", "3", "--resume", "--export"]
    monkeypatch.setattr("sys.argv", ["train", *options, *(["--anchors"] if name in DETECTORS else [])])
    module.main()
    (given,) = seen
    assert (given.init, given.output, given.epochs) == (Path("a.h5"), Path("b"), 3)
    assert given.resume
    assert given.export
    assert getattr(given, "anchors", None) == (True if name in DETECTORS else None)


def test_a_detector_that_starts_from_a_trained_model_is_fine_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    from yolov7_foresight import train

    epochs = []
    monkeypatch.setattr(train, "carry_out", lambda given, load, *others: epochs.append(load().training.epochs))
    for arguments in ([], ["--init", "a.h5"]):
        monkeypatch.setattr("sys.argv", ["train", *arguments])
        train.main()
    assert epochs == [40, 12]
