"""Rules of the source."""

import ast

from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence
from leaplab.check.rules.project import PYTHON_VERSIONS
from leaplab.check.source import parse
from leaplab.protocol.script_failure import place


@rule(
    "C20",
    "error",
    "every Python file of the bundle is Python",
    why="A file that cannot be parsed fails when it is imported, which may be in the middle of an evaluation.",
    mend="Correct the syntax.",
)
def parses(evidence: Evidence) -> Breaches:
    """Not those that only an older Python refuses."""
    yield from evidence.source.broken


@rule(
    "C21",
    "error",
    "no `from __future__ import annotations` where handlers are registered",
    why="It turns annotations into strings, and code-loader reads the types of visualizers and responses off them.",
    mend="Remove the import from that file.",
)
def no_string_annotations(evidence: Evidence) -> Breaches:
    """Only in files with decorated functions."""
    files = {function.file for function in evidence.source.decorated}
    for file in sorted(files):
        for node in evidence.source.trees[file].body:
            names = node.names if isinstance(node, ast.ImportFrom) and node.module == "__future__" else []
            if any(alias.name == "annotations" for alias in names):
                yield place(file, node.lineno), "annotations become strings here"


@rule(
    "C22",
    "warning",
    "a visualizer says what it returns",
    why="code-loader checks the declared type against the return annotation, and warns where there is none.",
    mend="Annotate the return type, as in `-> LeapImage`.",
)
def visualizers_are_annotated(evidence: Evidence) -> Breaches:
    """A return annotation of any kind: code-loader reads which."""
    for function in evidence.source.decorated:
        if function.decorator == "tensorleap_custom_visualizer" and function.node.returns is None:
            yield function.place, f"Visualizer '{function.name}' has no return annotation"


@rule(
    "C23",
    "warning",
    "preprocess gives ids, not a length",
    why="`length=` is deprecated: samples become numbers, which a new version of the data silently reassigns.",
    mend="Return PreprocessResponse(sample_ids=[...], ...) with strings.",
)
def no_length(evidence: Evidence) -> Breaches:
    """Every call of PreprocessResponse with a length."""
    for file, tree in evidence.source.trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or ast.unparse(node.func).split(".")[-1] != "PreprocessResponse":
                continue
            if any(keyword.arg == "length" for keyword in node.keywords):
                yield place(file, node.lineno), "PreprocessResponse is given a length"


@rule(
    "C24",
    "error",
    "the code is Python of the pythonVersion",
    why="The platform runs it with that version, which refuses newer syntax.",
    mend="Raise pythonVersion in leap.yaml, or write it as that version has it.",
)
def syntax_fits(evidence: Evidence) -> Breaches:
    """Reads every file again as the older version would."""
    version = (evidence.leap_yaml and evidence.leap_yaml.python_version) or ""
    if version not in PYTHON_VERSIONS:
        return  # C04 tells of it
    minor = int(version.removeprefix("py3"))
    for file, text in evidence.source.texts.items():
        try:
            parse(text, file, minor)
        except SyntaxError as error:
            # A match statement is refused behind its end.
            line = error.lineno or 1
            matches = [node for node in ast.walk(evidence.source.trees[file]) if isinstance(node, ast.Match)]
            ended = [(node.end_lineno or 0, node.lineno) for node in matches if (node.end_lineno or 0) <= line]
            if "Pattern matching" in error.msg and ended:
                line = max(ended)[1]
            yield place(file, line), f"Python 3.{minor} does not read this: {error.msg}"
