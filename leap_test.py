"""`poetry run test [EXAMPLE ...] [--long] [PYTEST OPTION ...]`: the binders by the platform's rules, then pytest.

Any failure is a non-zero exit. Tests marked `long` are left out; with `--long` they alone run, and no binder is
checked. What follows the first word with a dash goes to pytest, as in `poetry run test mnist -n 0 --pdb`.

Each binder is checked in two processes of its own, because code-loader reads `IS_TENSORLEAP_PLATFORM` once: the
platform's verdict, and the integration test with code-loader's warnings of parameters left to their defaults.
"""

import os
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryDirectory

from data_access.active_example import VARIABLE, available_examples, require_example
from data_access.errors import DataError
from data_access.root import data_root

ROOT = Path(__file__).resolve().parent
PARALLEL = ("-n", "auto", "--maxprocesses", "8", "--dist", "loadfile")
"""A process a physical core, each with TensorFlow in its memory; a file's tests share their fixtures in one process."""

NO_TESTS = 5
"""pytest's exit code where it ran none."""


def check_binder(example: str, data: Path, root: Path = ROOT) -> str | None:
    """Why an example's binder would fail on the platform, in one line; None where it would not.

    Args:
        data: the data root to bind it with.
    """
    environment = {
        **os.environ,
        VARIABLE: example,
        "LEAP_DATA_ROOT": str(data),
        "TL_DISABLE_ANALYTICS": "true",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    verdict = _run(["leap_test.py", "--verdict"], {**environment, "IS_TENSORLEAP_PLATFORM": "true"}, root)
    if verdict.returncode != 0:
        return f"the platform would refuse it: {_last_line(verdict)}"
    integration_test = _run(["leap_integration.py"], environment, root)
    if integration_test.returncode != 0:
        return f"its integration test fails: {_last_line(integration_test)}"
    warnings = [line.strip() for line in integration_test.stdout.splitlines() if "⚠" in line]
    if warnings:
        return f"its integration test warns: {warnings[0]}"
    return None


def verdict(root: Path) -> str | None:
    """Bind the active example in this process as the platform does; the first reason against it, or None."""
    from code_loader import LeapLoader

    result = LeapLoader(str(root), "leap_binder.py").check_dataset()
    if result.is_valid:
        return None
    # The handler that failed before the general error, which may only say what followed from it.
    for payload in result.payloads:
        if not payload.is_passed:
            return f"{payload.name}: {'; '.join(text.strip().splitlines()[0] for text in payload.display.values())}"
    # A summary and a traceback come first; the exception's own words may take several lines.
    return " ".join(str(result.general_error).rpartition("DatasetScriptException: ")[2].split())


def run_tests(examples: list[str], options: list[str], long: bool = False, root: Path = ROOT) -> int:
    """Check the binders of some examples (none given: all), then run their tests; the exit code.

    Args:
        options: of pytest's command line. They come after those of `PYTEST_ADDOPTS`, and both after our own.
        long: run the tests marked `long`, and nothing else.
    """
    chosen = [require_example(root, example, "The command line") for example in examples] or available_examples(root)
    failures = 0 if long else _check_binders(chosen, root)
    environment = dict(os.environ)
    # pytest would let our words win over its variable.
    added = shlex.split(environment.pop("PYTEST_ADDOPTS", ""))
    folders = [f"tests/{example}" for example in examples] + ["tests/contract"] if examples else ["tests"]
    selected = [f"--example={example}" for example in examples]
    command = ["pytest", *PARALLEL, "-m", "long" if long else "not long", *folders, *selected, *added, *options]
    pytest = subprocess.run([sys.executable, "-m", *command], cwd=root, env=environment, check=False)
    if failures:
        print(f"{failures} of {len(chosen)} binders failed, see above.")
    if pytest.returncode == NO_TESTS and long and examples:
        return 0  # not every example has a long test
    return pytest.returncode or min(failures, 1)


def main() -> None:
    """The console script."""
    arguments = sys.argv[1:]
    if arguments == ["--verdict"]:
        sys.exit(verdict(Path.cwd()))
    words = [word for word in arguments if word != "--long"]
    examples = list(takewhile(lambda word: not word.startswith("-"), words))
    try:
        sys.exit(run_tests(examples, words[len(examples) :], long="--long" in arguments))
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _check_binders(examples: list[str], root: Path) -> int:
    """Print what the platform would say of each; how many it would refuse."""
    # By its path: an installed package `tests` may come before ours. And not above: on the platform, and where leaplab
    # unpacks a bundle, there are no tests.
    example_data_root = run_path(str(ROOT / "tests" / "example_data.py"))["example_data_root"]
    failures = 0
    with TemporaryDirectory() as scratch:
        for example in examples:
            data = example_data_root(example, Path(scratch))
            reason = check_binder(example, data, root)
            failures += reason is not None
            verdict = f"FAILED, {reason}" if reason else "ok, the platform would accept it"
            substitute = "" if data == data_root() else " (on generated data: the real one is not in the data root)"
            print(f"{example}: {verdict}{substitute}", flush=True)
    return failures


def _run(arguments: list[str], environment: dict[str, str], root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (process.stderr or process.stdout).splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit code {process.returncode}"


if __name__ == "__main__":
    main()
