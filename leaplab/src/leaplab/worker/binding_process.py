"""The binder in a clean process as an IDE runs it: `python binding_process.py ROOT ENTRY_FILE REPORT`.

Binds the entry file under an audit hook, then runs its integration test on the first sample of each state, and writes
what it saw as JSON. It imports nothing of leaplab, so that what it sees is the integration's own doing.
"""

from __future__ import annotations

import sys

# Python puts a script's own folder first, where a module may be named like one of the standard library.
if sys.path[0] == __file__.rpartition("/")[0]:
    del sys.path[0]

import hashlib
import importlib
import importlib.abc
import importlib.util
import inspect
import json
import os
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, Callable

PACKAGE = Path(__file__).resolve().parents[1]
FRAMEWORKS = frozenset({"tensorflow", "keras", "torch", "jax"})
WRITING = frozenset("wax+")
CACHES = ("__pycache__", ".cache", ".config", ".matplotlib")
"""Folders that libraries write to by themselves."""
PRINTED_KEPT = 2000
PLOTTING = ("plot_functions", "visualize")
"""code-loader's modules that plot, the second by the first."""
PLOTTERS = ("plot_", "visualize")
"""How the names of their functions begin."""


def main(root: str, entry_file: str, report_path: str) -> None:
    """Bind, run the integration test, and write the report after each stage."""
    report: dict[str, Any] = {"stage": "import code_loader"}
    folder = Path(os.path.realpath(root))
    sys.path[:] = [root, *(entry for entry in sys.path if not _leads_to_leaplab(entry))]
    os.chdir(root)

    def save(stage: str) -> None:
        report["stage"] = stage
        Path(report_path).write_text(json.dumps(report), encoding="utf-8")

    save("start")
    code_loader = _CodeLoader()
    before = set(sys.modules)
    save("binding")
    watch = _Watch(folder)
    sys.addaudithook(watch.audit)
    started = time.perf_counter()
    try:
        with watch:
            _bind(root, entry_file)
    except BaseException as error:
        report["error"] = _told(error, folder)
        save("binding")
        return
    report["seconds"] = time.perf_counter() - started
    report.update(watch.report())

    save("preprocess")
    try:
        responses = code_loader.responses()
        report["ids"] = {
            state: [len(ids), _sha256(ids)]
            for state, ids in ((state, code_loader.ids(response)) for state, response in responses.items())
        }
    except BaseException as error:
        report["preprocess_error"] = _told(error, folder)
    else:
        save("integration test")
        try:
            _run_integration_test(code_loader.integration_test(), responses)
        except BaseException as error:
            report["test_error"] = _told(error, folder)
    report["modules"] = _modules_of(folder, before)
    report["defaults"] = code_loader.defaults()
    report["warnings"] = code_loader.warnings()
    save("done")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # whatever threads the integration has started


class _CodeLoader:
    """Every use of a name of code-loader that is private, or that one of 1.0.171 to 1.0.215 lacks."""

    def __init__(self) -> None:
        importlib.import_module("code_loader")
        self._decorators = importlib.import_module("code_loader.inner_leap_binder.leapbinder_decorators")
        sys.excepthook = sys.__excepthook__  # code-loader's own prints its table
        self._plot_nothing()

    @property
    def _binder(self) -> Any:
        return importlib.import_module("code_loader.inner_leap_binder").global_leap_binder

    @staticmethod
    def _plot_nothing() -> None:
        """Its own functions that plot do nothing, as on the platform, and need no matplotlib.

        The platform reads the wiring with this variable set: code-loader then imports no matplotlib, and returns from
        these functions at once. Without it they would want matplotlib, and wait until a person closes their windows.
        """
        name = "__MAPPING_RUNTIME_MODE__"
        os.environ[name] = "true"
        try:
            modules = [importlib.import_module(f"code_loader.plot_functions.{one}") for one in PLOTTING]
        except ImportError:  # a version that has none, or that wants more than matplotlib
            return
        finally:
            del os.environ[name]
        for module in modules:
            for known, function in list(vars(module).items()):
                if inspect.isfunction(function) and known.startswith(PLOTTERS):
                    setattr(module, known, _nothing)

    def responses(self) -> dict[str, Any]:
        """State -> what preprocess returned for it."""
        return {state.name: response for state, response in self._binder.get_preprocess_result().items()}

    def ids(self, response: Any) -> list[Any]:
        """Without groups."""
        return list(getattr(response, "flat_sample_ids", response.sample_ids))

    def integration_test(self) -> Callable[..., Any] | None:
        """The decorated function, which runs the test and then reads its wiring; the binder has the undecorated one."""
        undecorated = getattr(self._binder, "integration_test_func", None)
        decorate = getattr(self._decorators, "tensorleap_integration_test", None)
        return None if undecorated is None or decorate is None else decorate()(undecorated)

    def defaults(self) -> list[dict[str, Any]]:
        """The parameters that decorators were not given."""
        found: dict[str, dict[str, Any]] = getattr(self._decorators, "_get_param_default_warnings", dict)()
        return [
            {"parameter": name, "default": str(told.get("default_value")), "functions": sorted(told.get("funcs", ()))}
            for name, told in found.items()
        ]

    def warnings(self) -> list[str]:
        """What it would print at the end."""
        found: list[dict[str, str]] = getattr(self._decorators, "_get_stored_warnings", list)()
        return [warning["message"] for warning in found if "message" in warning]


class _Watch:
    """What is done while it is on, each with the line of the integration that does it."""

    def __init__(self, root: Path) -> None:
        self._root = str(root) + os.sep
        self._on = False
        self._stream: Any = None
        self._seen: dict[str, dict[str, str]] = {}
        self.printed = ""

    def __enter__(self) -> None:
        self._stream, sys.stdout = sys.stdout, self
        self._on = True

    def __exit__(self, *error: object) -> None:
        self._on = False
        sys.stdout = self._stream

    def report(self) -> dict[str, Any]:
        """What was seen: {kind: {thing: place}}, and the beginning of what was printed."""
        if os.path.realpath(Path.cwd()) == self._root.rstrip(os.sep):
            self._seen.pop("moved", None)  # it came back
        # A library may only have tried.
        imported = {name: place for name, place in self._seen.pop("framework", {}).items() if name in sys.modules}
        self._seen["framework"] = imported
        return {"printed": self.printed, "seen": self._seen}

    def write(self, text: str) -> int:
        """In the place of sys.stdout."""
        # What code-loader prints comes up in the report by itself.
        by_code_loader = str(sys._getframe(1).f_globals.get("__name__")).startswith("code_loader")
        if len(self.printed) < PRINTED_KEPT and not by_code_loader:
            self.printed += text[:PRINTED_KEPT]
            if self.printed.strip():
                self._note("printed", "")
        return len(text)

    def flush(self) -> None:
        """In the place of sys.stdout."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what the rules of binding are about."""
        if not self._on:
            return
        if event == "open" and isinstance(arguments[0], str):
            if isinstance(arguments[1], str) and set(arguments[1]) & WRITING:
                self._note_written(arguments[0])
        elif event == "os.mkdir" and not os.path.exists(arguments[0]):  # noqa: PTH110 - the argument may be bytes
            self._note_written(os.fsdecode(arguments[0]))
        elif event == "import" and arguments[0] in FRAMEWORKS:
            self._note("framework", arguments[0])
        elif event == "socket.getaddrinfo":
            self._note("connected", str(arguments[0]))
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            self._note("connected", ":".join(map(str, arguments[1][:2])))
        elif event == "os.chdir":
            self._note("moved", os.fsdecode(arguments[0]))

    def _note_written(self, path: str) -> None:
        absolute = Path(path).absolute()
        if not set(CACHES) & set(absolute.parts) and str(absolute) != os.devnull:
            self._note("written", self._relative(str(absolute)))

    def _note(self, kind: str, thing: str) -> None:
        self._seen.setdefault(kind, {}).setdefault(thing, self._place())

    def _relative(self, path: str) -> str:
        return path[len(self._root) :] if path.startswith(self._root) else path

    def _place(self) -> str:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            name = frame.f_code.co_filename
            file = os.path.realpath(name) if Path(name).is_absolute() else ""
            if file.startswith(self._root) and "site-packages" not in file:
                return f"{self._relative(file)}:{frame.f_lineno}"
            frame = frame.f_back
        return ""


class _NoKerasForCodeLoader(importlib.abc.MetaPathFinder):
    """`tensorleap_load_model` imports Keras and TensorFlow to see whether an onnxruntime session is a Keras model.

    That takes seconds and is answered as well by their absence, so code-loader itself does not find them. The
    integration's own imports do, and once they have been imported code-loader finds them too.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """None where another finder is to look; raises for code-loader."""
        if name in ("keras", "tensorflow"):
            frame: FrameType | None = sys._getframe(1)
            while frame is not None and "importlib" in frame.f_code.co_filename:
                frame = frame.f_back
            if frame is not None and Path(frame.f_code.co_filename).name == "leapbinder_decorators.py":
                raise ModuleNotFoundError(f"No module named {name!r} for code-loader", name=name)


def _bind(root: str, entry_file: str) -> None:
    spec = importlib.util.spec_from_file_location("leap_entry_file", Path(root) / entry_file)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _leads_to_leaplab(entry: str) -> bool:
    """Whether Python would find leaplab, and all that lies beside it, in a folder that is not site-packages.

    An editable installation's .pth puts its sources on the path; the integration's own modules and those that it
    installed must not be mistaken for what lies there.
    """
    for folder in PACKAGE.parents:
        if folder.name in ("site-packages", "dist-packages"):
            return False
        if folder == Path(entry).resolve():
            return True
    return False


def _nothing(*arguments: Any, **named: Any) -> None:
    """In the place of what plots."""


def _run_integration_test(run: Callable[..., Any] | None, responses: dict[str, Any]) -> None:
    """Run it on the first sample of each state that has a ground truth, and any sample."""
    if run is None:
        return
    sys.meta_path.insert(0, _NoKerasForCodeLoader())
    for state, response in responses.items():
        if state != "unlabeled" and len(response.sample_ids):
            run(response.sample_ids[0], response)


def _sha256(ids: list[Any]) -> str:
    return hashlib.sha256("\n".join(map(str, ids)).encode()).hexdigest()


def _modules_of(root: Path, before: set[str]) -> list[str]:
    files = (getattr(sys.modules[name], "__file__", None) for name in set(sys.modules) - before)
    return sorted(filter(None, {_own_path(file, root) for file in files if file}))


def _told(error: BaseException, root: Path) -> dict[str, Any]:
    place = ""  # of the innermost line that is its own
    for frame in traceback.extract_tb(error.__traceback__):
        path = _own_path(frame.filename, root)
        if path:
            place = f"{path}:{frame.lineno}"
    if isinstance(error, SyntaxError) and error.filename:
        path = _own_path(error.filename, root)
        if path:
            place = f"{path}:{error.lineno}"
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    message = " ".join(str(error).split())
    return {"type": type(error).__name__, "message": message, "place": place, "missing": missing}


def _own_path(file: str, root: Path) -> str:
    """A path relative to the integration's root; empty for what is not its own."""
    path = Path(os.path.realpath(file))
    if root not in path.parents or "site-packages" in path.parts:
        return ""
    return path.relative_to(root).as_posix()


if __name__ == "__main__":
    main(*sys.argv[1:])
