"""Rules of the integration test's body, read as a syntax tree.

code-loader runs it a second time with placeholders to read the wiring: only decorated calls, the model and the indexing
of predictions survive that.
"""

import ast
from collections.abc import Iterator

from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence
from leaplab.check.source import CALLED_KINDS, ENCODERS, Decorated, registered_name
from leaplab.protocol.observations import Topic

MODEL_METHODS = {"run", "get_inputs"}
HARMLESS = {"print", "SamplePreprocessResponse"}
"""Calls that placeholders survive."""
PLOTTING = "code_loader.plot_functions"
"""code-loader's own functions that plot, which the second pass skips."""
WHY_PLACEHOLDERS = "A second pass runs the test with placeholders to read the wiring; anything else fails there."
FLOW = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.IfExp, ast.ListComp, ast.DictComp, ast.SetComp, ast.Match)


@rule(
    "C30",
    "error",
    "there is one integration test",
    why="It tells the platform which source feeds each loss, metric and visualizer; without one a push is refused.",
    mend="Decorate one function with @tensorleap_integration_test(), and call every handler in it.",
)
def one_integration_test(evidence: Evidence) -> Breaches:
    """None at all, or each that is too many."""
    found = evidence.source.integration_tests
    if evidence.source.decorated and not found:
        yield evidence.entry_file, "No function is decorated with tensorleap_integration_test"
    for extra in found[1:]:
        yield extra.place, f"'{extra.name}' is a second integration test beside '{found[0].name}'"


@rule(
    "C31",
    "error",
    "the integration test calls decorated functions only",
    why=WHY_PLACEHOLDERS,
    mend="Move the call into one of the decorated functions.",
)
def decorated_calls_only(evidence: Evidence) -> Breaches:
    """Calls in conditions are C33's, those of the sample's methods C34's."""
    for test in evidence.source.integration_tests:
        names = _names_of_decorated(test, evidence)
        known = set(names) | HARMLESS | _models(test, evidence) | _loop_names(test)
        plotting = _plotting(test, evidence)
        parameters = _parameters(test)
        for node in _straight(test):
            if not isinstance(node, ast.Call) or _root_name(node.func) in parameters | plotting:
                continue
            of_model = isinstance(node.func, ast.Attribute) and node.func.attr in MODEL_METHODS
            of_loader = isinstance(node.func, ast.Call)
            if not of_model and not of_loader and _called(node) not in known:
                yield test.at(node), f"It calls '{ast.unparse(node.func)}', which is not decorated"


@rule(
    "C32",
    "error",
    "the integration test does no arithmetic",
    why=WHY_PLACEHOLDERS,
    mend="Move the arithmetic into a decorated function.",
)
def no_arithmetic(evidence: Evidence) -> Breaches:
    """Comparisons in conditions are C33's; -1 is a constant."""
    for test in evidence.source.integration_tests:
        for node in _straight(test):
            if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
                continue
            if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.AugAssign):
                yield test.at(node), f"It computes `{ast.unparse(node)}`"


@rule(
    "C33",
    "error",
    "the integration test has no control flow",
    why="The second pass, with placeholders, goes another way: what it does not come to is missing from the wiring.",
    mend="Write the calls one after the other; put conditions into the decorated functions.",
)
def no_control_flow(evidence: Evidence) -> Breaches:
    """Each branch, loop and comprehension, but for switches that are the same in both passes."""
    for test in evidence.source.integration_tests:
        for statement in test.node.body:
            for node in ast.walk(statement):
                if isinstance(node, FLOW) and not _is_switch(node, test, evidence):
                    first = ast.unparse(node).splitlines()[0]
                    yield test.at(node), f"It branches or repeats: `{first}`"


@rule(
    "C34",
    "error",
    "the integration test does not look into the sample",
    why=WHY_PLACEHOLDERS,
    mend="Index predictions only; read the sample inside an encoder.",
)
def no_reading_of_the_sample(evidence: Evidence) -> Breaches:
    """Attributes and items of its parameters."""
    for test in evidence.source.integration_tests:
        parameters = _parameters(test)
        for node in _straight(test):
            reads = isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Name)
            if reads and node.value.id in parameters:  # type: ignore[attr-defined]
                yield test.at(node), f"It reads `{ast.unparse(node)}`"


@rule(
    "C35",
    "warning",
    "the integration test calls every handler",
    why="What it does not call, the platform never runs.",
    mend="Call it in the integration test, or remove it.",
)
def every_handler_is_called(evidence: Evidence) -> Breaches:
    """Handlers of all kinds that it can call."""
    tests = evidence.source.integration_tests
    called: set[str] = set()
    for test in tests:
        names = _names_of_decorated(test, evidence)
        used = {node.id for node in ast.walk(test.node) if isinstance(node, ast.Name)}
        used |= {node.attr for node in ast.walk(test.node) if isinstance(node, ast.Attribute)}
        called |= {names[name] for name in used if name in names}
    for function in evidence.source.decorated if tests else ():
        kind = CALLED_KINDS.get(function.decorator)
        if kind is not None and function.name not in called:
            yield function.place, f"The {kind} '{registered_name(function)}' is not called"


@rule(
    "C36",
    "warning",
    "every encoder in the integration test feeds something",
    why="Otherwise it is computed for every sample, and thrown away.",
    mend="Feed it to the model or to a handler, or remove it.",
)
def encoders_are_used(evidence: Evidence) -> Breaches:
    """Results of encoders that are not assigned, or not read afterwards."""
    for test in evidence.source.integration_tests:
        names = _names_of_decorated(test, evidence)
        encoders = {function.name for function in evidence.source.decorated if function.decorator in ENCODERS}
        read = {n.id for n in ast.walk(test.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        for node in _straight(test):
            value = node.value if isinstance(node, ast.Assign | ast.Expr) else None
            if not isinstance(value, ast.Call) or names.get(_called(value) or "") not in encoders:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else []
            assigned = {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
            if not assigned & read:
                yield test.at(value), f"What '{_called(value)}' returns is not used"


@rule(
    "C37",
    "error",
    "the integration test takes a sample id and the preprocess response",
    why="The platform calls it with these two.",
    mend="Write it as integration_test(sample_id, preprocess).",
)
def two_parameters(evidence: Evidence) -> Breaches:
    """Two positional ones, whatever they are called."""
    for test in evidence.source.integration_tests:
        arguments = test.node.args
        count = len(arguments.posonlyargs) + len(arguments.args)
        if count - len(arguments.defaults) > 2 or count < 2:
            yield test.place, f"'{test.name}' takes {count} arguments"


@rule(
    "C38",
    "warning",
    "every prediction feeds something",
    why="A prediction that no loss, metric or visualizer takes is computed and stored for nothing.",
    mend="Feed it to a handler, or leave the output out of the exported model.",
)
def predictions_are_used(evidence: Evidence) -> Breaches:
    """By the wiring."""
    loaders = evidence.source.of("tensorleap_load_model")
    place = loaders[0].place if loaders else evidence.entry_file
    for observation in evidence.observed(Topic.PREDICTION_UNUSED):
        yield place, observation.text


def _plotting(test: Decorated, evidence: Evidence) -> set[str]:
    """Names in the test's file that stand for code-loader's own functions that plot, or for their modules."""
    names: set[str] = set()
    for node in ast.walk(evidence.source.trees[test.file]):
        if isinstance(node, ast.ImportFrom):
            found = {alias.asname or alias.name for alias in node.names if _plots(f"{node.module}.{alias.name}")}
            names |= found
        elif isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names if _plots(alias.name)}
    return names


def _plots(module: str) -> bool:
    return module == PLOTTING or module.startswith(f"{PLOTTING}.")


def _is_switch(node: ast.AST, test: Decorated, evidence: Evidence) -> bool:
    """Whether a branch is one that the second pass may go as it likes, or goes as the first one did.

    Of a condition on settings alone both make the same. One that calls something, or asks how the file is run, may come
    out otherwise on the platform: behind it only plots and prints may stand, which tell nothing of the wiring.
    """
    if not isinstance(node, ast.If | ast.IfExp) or not _is_of_settings(node.test, test):
        return False
    asks = [one for one in ast.walk(node.test) if isinstance(one, ast.Call) or getattr(one, "id", "") == "__name__"]
    if not asks:
        return True
    harmless = HARMLESS | _plotting(test, evidence)
    inside = [*node.body, *node.orelse] if isinstance(node, ast.If) else [node.body, node.orelse]
    calls = [one for branch in inside for one in ast.walk(branch) if isinstance(one, ast.Call)]
    return all(_root_name(call.func) in harmless for call in calls)


def _is_of_settings(condition: ast.expr, test: Decorated) -> bool:
    """Whether a condition reads neither the sample nor anything that was computed of it."""
    computed = set(list(_parameters_in_order(test))[:2])
    for node in ast.walk(test.node):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None and not isinstance(node.value, ast.Constant):
                computed |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    computed |= _loop_names(test)
    return not any(isinstance(node, ast.Name) and node.id in computed for node in ast.walk(condition))


def _straight(test: Decorated) -> Iterator[ast.AST]:
    """What stands in the body, without what control flow decides by."""
    pending: list[ast.AST] = list(test.node.body)
    while pending:
        node = pending.pop(0)
        yield node
        skipped = [
            child
            for name in ("test", "iter", "generators", "subject", "items")
            if isinstance(node, FLOW)
            for found in [getattr(node, name, None)]
            for child in (found if isinstance(found, list) else [found])
        ]
        pending += [child for child in ast.iter_child_nodes(node) if child not in skipped]


def _parameters(test: Decorated) -> set[str]:
    return set(_parameters_in_order(test))


def _parameters_in_order(test: Decorated) -> Iterator[str]:
    yield from (argument.arg for argument in (*test.node.args.posonlyargs, *test.node.args.args))


def _called(node: ast.Call) -> str | None:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else None


def _root_name(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _loop_names(test: Decorated) -> set[str]:
    """Names that loops run through: what they call is C33's."""
    loops = [node for node in ast.walk(test.node) if isinstance(node, ast.For | ast.comprehension)]
    return {name.id for loop in loops for name in ast.walk(loop.target) if isinstance(name, ast.Name)}


def _models(test: Decorated, evidence: Evidence) -> set[str]:
    """Names that hold the model: what a decorated loader returned."""
    names = _names_of_decorated(test, evidence)
    loaders = {function.name for function in evidence.source.of("tensorleap_load_model")}
    return {
        node.targets[0].id
        for node in ast.walk(test.node)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and names.get(_called(node.value) or "") in loaders
    }


def _names_of_decorated(test: Decorated, evidence: Evidence) -> dict[str, str]:
    """Name in the test's file -> the decorated function that it stands for."""
    known = {function.name for function in evidence.source.decorated}
    names = {name: name for name in known}
    for node in ast.walk(evidence.source.trees[test.file]):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname and alias.name in known}
    return names
