"""The command line of every train.py."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from tasks.settings import ExampleConfig
from tasks.training.errors import TrainingError
from tasks.training.export import write_onnx
from tasks.training.fitting import Start, Training, fit

Config = TypeVar("Config", bound=ExampleConfig)


def training_parser(example: str, has_anchors: bool = False) -> argparse.ArgumentParser:
    """The options that all have; an example may add its own."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {example}.train", description=f"Train the model of the {example} example."
    )
    parser.add_argument("--init", type=Path, metavar="MODEL", help="an .h5 to start from")
    parser.add_argument(
        "--output", type=_without_suffix, metavar="PATH", help="path of the files to write, without suffix"
    )
    parser.add_argument("--epochs", type=_positive, metavar="N", help="instead of those of project_config.yaml")
    parser.add_argument("--resume", action="store_true", help="go on from the last whole epoch of a killed training")
    parser.add_argument("--bfloat16", action="store_true", help="compute in bfloat16 on a processor too, if it has it")
    parser.add_argument("--export", action="store_true", help="only write the .onnx, from the .h5 of a training")
    if has_anchors:
        parser.add_argument("--anchors", action="store_true", help="only print anchors that fit the training boxes")
    return parser


def carry_out(
    given: argparse.Namespace,
    load_config: Callable[[], Config],
    prepare: Callable[[Config], Training],
    mendable: type[Exception],
    print_anchors: Callable[[Config, Training], None] | None = None,
) -> None:
    """Do what the options say. What a person can mend ends the process with a sentence and exit code 2.

    Args:
        given: what `training_parser` made of the arguments.
        load_config: the example's settings.
        prepare: loads the data, and tells what is the example's own.
        mendable: the error of missing data and bad settings, whose message is a sentence.
        print_anchors: for `--anchors`.
    """
    try:
        config = load_config()
        if given.epochs is not None:
            config = replace(config, training=config.training.lasting(given.epochs))
        name = given.output or config.model_path.with_suffix("")
        name.parent.mkdir(parents=True, exist_ok=True)
        if given.export and not name.with_suffix(".h5").is_file():
            raise TrainingError(f"{name.with_suffix('.h5')} does not exist: train first, or give its --output.")
        training = prepare(config)
        if print_anchors is not None and given.anchors:
            print_anchors(config, training)
        elif given.export:
            write_onnx(name, training.compared)
        else:
            fit(training, name, Start(given.init, given.resume, given.bfloat16))
    except (mendable, TrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nStopped; the same command with --resume goes on from the last whole epoch.", file=sys.stderr)
        sys.exit(130)


def _without_suffix(text: str) -> Path:
    path = Path(text)
    if path.suffix:
        raise argparse.ArgumentTypeError(f"leave '{path.suffix}' out of the name: the files get suffixes of their own")
    return path


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
