"""The binder in a clean process as an IDE runs it: `python -P binding_process.py ROOT ENTRY_FILE REPORT`.

Binds the entry file under an audit hook, then runs its integration test on the first sample of each state, and writes
what it saw as JSON. It imports nothing of leaplab, so that what it sees is the integration's own doing.
"""

import hashlib
import importlib.abc
import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

FRAMEWORKS = frozenset({"tensorflow", "keras", "torch", "jax"})
WRITING = frozenset("wax+")
CACHES = ("__pycache__", ".cache", ".config", ".matplotlib")
"""Folders that libraries write to by themselves."""
PRINTED_KEPT = 2000


def main(root: str, entry_file: str, report_path: str) -> None:
    """Bind, run the integration test, and write the report after each stage."""
    report: dict[str, Any] = {"stage": "import code_loader"}
    folder = Path(os.path.realpath(root))
    sys.path.insert(0, root)
    os.chdir(root)

    def save(stage: str) -> None:
        report["stage"] = stage
        Path(report_path).write_text(json.dumps(report), encoding="utf-8")

    save("start")
    import code_loader  # noqa: F401
    from code_loader.inner_leap_binder import leapbinder_decorators as decorators

    sys.excepthook = sys.__excepthook__  # code-loader's own prints its table
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
    report |= {"seconds": time.perf_counter() - started, **watch.report()}
    from code_loader.inner_leap_binder import global_leap_binder

    save("preprocess")
    try:
        responses = global_leap_binder.get_preprocess_result()
        report["ids"] = {
            state.name: [len(response.flat_sample_ids), _sha256(response.flat_sample_ids)]
            for state, response in responses.items()
        }
    except BaseException as error:
        report["preprocess_error"] = _told(error, folder)
    else:
        save("integration test")
        try:
            _run_integration_test(decorators, global_leap_binder.integration_test_func, responses)
        except BaseException as error:
            report["test_error"] = _told(error, folder)
    report["modules"] = _modules_of(folder, before)
    report["defaults"] = [
        {"parameter": name, "default": str(found["default_value"]), "functions": sorted(found["funcs"])}
        for name, found in decorators._get_param_default_warnings().items()
    ]
    report["warnings"] = [warning["message"] for warning in decorators._get_stored_warnings()]
    save("done")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # whatever threads the integration has started


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
            self._note("written", str(absolute).removeprefix(self._root))

    def _note(self, kind: str, thing: str) -> None:
        self._seen.setdefault(kind, {}).setdefault(thing, self._place())

    def _place(self) -> str:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            name = frame.f_code.co_filename
            file = os.path.realpath(name) if Path(name).is_absolute() else ""
            if file.startswith(self._root) and "site-packages" not in file:
                return f"{file.removeprefix(self._root)}:{frame.f_lineno}"
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


def _run_integration_test(decorators: Any, undecorated: Callable[..., Any] | None, responses: dict[Any, Any]) -> None:
    """Run it on the first sample of each state that has a ground truth."""
    if undecorated is None:
        return
    sys.meta_path.insert(0, _NoKerasForCodeLoader())
    # The decorated function, which runs the test and then reads its wiring, is made anew from the undecorated one.
    run: Callable[..., Any] = decorators.tensorleap_integration_test()(undecorated)
    for state, response in responses.items():
        if state.name != "unlabeled":
            run(response.sample_ids[0], response)


def _sha256(ids: list[Any]) -> str:
    return hashlib.sha256("\n".join(map(str, ids)).encode()).hexdigest()


def _modules_of(root: Path, before: set[str]) -> list[str]:
    files = (getattr(sys.modules[name], "__file__", None) for name in set(sys.modules) - before)
    paths = {Path(os.path.realpath(file)) for file in files if file}
    own = (path for path in paths if path.is_relative_to(root) and "site-packages" not in path.parts)
    return sorted(path.relative_to(root).as_posix() for path in own)


def _told(error: BaseException, root: Path) -> dict[str, Any]:
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(os.path.realpath(frame.filename))
        if path.is_relative_to(root) and "site-packages" not in path.parts:
            place = f"{path.relative_to(root).as_posix()}:{frame.lineno}"
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(root):
        place = f"{Path(error.filename).relative_to(root).as_posix()}:{error.lineno}"
    return {"type": type(error).__name__, "message": " ".join(str(error).split()), "place": place}


if __name__ == "__main__":
    main(*sys.argv[1:])
