import subprocess
from pathlib import Path

import packaging
import pytest
from packaging.markers import default_environment

from leaplab.bundle.installed import Distribution, Installed, installed_in
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


HERE = {name: str(value) for name, value in default_environment().items()}


class Environment:
    """An environment in which nothing is installed but what a test puts there."""

    def __init__(self, folder: Path, base: Path, interpreter_of) -> None:
        subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
        self.python = interpreter_of(folder / "bin" / "python")
        (self.site_packages,) = folder.glob("lib/python*/site-packages")

    def install(self, name, version="1.0", requires=(), files=(), **metadata):
        """A distribution, and `metadata` {file of the dist-info: content}; the text of `files` is empty or given."""
        info = self.site_packages / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        (info / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {line}" for line in requires), ""]))
        for file, content in dict(files if isinstance(files, dict) else dict.fromkeys(files, "")).items():
            (self.site_packages / file).parent.mkdir(parents=True, exist_ok=True)
            (self.site_packages / file).write_text(content)
        if "RECORD" not in metadata:
            metadata["RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info.name}/METADATA", "../bin/run.py"])
        for file, content in metadata.items():
            (info / file.replace("_txt", ".txt")).write_text(content)

    @property
    def installed(self):
        return installed_in(self.python)


@pytest.fixture
def environment(tmp_path, here, interpreter_of):
    return Environment(tmp_path / "environment", here.executable, interpreter_of)


def asked(path: Path, **markers: str) -> list[str]:
    found = read_requirements(path, HERE | markers).requirements
    return [str(requirement).replace(" @", "@") for requirement in found]


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


def test_the_closure_follows_requirements_markers_and_extras(environment, written):
    environment.install(
        "Top-Level", requires=["middle>=1", "extra_only; extra == 'fast'", "never; python_version < '3'"]
    )
    environment.install("middle", requires=["bottom[deep]", "top.level"])
    environment.install("bottom", requires=["deepest; extra == 'deep'", "unasked; extra == 'other'"])
    for name in ("extra-only", "deepest", "unasked", "alone"):
        environment.install(name)

    def names(text: str) -> frozenset[str]:
        return closure(read_requirements(written(text)).requirements, environment.installed).distributions

    assert names("top_level") == {"top-level", "middle", "bottom", "deepest"}
    assert names("top.level[fast]\n") == {"top-level", "middle", "bottom", "deepest", "extra-only"}
    assert names("") == frozenset()


def test_what_is_missing_or_of_another_version_is_told(environment, written):
    environment.install("here", version="2.5", requires=["gone", "odd==1"])
    environment.install("odd", version="1.0rc1")

    asked_for = read_requirements(written("here~=1.0\nnowhere\nodd>=0.9\n")).requirements
    found = closure(asked_for, environment.installed)

    assert found.unmet == ("gone, which here requires, is not installed here.",)
    assert found.missing == (
        "nowhere is required, and the environment that runs the integration lacks it; make one by `leaplab env PATH`,"
        " install it there, or correct the name.",
    )
    assert found.conflicts == (
        "here~=1.0 is required, and 2.5 is installed here;"
        " require what the integration was tried with, or install what it requires.",
    )
    assert found.lacking == ("nowhere",)
    assert found.differing == ("here~=1.0",)
    assert found.distributions == {"here", "odd"}


def test_markers_are_those_of_the_interpreter(written):
    path = written("numpy==1.24.4; python_version < '3.9'\nnumpy>=2; python_version >= '3.9'\n")

    assert asked(path, python_version="3.8") == ['numpy==1.24.4; python_version < "3.9"']
    assert asked(path, python_version="3.11") == ['numpy>=2; python_version >= "3.9"']
    assert len(read_requirements(path).requirements) == 2, "for no interpreter, every line"


def test_the_closure_takes_the_markers_of_the_interpreter(written):
    old = {**HERE, "python_version": "3.8"}
    named = ["top", "backport", "newer"]
    requires = {"top": ("backport; python_version < '3.9'", "newer; python_version >= '3.9'")}
    installed = Installed(
        Path("/"), (), old, {name: Distribution(name, "1.0", requires.get(name, ())) for name in named}
    )

    found = closure(read_requirements(written("top\n")).requirements, installed)

    assert found.distributions == {"top", "backport"}


def test_modules_know_their_distributions(environment):
    environment.install("opencv-python", files=["cv2/__init__.py", "cv2/data/one.py"])
    environment.install(
        "opencv_python_headless", files=["cv2/__init__.py", "other.py", "fast.cpython-99-none.so", "plain.abi3.so"]
    )
    environment.install("older", files=["older/__init__.py"], RECORD="", **{"top_level_txt": "older\n_older\n"})
    environment.install("editable", files=["__editable___finder.py"], top_level_txt="edited\n")

    assert distributions_of_modules(environment.installed) == {
        "cv2": ("opencv-python", "opencv-python-headless"),
        "other": ("opencv-python-headless",),
        "plain": ("opencv-python-headless",),
        "older": ("older",),
        "_older": ("older",),
        "__editable___finder": ("editable",),
        "edited": ("editable",),
    }


def test_a_namespace_is_nobodys_and_its_modules_are_their_distributions(environment):
    declaration = "# Copyright\n__import__('pkg_resources').declare_namespace(__name__)\n"
    environment.install("protobuf", files=["google/protobuf/__init__.py", "google/protobuf/deep/message.py"])
    environment.install("google-auth", files=["google/auth/__init__.py"], top_level_txt="google\nscripts\n")
    environment.install("google-cloud-storage", files=["google/cloud/storage/__init__.py", "google/cloud/version.py"])
    environment.install("old-style-a", files={"old/__init__.py": declaration, "old/a.py": ""})
    environment.install("old-style-b", files={"old/__init__.py": declaration, "old/b/__init__.py": ""})
    environment.install("whole", files={"whole/__init__.py": "x = 1\n" * 9 + declaration, "whole/part.py": ""})

    assert distributions_of_modules(environment.installed) == {
        "google.protobuf": ("protobuf",),
        "google.auth": ("google-auth",),
        "scripts": ("google-auth",),
        "google.cloud.storage": ("google-cloud-storage",),
        "google.cloud.version": ("google-cloud-storage",),
        "old.a": ("old-style-a",),
        "old.b": ("old-style-b",),
        "whole": ("whole",),
    }


def test_an_interpreter_tells_what_it_is(environment, here, monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere" / "other-1.0.dist-info"
    elsewhere.mkdir(parents=True)
    (elsewhere / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    monkeypatch.setenv("PYTHONPATH", str(elsewhere.parent))
    environment.install("Some.Name", version="2.0", requires=["numpy>=1", "other; extra == 'x'"])
    (environment.site_packages / "noisy.pth").write_text("import sys; print('noise')\n")
    (environment.site_packages / "~umpy-1.0.dist-info").mkdir()

    installed = environment.installed

    assert installed.prefix == environment.python.executable.parents[1]
    assert installed.site_packages == (environment.site_packages,)
    assert installed.distributions == {
        "some-name": Distribution("some-name", "2.0", ("numpy>=1", "other; extra == 'x'"), ())
    }
    assert installed.markers == HERE, "as packaging has them"
    assert installed_in(here).distributions["packaging"].version == packaging.__version__


def test_this_environment_holds_the_closure_of_code_loader(written, here):
    installed = installed_in(here)
    found = closure(read_requirements(written("code-loader\n"), installed.markers).requirements, installed)

    assert {"code-loader", "numpy", "pyyaml", "requests", "urllib3"} <= found.distributions
    assert found.missing == found.conflicts == ()
    assert "tensorflow" not in found.distributions
    assert "tensorflow" in installed.distributions
    modules = distributions_of_modules(installed)
    assert modules["cv2"] == ("opencv-python",)
    assert modules["google.protobuf"] == ("protobuf",)
    assert "google" not in modules
