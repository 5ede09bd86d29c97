"""The integration's source as syntax trees: its decorated functions, and the body of its integration test."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from leaplab.protocol.script_failure import place
from leaplab.store.columns import owner_of

DECORATORS = "tensorleap_"
CALLED_KINDS = {
    "tensorleap_input_encoder": "input encoder",
    "tensorleap_gt_encoder": "ground-truth encoder",
    "tensorleap_metadata": "metadata function",
    "tensorleap_custom_loss": "loss",
    "tensorleap_custom_metric": "metric",
    "tensorleap_custom_instances_metric": "instance metric",
    "tensorleap_custom_visualizer": "visualizer",
    "tensorleap_load_model": "model loader",
}
ENCODERS = ("tensorleap_input_encoder", "tensorleap_gt_encoder")
BINDERS = ("leap_binder", "leap")
REGISTERING = {
    "set_preprocess": "tensorleap_preprocess",
    "set_unlabeled_data_preprocess": "tensorleap_unlabeled_preprocess",
    "set_input": "tensorleap_input_encoder",
    "set_ground_truth": "tensorleap_gt_encoder",
    "set_metadata": "tensorleap_metadata",
    "set_visualizer": "tensorleap_custom_visualizer",
    "add_custom_loss": "tensorleap_custom_loss",
    "add_custom_metric": "tensorleap_custom_metric",
}
"""Methods of `leap_binder`, and the decorators that do the same."""
_PARSING = Lock()
"""CPython 3.11 keeps one count of a tree's depth for all threads: two that parse at once end in a SystemError."""


@dataclass(frozen=True)
class Decorated:
    """A function that a code-loader decorator registers, or, in the older style, a call of `leap_binder`.

    Attributes:
        decorator: the name of the decorator; of a call, that of the decorator which does the same.
        given: the name that such a call gives it.
    """

    name: str
    decorator: str
    file: str
    line: int
    node: ast.FunctionDef
    given: str = ""

    @property
    def place(self) -> str:
        """file:line of the function."""
        return place(self.file, self.line)

    def at(self, node: ast.AST) -> str:
        """file:line of a part of it."""
        return place(self.file, getattr(node, "lineno", self.line))


@dataclass
class Source:
    """All Python files of an integration.

    Attributes:
        texts: relative path -> content.
        trees: relative path -> syntax tree.
        broken: (place, what is wrong) of files that are no Python.
        decorated: every decorated function.
    """

    texts: dict[str, str] = field(default_factory=dict)
    trees: dict[str, ast.Module] = field(default_factory=dict)
    broken: list[tuple[str, str]] = field(default_factory=list)
    decorated: list[Decorated] = field(default_factory=list)

    @property
    def integration_tests(self) -> list[Decorated]:
        """Functions under tensorleap_integration_test."""
        return self.of("tensorleap_integration_test")

    def keep_loaded(self, files: set[str]) -> None:
        """Forget decorated functions of files that are not imported: another example's, say."""
        self.decorated = [function for function in self.decorated if function.file in files]

    def of(self, decorator: str) -> list[Decorated]:
        """Functions under a decorator."""
        return [function for function in self.decorated if function.decorator == decorator]

    def calls(self, *names: str) -> bool:
        """Whether functions of these names are called anywhere, or decorate."""
        calls = (node for tree in self.trees.values() for node in ast.walk(tree) if isinstance(node, ast.Call))
        return any(_name(call.func) in names for call in calls)

    def place(self, name: str, decorator: str | None = None) -> str:
        """file:line of the handler that is registered under a name or gives a column of it, or the name itself.

        A loss and a metric may share a name: `decorator` tells which.
        """
        functions = self.decorated if decorator is None else self.of(decorator)
        registered = {registered_name(function): function for function in reversed(functions)}
        owner = owner_of(name, registered)
        return name if owner is None else registered[owner].place


def read_source(root: Path, files: Iterator[str] | list[str]) -> Source:
    """Parse the Python files among `files`, relative to the root."""
    source = Source()
    for file in sorted(files):
        if not file.endswith(".py"):
            continue
        try:
            text = (root / file).read_text(encoding="utf-8")
            tree = parse(text, file)
        except OSError:
            continue  # the listing tells of files that cannot be read
        except (SyntaxError, ValueError, RecursionError) as error:
            told = error.msg if isinstance(error, SyntaxError) else str(error)
            source.broken.append((place(file, getattr(error, "lineno", None) or 1), f"It is no Python: {told}"))
            continue
        source.texts[file] = text
        source.trees[file] = tree
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                source.decorated += [
                    Decorated(node.name, decorator, file, node.lineno, node)
                    for decorator in map(_decorator_name, node.decorator_list)
                    if decorator.startswith(DECORATORS)
                ]
    source.decorated += _decorated_by_calls(source.trees)
    source.decorated += _registered_by_calls(source.trees)
    return source


def _decorated_by_calls(trees: dict[str, ast.Module]) -> Iterator[Decorated]:
    """What `encode = tensorleap_input_encoder("x")(table.encode)` decorates, as `@` does."""
    functions = {
        node.name: node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            target, call = node.targets[0], node.value
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Call):
                continue
            decorator = _decorator_name(call.func)
            if decorator.startswith(DECORATORS):
                function = functions.get((_name(call.args[0]) if call.args else None) or "") or _unseen(target.id)
                yield Decorated(target.id, decorator, file, node.lineno, function, _given(call.func) or target.id)


def _unseen(name: str) -> ast.FunctionDef:
    """Stands for a function whose definition no tree holds, and of which nothing is said."""
    (function,) = parse("def _() -> object: ...", "").body
    assert isinstance(function, ast.FunctionDef)
    function.name = name
    return function


def _registered_by_calls(trees: dict[str, ast.Module]) -> Iterator[Decorated]:
    """What `leap_binder.set_input(function, "name")` and its kin register."""
    functions = {
        (file, node.name): node
        for file, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    for file, tree in trees.items():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            owner = _name(call.func.value)
            decorator = REGISTERING.get(call.func.attr)
            if decorator is None or owner not in BINDERS:
                continue
            named = {keyword.arg: keyword.value for keyword in call.keywords}
            function = _name(call.args[0]) if call.args else _name(named.get("function", call))
            name = call.args[1] if len(call.args) > 1 else named.get("name")
            given = name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
            homes = [home for home, known in functions if known == function]
            home = file if file in homes else homes[0] if homes else None
            if home is not None and function is not None:
                node = functions[home, function]
                yield Decorated(function, decorator, home, node.lineno, node, given)


def parse(text: str, file: str, minor: int | None = None) -> ast.Module:
    """The syntax tree of a file's text; as Python 3.`minor` reads it, as far as `ast` knows its grammar.

    Raises:
        SyntaxError: that Python would refuse it.
        ValueError: it holds a null byte.
        RecursionError: it is nested too deep.
    """
    with _PARSING:
        return ast.parse(text, filename=file, feature_version=None if minor is None else (3, minor))


def registered_name(function: Decorated) -> str:
    """The name that it is registered under, where it is written out; else the function's own."""
    if function.given:
        return function.given
    for decorator in function.node.decorator_list:
        if not isinstance(decorator, ast.Call) or _decorator_name(decorator) != function.decorator:
            continue
        if given := _given(decorator):
            return given
    return function.name


def _given(decorator: ast.Call) -> str:
    """The name that a decorator is given, where it is written out."""
    named = [*decorator.args[:1], *(k.value for k in decorator.keywords if k.arg == "name")]
    texts = [one.value for one in named if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return texts[0] if texts else ""


def _decorator_name(node: ast.expr) -> str:
    return _name(node.func if isinstance(node, ast.Call) else node) or ""


def _name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None
