"""The entry files at the root. What they bind is tested in tests/contract."""

import ast
from collections.abc import Callable
from pathlib import Path

from tests.contract.binder_process import run, said_by_us

SAME = """
import sys, leap_binder
binder = sys.modules[leap_binder.example.__name__]
print(binder.__name__, leap_binder.preprocess is binder.preprocess,
      leap_binder.integration_test is binder.integration_test)
"""


def test_the_variable_names_the_example(example: str) -> None:
    bound = run(["-c", SAME], example)
    assert said_by_us(bound.stdout) == [f"{example}.leap_binder True True"], bound.stderr


def test_without_the_variable_the_settings_name_it(repository: Path) -> None:
    bound = run(["-c", SAME], "")
    assert bound.stdout.split()[0] == (repository / "project_config.yaml").read_text().split()[1] + ".leap_binder"


def test_the_entry_file_picks_the_example_and_nothing_else(repository: Path) -> None:
    tree = ast.parse((repository / "leap_binder.py").read_text("utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_importing_leap_integration_runs_nothing(example: str, example_data: Callable[[str], Path]) -> None:
    imported = run(["-c", "import leap_integration"], example, LEAP_DATA_ROOT=str(example_data(example)))
    assert (imported.returncode, said_by_us(imported.stdout), imported.stderr) == (0, [], "")
