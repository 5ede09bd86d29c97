"""Folders that ask for an interpreter, and what stands in for one."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own cache is left alone."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LEAPLAB_CACHE", str(folder))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "integration"
    folder.mkdir()
    return folder


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Path]:
    """`script(text)`: an executable shell script."""

    def write(text: str, name: str = "python") -> Path:
        path = tmp_path / "scripts" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def environment() -> Callable[..., Path]:
    """`environment(folder, python, has)`: an environment, in which distributions of the names `has` seem installed."""

    def make(folder: Path, python: Path, has: tuple[str, ...] = ("code-loader", "numpy")) -> Path:
        subprocess.run([python, "-I", "-m", "venv", "--without-pip", folder], check=True)
        (packages,) = folder.glob("lib/python*/site-packages")
        for name in has:
            info = packages / f"{name.replace('-', '_')}-1.0.dist-info"
            info.mkdir(exist_ok=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        return folder / "bin" / "python"

    return make
