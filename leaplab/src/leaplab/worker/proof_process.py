"""The process in which an unpacked bundle is bound: `python -I -S -B proof_process.py ORDER`.

Imports nothing of leaplab, and nothing that is installed before its own finder stands in the way. ORDER is a JSON file:

    bundle, entry_file      the unpacked folder, absolute, and the file to bind
    original                the integration's root, of which nothing may be used
    site_packages           folders of installed distributions
    prefix                  of the Python environment
    refused                 module -> distributions that bring it, none of which is required: cv2, google.protobuf
    allowed                 canonical names of the required distributions; null for all
    events                  the file to write to: a JSON object a line, as things happen, so that a process that
                            hangs or dies has told what it found until then
"""

# Paths are strings here: the audit hook hears of every file that is opened.
# ruff: noqa: PTH100, PTH110, PTH112, PTH117, PTH118, PTH120, PTH123, PTH208
from __future__ import annotations

import inspect
import json
import os
import re
import site
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import FrameType, ModuleType
from typing import Any, Iterable, Iterator

WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


class Watch:
    """What the bundle's code does that would end differently on the platform."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.bundle = os.path.realpath(order["bundle"]) + os.sep
        self.original = os.path.realpath(order["original"]) + os.sep
        self.installed = tuple(
            os.path.realpath(folder) + os.sep for folder in (order["prefix"], *order["site_packages"])
        )
        # A data root may lie in the repository; it is mounted on the platform, and no part of the bundle.
        values = (os.path.realpath(value) for value in os.environ.values() if os.path.isabs(value))
        self.mounted = tuple(
            value + os.sep for value in values if value.startswith(self.original) and not value.startswith(self.bundle)
        )
        self.events = open(order["events"], "w", encoding="utf-8")  # noqa: SIM115 - open until the process ends
        self.told: set[str] = set()
        self.busy = False

    def tell(self, event: str, **facts: Any) -> None:
        """Write an event, once."""
        line = json.dumps({"event": event, **facts})
        if line not in self.told:
            self.told.add(line)
            self.events.write(line + "\n")
            self.events.flush()

    def of_original(self, path: str) -> bool:
        """Whether a path belongs to the original repository, and to nothing that is installed or mounted."""
        real = os.path.realpath(path) + os.sep
        return real.startswith(self.original) and not real.startswith((*self.installed, *self.mounted))

    def place(self, frame: FrameType | None) -> dict[str, Any]:
        """The innermost line of the bundle's code that led here."""
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith(self.bundle):
                return {"file": file[len(self.bundle) :].replace(os.sep, "/"), "line": frame.f_lineno}
            frame = frame.f_back
        return {"file": None, "line": None}

    def importer(self, frame: FrameType | None) -> dict[str, Any]:
        """The line that imports, where it is the bundle's own; one that only asks for a spec imports nothing."""
        while frame is not None:
            name = str(frame.f_globals.get("__name__"))
            if name == "importlib.util":
                return self.place(None)
            if not name.startswith(("importlib", "__main__")):
                break
            frame = frame.f_back
        own = frame is not None and frame.f_code.co_filename.startswith(self.bundle)
        return self.place(frame if own else None)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Notes files that are looked for where the bundle does not have them, or where only the original has."""
        if self.busy or event not in ("open", "os.listdir", "os.scandir") or not arguments:
            return
        path = arguments[0]
        if not isinstance(path, (str, bytes, os.PathLike)) or (event == "open" and _writes(arguments)):
            return
        self.busy = True  # nothing that this does is to be noted
        try:
            self._note_opened(os.fsdecode(path))
        finally:
            self.busy = False

    def _note_opened(self, path: str) -> None:
        absolute = os.path.abspath(path)
        if "__pycache__" in absolute:
            return
        if absolute.startswith(self.bundle):
            relative = absolute[len(self.bundle) :]
            if relative and not os.path.exists(absolute) and os.path.exists(self.original + relative):
                self.tell("missing file", path=relative.replace(os.sep, "/"), **self.place(sys._getframe(2)))
        elif self.of_original(absolute) and not _is_of_import(sys._getframe(2)):
            place = self.place(sys._getframe(2))
            if place["file"] is not None:
                self.tell("original file", path=absolute[len(self.original) :].replace(os.sep, "/"), **place)


class Finder:
    """Finds modules as Python does, but for those that the platform would not have."""

    def __init__(self, watch: Watch, order: dict[str, Any]) -> None:
        self.watch = watch
        standard = _standard_modules()
        self.refused: dict[str, list[str]] = {
            name: distributions
            for name, distributions in order["refused"].items()
            if name.partition(".")[0] not in standard
        }
        self.allowed = None if order["allowed"] is None else frozenset(order["allowed"])

    def find_spec(
        self, name: str, path: Iterable[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None, as for any module that is not there, where the platform would not find it."""
        spec = PathFinder.find_spec(name, None if path is None else list(path), target)
        places = (
            []
            if spec is None
            else [place for place in (spec.origin, *(spec.submodule_search_locations or ())) if place]
        )
        own = any(os.path.realpath(place).startswith(self.watch.bundle) for place in places)
        if own:
            self._note_bare(name, spec)
            return spec
        if spec is None or any(self.watch.of_original(place) for place in places):
            self._note_absent(name)
            return None
        # What lies in a package that is refused is never asked for.
        if name in self.refused:
            self.watch.tell("refused", name=name, distributions=self.refused[name], **self._importer())
            return None
        return spec

    def find_distributions(self, *arguments: Any, **named: Any) -> Iterator[Any]:
        """The required ones among those that are installed."""
        for distribution in PathFinder.find_distributions(*arguments, **named):
            name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "").lower()
            if self.allowed is None or name in self.allowed:
                yield distribution

    def invalidate_caches(self) -> None:
        """As Python's own finder does it."""
        PathFinder.invalidate_caches()

    def _importer(self) -> dict[str, Any]:
        return self.watch.importer(sys._getframe(2))

    def _note_absent(self, name: str) -> None:
        original, frame = self._in_original(name), sys._getframe(2)
        # Whoever imports a module of the original does so for the bundle; a library's own tries are its own affair.
        importer = self.watch.importer(frame) if original is None else self.watch.place(frame)
        if importer["file"] is not None:
            self.watch.tell("absent", name=name, original=original, **importer)

    def _note_bare(self, name: str, spec: ModuleSpec | None) -> None:
        """A package that is there without the __init__.py that the original has."""
        if spec is not None and spec.origin is None and spec.submodule_search_locations is not None:
            original = self._in_original(name)
            if original is not None and original.endswith("__init__.py"):
                self.watch.tell("absent", name=name, original=original, **self.watch.place(sys._getframe(2)))

    def _in_original(self, name: str) -> str | None:
        """The original's file of that module, relative to its root."""
        base = self.watch.original + name.replace(".", os.sep)
        for candidate in (os.path.join(base, "__init__.py"), base + ".py", base):
            if os.path.exists(candidate) and self.watch.of_original(candidate):
                return candidate[len(self.watch.original) :].replace(os.sep, "/")
        return None


class CodeLoader:
    """As far as a proof needs it. Written for 1.0.171 to 1.0.215: what a version lacks is empty."""

    def __init__(self, bundle: str, entry_file: str) -> None:
        excepthook = sys.excepthook
        from code_loader import LeapLoader

        sys.excepthook = excepthook  # code-loader's own would print its table
        self._loader = LeapLoader(bundle, entry_file)

    def verdict(self) -> dict[str, Any]:
        """What it says of the bundle; it binds it first."""
        verdict = self._loader.check_dataset()
        return {
            "valid": bool(verdict.is_valid),
            "error": getattr(verdict, "general_error", None) or "",
            "failed": [
                {
                    "name": payload.name,
                    "message": "\n".join(str(text) for text in (getattr(payload, "display", None) or {}).values()),
                }
                for payload in getattr(verdict, "payloads", None) or []
                if not payload.is_passed
            ],
        }


def main(order_file: str) -> None:
    """Bind the bundle, and tell what code-loader makes of it."""
    with open(order_file, encoding="utf-8") as file:
        order = json.load(file)
    watch = Watch(order)
    sys.path[:] = [order["bundle"], *sys.path, *order["site_packages"]]
    sys.prefix = sys.exec_prefix = order["prefix"]
    sys.argv = [os.path.join(order["bundle"], order["entry_file"])]
    finder = Finder(watch, order)
    sys.meta_path[:] = [finder if found is PathFinder else found for found in sys.meta_path]
    sys.addaudithook(watch.audit)
    site.setquit()  # -S leaves exit() out
    loader = CodeLoader(order["bundle"], order["entry_file"])
    watch.tell("begun")
    try:
        verdict = loader.verdict()
    except SystemExit as error:
        watch.tell("exit", code=repr(error.code))
        return
    watch.tell("verdict", **verdict)


def _standard_modules() -> set[str]:
    """Python's own modules; before 3.10 there is no list of them."""
    if sys.version_info >= (3, 10):
        return set(sys.stdlib_module_names)
    folder = os.path.dirname(os.__file__)
    folders = [folder, os.path.join(folder, "lib-dynload")]
    entries = [entry for folder in folders if os.path.isdir(folder) for entry in os.listdir(folder)]
    return {inspect.getmodulename(entry) or entry for entry in entries} | set(sys.builtin_module_names)


def _is_of_import(frame: FrameType) -> bool:
    """Whether Python itself looks for modules, which the finder hears of."""
    return str(frame.f_globals.get("__name__")).startswith("importlib.")


def _writes(arguments: tuple[Any, ...]) -> bool:
    mode, flags = (*arguments, None, None)[1:3]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & WRITES)


if __name__ == "__main__":
    main(sys.argv[1])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # whatever threads the bundle has started
