"""`poetry run test [EXAMPLE ...]`: the binders by the platform's rules, then pytest. Any failure: non-zero exit.

Each binder is checked in two processes of its own, because code-loader reads `IS_TENSORLEAP_PLATFORM` once: the
platform's verdict, and the integration test with code-loader's warnings of parameters left to their defaults.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from data_access.active_example import VARIABLE, available_examples, require_example
from data_access.errors import DataError
from data_access.root import data_root

ROOT = Path(__file__).resolve().parent


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


def run_tests(examples: list[str], root: Path = ROOT) -> int:
    """Check the binders of some examples (none given: all), then run their tests; the exit code."""
    # Here and not above: on the platform, and where leaplab unpacks a bundle, there are no tests.
    from tests.example_data import example_data_root

    chosen = [require_example(root, example, "The command line") for example in examples] or available_examples(root)
    failures = 0
    with TemporaryDirectory() as scratch:
        for example in chosen:
            data = example_data_root(example, Path(scratch))
            reason = check_binder(example, data, root)
            failures += reason is not None
            verdict = f"FAILED, {reason}" if reason else "ok, the platform would accept it"
            substitute = "" if data == data_root() else " (on generated data: the real one is not in the data root)"
            print(f"{example}: {verdict}{substitute}", flush=True)
    selected = [f"--example={example}" for example in examples]
    folders = [f"tests/{example}" for example in examples] + ["tests/contract"] if examples else ["tests"]
    pytest = subprocess.run([sys.executable, "-m", "pytest", *folders, *selected], cwd=root, check=False)
    if failures:
        print(f"{failures} of {len(chosen)} binders failed, see above.")
    return pytest.returncode or min(failures, 1)


def main() -> None:
    """The console script."""
    arguments = sys.argv[1:]
    if arguments == ["--verdict"]:
        sys.exit(verdict(Path.cwd()))
    try:
        sys.exit(run_tests(arguments))
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _run(arguments: list[str], environment: dict[str, str], root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (process.stderr or process.stdout).splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit code {process.returncode}"


if __name__ == "__main__":
    main()
