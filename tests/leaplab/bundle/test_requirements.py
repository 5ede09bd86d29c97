import importlib.metadata
import sys
from pathlib import Path

import pytest

from leaplab.bundle.requirements import closure, distributions_of_modules, read_requirements
from leaplab.errors import LeaplabError


@pytest.fixture
def written(tmp_path):
    def write(content, name="requirements.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    return write


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Distributions that stand alone on the search path: `installed(name, version, requires, modules)`."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])

    def install(name, version="1.0", requires=(), modules=()):
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        (info / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {line}" for line in requires), ""]))
        (info / "RECORD").write_text("".join(f"{module}.py,,\n" for module in modules))

    return install


def asked(path: Path) -> list[str]:
    return [str(requirement).replace(" @", "@") for requirement in read_requirements(path).requirements]


def test_pips_format_is_read(written):
    path = written(
        "\ufeff# run time only\n"
        "numpy~=2.4.6  # arrays\n"
        "\n"
        "--index-url https://example.org/simple\n"
        "-c constraints.txt\n"
        "opencv-python>=4,<6 ; python_version >= '3.8'\n"
        "never ; python_version < '3'\n"
        "package[extra,other]==1.0 --hash=sha256:00 \\\n"
        "    --hash=sha256:11\n"
        "from_url @ https://example.org/a.zip#sha1=22\n"
        "split \\\n"
        "  >=3"
    )

    assert asked(path) == [
        "numpy~=2.4.6",
        'opencv-python<6,>=4; python_version >= "3.8"',
        "package[extra,other]==1.0",
        "from_url@ https://example.org/a.zip#sha1=22",
        "split>=3",
    ]
    assert read_requirements(path).problems == ()


def test_other_files_are_followed_and_missing_ones_told(written):
    written("torch\n-r ../requirements.txt\n", "more/base.txt")
    path = written("numpy\n-r more/base.txt\n--requirement=gone.txt\n")

    assert asked(path) == ["numpy", "torch"]
    assert read_requirements(path).problems == (
        "base.txt, line 2: ../requirements.txt is read in a circle; take one -r out.",
        "requirements.txt, line 3: gone.txt is not there; add it to include, or list its lines here.",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-e .", "'-e .' installs a folder, which the platform does not have"),
        ("./wheels/a-1.0-py3-none-any.whl", "is a file, which the platform does not have"),
        ("../lib", "is a file, which the platform does not have"),
        ("lib @ file:///tmp/lib", "is a file, which the platform does not have"),
        ("numpy = 1.0", "'numpy = 1.0' is no requirement"),
        ("numpy==", "is no requirement"),
        ("<<<<<<< HEAD", "is no requirement"),
    ],
)
def test_lines_that_the_platform_cannot_install_are_told(written, line, told):
    (problem,) = read_requirements(written(f"pyyaml\n{line}\n")).problems

    assert problem.startswith("requirements.txt, line 2: ")
    assert told in problem


def test_a_file_that_cannot_be_read_is_told(written, tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(LeaplabError, match="latin.txt cannot be read: it is not UTF-8"):
        read_requirements(tmp_path / "latin.txt")
    with pytest.raises(LeaplabError, match="gone.txt cannot be read: No such file"):
        read_requirements(tmp_path / "gone.txt")
    with pytest.raises(LeaplabError, match="pyproject.toml cannot be read as TOML"):
        read_requirements(written("[project\n", "pyproject.toml"))


def test_a_pyprojects_dependencies_are_read(written):
    path = written(
        """
        [project]
        dependencies = ["numpy>=2,<3", "never; python_version < '3'"]
        [project.optional-dependencies]
        ray = ["ray"]
        """,
        "pyproject.toml",
    )

    assert asked(path) == ["numpy<3,>=2"]
    assert asked(written("[tool.black]\n", "pyproject.toml")) == []


@pytest.mark.parametrize(
    ("written_as", "means"),
    [
        ('"^1.2.3"', "<2,>=1.2.3"),
        ('"^0.2.3"', "<0.3,>=0.2.3"),
        ('"^0.0.3"', "<0.0.4,>=0.0.3"),
        ('"^1"', "<2,>=1"),
        ('"^0.0"', "<0.1,>=0.0"),
        ('"~1.2.3"', "<1.3,>=1.2.3"),
        ('"~1"', "<2,>=1"),
        ('"~=1.2"', "~=1.2"),
        ('"1.2.3"', "==1.2.3"),
        ('"1.2.*"', "==1.2.*"),
        ('"*"', ""),
        ('">=1.0,<1.5"', "<1.5,>=1.0"),
        ('"^1.0 || ^2.0"', ""),
        ('{version = "^1.2", extras = ["fast"]}', "[fast]<2,>=1.2"),
        ('{version = ">=1", markers = "python_version >= \'3.8\'"}', '>=1; python_version >= "3.8"'),
        ('{git = "https://example.org/x.git"}', "@ git+https://example.org/x.git"),
        (
            '[{version = "<2", python = "<3.8"}, {version = ">=2", python = ">=3.8"}]',
            '>=2; python_full_version >= "3.8"',
        ),
    ],
)
def test_poetrys_dependencies_are_read(written, written_as, means):
    path = written(f'[tool.poetry.dependencies]\npython = ">=3.8"\npackage = {written_as}\n', "pyproject.toml")

    assert asked(path) == [f"package{means}"]


def test_poetrys_paths_and_optional_dependencies(written):
    path = written(
        '[project]\ndependencies = ["numpy>=2"]\n'
        '[tool.poetry.dependencies]\nNumPy = {source = "other"}\nray = {version = "*", optional = true}\n'
        'lib = {path = "../lib", develop = true}\n',
        "pyproject.toml",
    )

    assert asked(path) == ["numpy>=2"]
    (problem,) = read_requirements(path).problems
    assert problem.startswith("pyproject.toml, tool.poetry.dependencies: 'lib @ file:../lib' is a file")


def test_the_closure_follows_requirements_markers_and_extras(installed, written):
    installed("Top-Level", requires=["middle>=1", "extra_only; extra == 'fast'", "never; python_version < '3'"])
    installed("middle", requires=["bottom[deep]", "top.level"])
    installed("bottom", requires=["deepest; extra == 'deep'", "unasked; extra == 'other'"])
    for name in ("extra-only", "deepest", "unasked", "alone"):
        installed(name)

    def names(text: str) -> frozenset[str]:
        return closure(read_requirements(written(text)).requirements).distributions

    assert names("top_level") == {"top-level", "middle", "bottom", "deepest"}
    assert names("top.level[fast]\n") == {"top-level", "middle", "bottom", "deepest", "extra-only"}
    assert names("") == frozenset()


def test_what_is_missing_or_of_another_version_is_told(installed, written):
    installed("here", version="2.5", requires=["gone", "odd==1"])
    installed("odd", version="1.0rc1")

    found = closure(read_requirements(written("here~=1.0\nnowhere\nodd>=0.9\n")).requirements)

    assert found.unmet == ("gone, which here requires, is not installed here.",)
    assert found.missing == ("nowhere is required and not installed here; install it, or correct the name.",)
    assert found.conflicts == (
        "here~=1.0 is required, and 2.5 is installed here;"
        " require what the integration was tried with, or install what it requires.",
    )
    assert found.distributions == {"here", "odd"}


def test_modules_know_their_distributions(installed):
    installed("opencv-python", modules=["cv2"])
    installed("opencv_python_headless", modules=["cv2", "other"])

    assert distributions_of_modules() == {
        "cv2": ("opencv-python", "opencv-python-headless"),
        "other": ("opencv-python-headless",),
    }


def test_this_environment_holds_the_closure_of_code_loader(written):
    found = closure(read_requirements(written("code-loader\n")).requirements)

    assert {"code-loader", "numpy", "pyyaml", "requests", "urllib3"} <= found.distributions
    assert found.missing == found.conflicts == ()
    assert "tensorflow" not in found.distributions
    assert importlib.metadata.version("tensorflow")
    assert distributions_of_modules()["cv2"] == ("opencv-python",)
