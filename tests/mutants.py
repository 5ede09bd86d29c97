"""Mutation testing: `python -m tests.mutants NAME [PATTERN ...]` of vision, tasks or store.

Breaks the code of a package in one small way after another, runs the tests beside it on each, and shows every change
that none of them notices. All of it happens in a copy under build/mutants, never in the tree itself. A pattern such as
'vision.boxes.*' picks some of the mutants.
"""

import ast
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIES = ROOT / "build" / "mutants"
PACKAGES = {"data_access": "data_access", "leaplab": "leaplab/src/leaplab", "tasks": "tasks", "vision": "vision"}
"""What the tests import -> where it lies; in the copy all lie at the root, where mutmut finds modules by their path."""


@dataclass(frozen=True)
class Target:
    """What is mutated.

    Attributes:
        code: its folder in the copy.
        tests: the folder of the tests beside it.
    """

    code: str
    tests: str


TARGETS = {
    "store": Target("leaplab/store", "tests/leaplab/store"),
    "tasks": Target("tasks", "tests/tasks"),
    "vision": Target("vision", "tests/vision"),
}
MUTMUT = (sys.executable, "-c", "from mutmut.__main__ import cli; cli()")
SHOW = """
import sys
from mutmut.__main__ import cli
for mutant in sys.argv[1:]:
    cli(["show", mutant], standalone_mode=False)
"""
REAPPLIED = ("cache", "cached_property", "contextmanager", "lru_cache", "property")
"""Decorators of functions that mutmut would leave alone."""


def main(name: str, *patterns: str) -> None:
    """Mutate one of the targets, and print counts and survivors."""
    if name not in TARGETS:
        sys.exit(f"error: nothing called {name} is mutated; there are {', '.join(TARGETS)}.")
    copy = COPIES / name
    make_copy(copy, TARGETS[name])
    if subprocess.run([*MUTMUT, "run", *patterns], cwd=copy, check=False).returncode:
        sys.exit("error: mutmut did not come to its end; what it printed above says why.")
    report(copy)


def make_copy(copy: Path, target: Target) -> None:
    """What the tests of a target need, with the target's functions as mutmut takes them."""
    shutil.rmtree(copy, ignore_errors=True)
    leave_out = shutil.ignore_patterns("__pycache__", "web", "field")
    for package, place in {**PACKAGES, "tests": "tests"}.items():
        shutil.copytree(ROOT / place, copy / package, ignore=leave_out)
    for path in (copy / target.code).rglob("*.py"):
        path.write_text(with_decorators_below(path.read_text(encoding="utf-8")), encoding="utf-8")
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    header = "[tool.mutmut]\n"
    assert settings.count(header) == 1
    chosen = f'source_paths = ["{target.code}"]\npytest_add_cli_args_test_selection = ["{target.tests}"]\n'
    (copy / "pyproject.toml").write_text(settings.replace(header, header + chosen), encoding="utf-8")


def with_decorators_below(source: str) -> str:
    """Put `name = property(name)` below a function for `@property` above it: mutmut skips what is decorated."""
    lines: list[str | None] = [*source.splitlines()]
    below: dict[int, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and len(node.decorator_list) == 1:
            (decorator,) = node.decorator_list
            written = ast.unparse(decorator)
            if written.partition("(")[0] in REAPPLIED:
                assert node.end_lineno is not None
                for line in range(decorator.lineno, node.lineno):
                    lines[line - 1] = None
                below[node.end_lineno] = f"{' ' * node.col_offset}{node.name} = {written}({node.name})"
    placed = [(line, below.get(number)) for number, line in enumerate(lines, 1)]
    return "\n".join(line for pair in placed for line in pair if line is not None) + "\n"


def report(copy: Path) -> None:
    """Print how many mutants of each module ended how, and the difference that each makes of which no test fails."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    alive = []
    listed = subprocess.run([*MUTMUT, "results", "--all", "true"], cwd=copy, check=True, capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        mutant, _, status = line.strip().rpartition(": ")
        counts[mutant.rpartition(".")[0]][status] += 1
        if status not in ("killed", "timeout", "not checked"):  # other than the patterns asked for
            alive.append(mutant)
    subprocess.run([sys.executable, "-c", SHOW, *alive], cwd=copy, check=True)
    for module, endings in sorted(counts.items()):
        print(f"{module}: {', '.join(f'{count} {status}' for status, count in endings.most_common())}")


if __name__ == "__main__":
    main(*(sys.argv[1:] or [""]))
