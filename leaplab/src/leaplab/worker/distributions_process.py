"""What is installed in an interpreter: `python -E distributions_process.py` prints it as one JSON object in one line.

Imports nothing of leaplab and nothing that is installed. The object holds:

    python                  the version, "3.8.18"
    prefix                  of the environment
    site_packages           folders of installed distributions, as they stand on the search path
    markers                 the environment of PEP 508: python_version, sys_platform, ...
    distributions           name, version, requires (lines of PEP 508) and modules of each
"""

from __future__ import annotations

import sys

# Python puts a script's own folder first, where a module may be named like one of the standard library.
if sys.path[0] == __file__.rpartition("/")[0]:
    del sys.path[0]

import csv
import json
import os
import platform
import re
from importlib import machinery, metadata
from pathlib import Path
from typing import Any, Iterable, Iterator

SUFFIXES = tuple(sorted([*machinery.SOURCE_SUFFIXES, *machinery.EXTENSION_SUFFIXES], key=len, reverse=True))
DECLARES_NAMESPACE = re.compile(r"\b(extend_path|declare_namespace)\(")
DECLARATION_LINES = 8
"""The most lines of code of an __init__.py that does nothing but declare a namespace, as before PEP 420."""


def main() -> None:
    """Print what is installed here."""
    found = {
        "python": platform.python_version(),
        "prefix": sys.prefix,
        "site_packages": [
            entry
            for entry in sys.path
            if Path(entry).name in ("site-packages", "dist-packages") and Path(entry).is_dir()
        ],
        "markers": _markers(),
        "distributions": list(_distributions()),
    }
    print(json.dumps(found))


def _markers() -> dict[str, str]:
    version = sys.implementation.version
    implementation = f"{version.major}.{version.minor}.{version.micro}"
    if version.releaselevel != "final":
        implementation += version.releaselevel[0] + str(version.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def _distributions() -> Iterator[dict[str, Any]]:
    """Each once: where two of a name are on the search path, Python takes the first."""
    seen: set[str] = set()
    folders: dict[str, _Folder] = {}
    for distribution in metadata.distributions():
        given = distribution.metadata["Name"]
        name = re.sub(r"[-_.]+", "-", given or "").lower()
        if not name or name in seen:  # what pip left behind of a failed removal has no name
            continue
        seen.add(name)
        base = str(distribution.locate_file(""))
        yield {
            "name": name,
            "version": distribution.version or "",
            "requires": list(distribution.requires or []),
            "modules": sorted(_modules(distribution, folders.setdefault(base, _Folder(base)))),
        }


class _Folder:
    """A folder of installed distributions."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._whole: dict[str, bool] = {}

    def is_whole(self, package: str) -> bool:
        """Whether the package is one distribution's affair, and no namespace that several may put modules into."""
        if package not in self._whole:
            self._whole[package] = self._has_init(self._path / package)
        return self._whole[package]

    @staticmethod
    def _has_init(folder: Path) -> bool:
        init = folder / "__init__.py"
        try:
            lines = init.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return any((folder / f"__init__{suffix}").exists() for suffix in SUFFIXES)
        code = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        return len(code) > DECLARATION_LINES or not DECLARES_NAMESPACE.search("\n".join(code))


def _modules(distribution: metadata.Distribution, folder: _Folder) -> set[str]:
    """The modules that it brings, each as far down as no other distribution has a share: `cv2`, `google.protobuf`."""
    found = set(_of_files(_files(distribution), folder))
    # An editable installation's own files are no more than what leads to it.
    for name in (distribution.read_text("top_level.txt") or "").split():
        if not any(module.split(".")[0] == name for module in found):
            found.add(name)
    return found


def _files(distribution: metadata.Distribution) -> Iterator[str]:
    record = distribution.read_text("RECORD")
    if record:
        for row in csv.reader(record.splitlines()):
            if row:
                yield row[0]
    else:
        # Installed without a wheel: the paths begin in the folder of the metadata itself.
        for line in (distribution.read_text("installed-files.txt") or "").splitlines():
            yield line[3:] if line.startswith("../") else line


def _of_files(files: Iterable[str], folder: _Folder) -> Iterator[str]:
    for file in files:
        *packages, name = file.split("/")
        suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
        if suffix is None or not all(package.isidentifier() for package in packages):
            continue
        module = name[: -len(suffix)]
        for depth in range(1, len(packages) + 1):
            if folder.is_whole("/".join(packages[:depth])):
                yield ".".join(packages[:depth])
                break
        else:
            if module.isidentifier() and module != "__init__":
                yield ".".join([*packages, module])


if __name__ == "__main__":
    main()
