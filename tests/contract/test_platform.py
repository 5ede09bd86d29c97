"""What the platform does first: bind the entry file, check it, run the integration test."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_access.active_example import available_examples
from tests.contract import binder_process


def test_the_platform_accepts_the_binder(example: str, example_data: Callable[[str], Path]) -> None:
    found = binder_process.behaviour(example, example_data(example))
    assert (found["is_valid"], found["failed"], found["general_error"]) == (True, {}, None)


def test_the_integration_test_passes_without_a_warning(example: str, example_data: Callable[[str], Path]) -> None:
    process = binder_process.integration_test(example, example_data(example))
    assert process.returncode == 0, process.stdout + process.stderr
    warnings = [line for line in process.stdout.splitlines() if "⚠" in line]
    assert warnings == [], "code-loader warns of parameters left to their defaults, such as a metric's direction"


def test_every_row_of_the_exit_table_is_ticked(example: str, example_data: Callable[[str], Path]) -> None:
    printed = binder_process.integration_test(example, example_data(example)).stdout
    table = printed[printed.index("Decorator Name") :].splitlines()[2:]
    cells = [line.split("|", 1) for line in table if "|" in line]
    rows = {name.strip(): mark.strip() for name, mark in cells}
    assert {"tensorleap_preprocess", "tensorleap_input_encoder", "tensorleap_load_model"} <= set(rows)
    assert set(rows.values()) == {"✅"}, rows


def test_every_state_has_string_ids_that_are_unique_and_short(behaviour: dict[str, Any]) -> None:
    assert {"training", "validation"} <= set(behaviour["states"])
    for state, ids in behaviour["states"].items():
        assert ids["count"] > 0, state
        assert ids["rows"] == ids["count"] + ids["instances"], state
        assert ids["unique"] == ids["rows"], state
        assert ids["longest"] <= 256, state
        assert ids["types"] == ["str"], state


def test_an_unknown_example_is_an_error_that_lists_those_there_are(repository: Path) -> None:
    process = binder_process.run(["-c", "import leap_binder"], "no_such_example")
    assert process.returncode != 0
    last = process.stderr.strip().splitlines()[-1]
    assert "LEAP_EXAMPLE names the example 'no_such_example', which does not exist" in last
    assert all(name in last for name in available_examples(repository))


def test_annotations_are_not_postponed_where_code_loader_reads_them(example: str, repository: Path) -> None:
    for binder in (repository / "leap_binder.py", repository / example / "leap_binder.py"):
        imports = [node for node in ast.walk(ast.parse(binder.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
        assert imports
        assert "__future__" not in {node.module for node in imports}, binder
