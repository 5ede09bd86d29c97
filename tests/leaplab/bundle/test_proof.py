import shutil
import time
from dataclasses import replace as replaced
from importlib.metadata import version
from pathlib import Path

import pytest

from leaplab.bundle.listing import list_bundle
from leaplab.bundle.modules import is_left_out
from leaplab.bundle.proof import Proof, clean_environment, prove
from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import read_leap_yaml
from leaplab.project.locate import find_project


def prepend(path: Path, text: str) -> None:
    path.write_text(text + path.read_text(encoding="utf-8"), encoding="utf-8")


def replace(path: Path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1
    path.write_text(content.replace(old, new), encoding="utf-8")


def told(proof: Proof) -> list[tuple[str, str, str]]:
    return [(problem.kind, problem.place, problem.message) for problem in proof.problems]


def test_a_bundle_that_runs_on_its_own_has_no_problem(root, proven, monkeypatch, repository):
    # Whatever it does to its process, and wherever its data lies.
    data = root / "data"
    data.mkdir()
    (data / "samples.txt").write_text("1 2 3\n")
    monkeypatch.setenv("INTEGRATION_DATA", str(data))
    monkeypatch.setenv("PYTHONPATH", str(repository))
    prepend(
        root / "leap_binder.py",
        f"""\
import importlib.metadata, importlib.util, os, sys
assert os.environ["IS_TENSORLEAP_PLATFORM"] == "true" and os.environ["TL_DISABLE_ANALYTICS"] == "true"
assert open(os.path.join(os.environ["INTEGRATION_DATA"], "samples.txt")).read() == "1 2 3\\n"
assert importlib.util.find_spec("cv2") is None, "not required"
assert importlib.util.find_spec("leaplab") is None, "neither required nor the bundle's"
assert {{found.metadata["Name"].lower() for found in importlib.metadata.distributions()}} >= {{"numpy", "code-loader"}}
try:
    importlib.metadata.version("opencv-python")
except importlib.metadata.PackageNotFoundError:
    pass
else:
    raise AssertionError("what is not required is installed nowhere")
assert not any({str(repository)!r} == path for path in sys.path)
try:
    import cv2
except ImportError:
    cv2 = None
try:
    import nowhere_at_all
except ImportError:
    pass
print("x" * 5_000_000, flush=True)
os.write(1, b"y" * 100_000 + b"the end")
os.chdir("/")
sys.stderr.write("warned")
import threading
threading.Thread(target=threading.Event().wait).start()
""",
    )

    proof = proven(root, time_limit=60)

    assert told(proof) == []
    assert proof.ok
    (note,) = proof.notes
    assert "cv2 is imported by leap_binder.py line 15 and comes from opencv-python" in note
    assert note.endswith("The integration does without it.")
    assert "the end" in proof.output
    assert len(proof.output) <= 20_000
    assert 0 < proof.seconds < 60


def test_a_module_that_is_not_in_the_bundle_is_named(root, proven):
    replace(root / "leap.yaml", "- parts/**\n", "- parts/__init__.py\n")

    (problem,) = told(proven(root))

    assert problem == (
        "module",
        "leap_binder.py:11",
        "parts/encoders.py is imported by leap_binder.py line 11 but is not in the bundle: add it to include.",
    )


def test_a_package_that_is_not_in_the_bundle_is_named(root, proven):
    replace(root / "leap.yaml", "- parts/**\n", "")

    (problem,) = told(proven(root))

    assert problem[1:] == (
        "leap_binder.py:11",
        "parts/__init__.py is imported by leap_binder.py line 11 but is not in the bundle:"
        " add 'parts/**/*.py' to include.",
    )


def test_a_module_that_is_excluded_is_named_with_the_pattern(root, proven):
    with (root / "leap.yaml").open("a") as file:
        file.write("exclude: ['**/enc*']\n")
    replace(
        root / "leap_binder.py",
        "from parts import encoders\n",
        "import importlib\nencoders = importlib.import_module('parts.encoders')\n",
    )

    (problem,) = told(proven(root))

    assert problem[2].startswith("parts/encoders.py is imported by leap_binder.py line 12 but is not in the bundle")
    assert problem[2].endswith("take '**/enc*' out of exclude.")


def test_a_module_is_not_taken_from_the_original_folder(root, proven):
    replace(root / "leap.yaml", "- parts/**\n", "")
    prepend(root / "leap_binder.py", f"import sys\nsys.path.append({str(root)!r})\n")

    (problem,) = told(proven(root))

    assert "parts/__init__.py is imported by leap_binder.py line 13 but is not in the bundle" in problem[2]


def test_a_file_that_is_not_in_the_bundle_is_named(root, proven):
    replace(root / "leap.yaml", "- settings.yaml\n", "")

    missing, check = told(proven(root))

    assert missing == (
        "file",
        "leap_binder.py:13",
        "settings.yaml is opened by leap_binder.py line 13 but is not in the bundle: add it to include.",
    )
    assert check[:2] == ("check", "leap_binder.py:13")
    assert "The integration cannot be bound: FileNotFoundError" in check[2]
    assert check[2].endswith("(leap_binder.py line 13)")


def test_a_file_whose_absence_the_integration_gets_over_is_named_too(root, proven):
    (root / "labels.txt").write_text("left right\n")
    (root / "data").mkdir()
    (root / "data" / "all.npz").touch()
    prepend(
        root / "parts" / "encoders.py",
        "import os\nHERE = os.path.dirname(__file__)\ntry:\n    open(HERE + '/../labels.txt').close()\n"
        "except OSError:\n    pass\ntry:\n    os.listdir('nowhere')\nexcept OSError:\n    pass\n"
        "from pathlib import Path\ntry:\n    list(Path(HERE, '..', 'data').iterdir())\n"
        "except OSError:\n    try:\n        np.load(Path(HERE).parent / 'data' / 'all.npz')\n"
        "    except OSError:\n        pass\n",
    )
    replace(root / "parts" / "encoders.py", "import os\n", "import os\nimport numpy as np\n")

    assert [problem[1:] for problem in told(proven(root))] == [
        (
            "parts/encoders.py:5",
            "labels.txt is opened by parts/encoders.py line 5 but is not in the bundle: add it to include.",
        ),
        (
            "parts/encoders.py:14",
            "data is opened by parts/encoders.py line 14 but is not in the bundle: add 'data/**' to include.",
        ),
        (
            "parts/encoders.py:17",
            "data/all.npz is opened by parts/encoders.py line 17 but is not in the bundle:"
            " read it from the data root, which the platform mounts, or add it to include.",
        ),
    ]


def test_a_file_of_the_original_folder_is_named(root, proven):
    prepend(root / "parts" / "encoders.py", f"LABELS = open({str(root / 'leap.yaml')!r}).read()\n")

    (problem,) = told(proven(root))

    assert problem[:2] == ("file", "parts/encoders.py:1")
    assert f"{root / 'leap.yaml'} is opened by parts/encoders.py line 1, a path that the platform" in problem[2]


def test_a_package_that_is_not_required_is_named_with_its_distribution(root, proven):
    prepend(root / "parts" / "encoders.py", "\nimport cv2\n")

    (problem,) = told(proven(root))

    assert problem == (
        "requirement",
        "parts/encoders.py:2",
        "cv2 is imported by parts/encoders.py line 2 and comes from opencv-python, which requirements.txt does not"
        f" require: add opencv-python~={version('opencv-python')}.",
    )


def test_a_package_that_only_a_handler_imports_is_named(root, proven):
    replace(root / "parts" / "encoders.py", "    return np.full", "    import sklearn.metrics\n    return np.full")

    (problem,) = told(proven(root))

    assert problem[:2] == ("requirement", "parts/encoders.py:5")
    assert "sklearn is imported by parts/encoders.py line 5 and comes from scikit-learn" in problem[2]


def test_a_module_that_is_nowhere_is_named(root, proven):
    prepend(root / "leap_binder.py", "import nowhere_at_all.deeper\n")

    (problem,) = told(proven(root))

    assert problem[:2] == ("requirement", "leap_binder.py:1")
    assert "nowhere_at_all is imported by leap_binder.py line 1 and is neither in the bundle" in problem[2]


def test_what_the_platform_finds_wrong_is_told_with_its_place(root, proven):
    replace(
        root / "parts" / "encoders.py",
        "    return np.full",
        "    raise ValueError('no such sample')\n    return np.full",
    )

    # code-loader goes on to say that it cannot tell the input's shape, which is no second problem.
    assert told(proven(root)) == [
        ("check", "parts/encoders.py:5", "'image' fails: ValueError('no such sample') (parts/encoders.py line 5)")
    ]


def test_what_the_platform_finds_wrong_without_a_place_is_told(root, proven):
    prepend(
        root / "leap_binder.py",
        "from code_loader import leap_binder\n"
        "leap_binder.leap_analysis_configuration.domain_gap_metadata = ['weather']\n",
    )

    (problem,) = told(proven(root))

    assert problem[:2] == ("check", "")
    assert "Domain gap metadata 'weather' is not found" in problem[2]


def test_data_that_is_missing_is_told(root, proven):
    replace(
        root / "leap_binder.py",
        "    states = ",
        "    if not Path('/nowhere').exists():\n"
        "        raise FileNotFoundError('/nowhere/data is missing: mount it.')\n"
        "    states = ",
    )

    (problem,) = told(proven(root))

    assert problem[:2] == ("check", "leap_binder.py:19")
    assert "FileNotFoundError: /nowhere/data is missing: mount it. (leap_binder.py line 19)" in problem[2]


def test_an_integration_without_an_integration_test_is_bound_as_older_ones_are(root, proven, monkeypatch):
    monkeypatch.setenv("IS_TENSORLEAP_PLATFORM", "true")
    content = (root / "leap_binder.py").read_text()
    (root / "leap_binder.py").write_text(
        content[: content.index("@tensorleap_integration_test")]
        + '# @tensorleap_integration_test()\nimport os\nassert "IS_TENSORLEAP_PLATFORM" not in os.environ\n'
    )

    proof = proven(root)

    assert told(proof) == []
    (note,) = proof.notes
    assert note.startswith("No integration test is in the bundle, which the platform requires today")


def test_an_integration_test_in_another_file_is_found(root, proven):
    content = (root / "leap_binder.py").read_text()
    begin = content.index("@tensorleap_integration_test")
    (root / "parts" / "tested.py").write_text(
        "from code_loader.inner_leap_binder import leapbinder_decorators as decorators\n\n\n"
        "def declare(image, half, load_model, distance):\n"
        + "".join(f"    {line}\n" for line in content[begin:].replace("@", "@decorators.").splitlines())
    )
    (root / "leap_binder.py").write_text(
        content[:begin] + "from parts import tested\n\ntested.declare(image, half, load_model, distance)\n"
        'import os\nassert os.environ["IS_TENSORLEAP_PLATFORM"] == "true"\n'
    )

    proof = proven(root)

    assert told(proof) == []
    assert proof.notes == ()


def test_a_module_of_a_namespace_is_its_own_distributions(root, proven):
    with (root / "requirements.txt").open("a") as file:
        file.write("google-cloud-storage\n")
    prepend(root / "parts" / "encoders.py", "from google.auth.credentials import AnonymousCredentials\n")

    # Which module it would bring nobody knows here: there is one thing to say.
    assert [message for _, _, message in told(proven(root))] == [
        "google-cloud-storage is required, and the environment that runs the integration lacks it;"
        " make one by `leaplab env PATH`, install it there, or correct the name.",
    ]


def test_what_leaplabs_own_environment_lacks_is_no_fault_of_the_requirements(root, proven, here):
    with (root / "requirements.txt").open("a") as file:
        file.write("numpy<1\nnowhere-to-be-had~=1.0\n")
    prepend(root / "parts" / "encoders.py", "import nowhere_to_be_had.deeper\n")

    fallback = proven(root, replaced(here, origin="own"))

    assert told(fallback) == []
    assert fallback.absent == {"nowhere_to_be_had"}
    assert fallback.untried == (
        "The integration could not be bound: leaplab's own environment lacks nowhere-to-be-had~=1.0, numpy<1; make one"
        f" of its own by `leaplab env {root}`.",
    )

    # In the integration's own it is.
    proof = proven(root)
    assert [message.split(" is required")[0] for _, _, message in told(proof)] == ["nowhere-to-be-had", "numpy<1"]
    assert proof.untried == ()


def test_other_versions_in_leaplabs_own_environment_are_told_as_untried(root, proven, here):
    (root / "requirements.txt").write_text("numpy<1\npyyaml\n")
    prepend(root / "parts" / "encoders.py", "import cv2\n")

    proof = proven(root, replaced(here, origin="own"))

    # What is not required at all is told all the same.
    assert [(kind, place) for kind, place, _ in told(proof)] == [("requirement", "parts/encoders.py:1")]
    assert proof.untried == (
        "What it does with numpy<1 was not tried: leaplab's own environment lacks that; make one of its own by"
        f" `leaplab env {root}`.",
    )


def test_code_loader_need_not_be_required(root, proven):
    (root / "requirements.txt").write_text("pyyaml\n")
    proof = proven(root)
    assert proof.ok
    assert proof.untried == proof.notes == ()


def test_a_package_needs_no_init_file_that_does_nothing(root, proven):
    replace(root / "leap.yaml", "- parts/**\n", "- parts/encoders.py\n")
    (root / "parts" / "__init__.py").write_text('"""Parts."""\n# nothing\n')
    assert told(proven(root)) == []

    (root / "parts" / "__init__.py").write_text("ORDER = []\n")
    assert told(proven(root)) == [
        (
            "module",
            "leap_binder.py:11",
            "parts/__init__.py is imported by leap_binder.py line 11 but is not in the bundle:"
            " add 'parts/**/*.py' to include.",
        )
    ]


@pytest.mark.parametrize(
    ("bundled", "left_out"),
    [
        ({"a/__init__.py", "a/b.py"}, ["loud/__init__.py", "quiet/__init__.py", "bare"]),
        ({"quiet/b.py", "loud/b.py", "bare/b.py"}, ["a/__init__.py", "a/b.py", "loud/__init__.py"]),
    ],
)
def test_one_function_tells_what_is_left_out(tmp_path, bundled, left_out):
    for name, content in {"a": "X = 1\n", "quiet": '"""Quiet."""\npass\n', "loud": "X = 1\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(content)
    asked = ["a/__init__.py", "a/b.py", "loud/__init__.py", "quiet/__init__.py", "bare"]
    assert [path for path in asked if is_left_out(path, tmp_path, bundled)] == left_out


def test_a_function_that_no_other_process_can_import_is_told_in_plain_words(root, proven):
    replace(
        root / "leap_binder.py",
        "    return encoders.image(sample_id)",
        "    import pickle\n    pickle.dumps(read_one)\n    return encoders.image(sample_id)",
    )
    prepend(root / "leap_binder.py", "def read_one(sample): ...\n")

    (problem,) = told(proven(root))

    assert problem[:2] == ("check", "leap_binder.py:26")
    assert problem[2] == (
        "'image' fails: 'read_one' cannot be handed to another process: code-loader imports the entry file under the"
        " name of its path, from which no process can import anything; define 'read_one' in a module beside the entry"
        " file (leap_binder.py line 26)"
    )


@pytest.mark.parametrize("line", ["import google.protobuf.message", "from google import protobuf"])
def test_a_module_of_a_namespace_that_is_not_required_is_named_with_its_distribution(root, proven, line):
    prepend(root / "parts" / "encoders.py", f"{line}\n")

    (problem,) = told(proven(root))

    assert problem == (
        "requirement",
        "parts/encoders.py:1",
        "google.protobuf is imported by parts/encoders.py line 1 and comes from protobuf, which requirements.txt does"
        f" not require: add protobuf~={version('protobuf')}.",
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import time\ntime.sleep(600)\n", "The process did not end within "),
        ("exit(3)\n", "The integration ends its process while it is bound (exit(3))"),
        (
            "import os\nprint('last words', flush=True)\nos.kill(os.getpid(), 9)\n",
            "The process was ended by SIGKILL while the bundle was bound.",
        ),
    ],
)
def test_a_process_that_does_not_come_to_its_end_is_told(root, proven, code, expected):
    # Time enough to reach the integration on a busy machine.
    time_limit = 6 if "sleep(600)" in code else 60
    prepend(
        root / "leap_binder.py",
        f"import subprocess\nchild = subprocess.Popen(['sleep', '601'])\n"
        f"open({str(root.parent / 'child')!r}, 'w').write(str(child.pid))\n{code}",
    )

    begun = time.monotonic()
    (problem,) = told(proven(root, time_limit=time_limit))

    assert problem[0] == "process"
    assert expected in problem[2]
    assert time.monotonic() - begun < time_limit + 10
    command = Path("/proc", (root.parent / "child").read_text(), "cmdline")
    while command.exists() and command.read_bytes() and time.monotonic() - begun < time_limit + 20:
        time.sleep(0.05)  # a killed process takes a moment to go
    assert not command.exists() or not command.read_bytes(), "its children end with it"


def test_what_was_found_before_a_process_dies_is_told(root, proven):
    replace(root / "leap.yaml", "- settings.yaml\n", "")
    prepend(root / "leap_binder.py", "import os\ntry:\n    open('settings.yaml')\nexcept OSError:\n    os._exit(1)\n")

    missing, death = told(proven(root))

    assert "settings.yaml is opened by leap_binder.py line 3" in missing[2]
    assert death[0] == "process"
    assert death[2] == "The process ended with exit code 1 while the bundle was bound."


def test_requirements_are_compared_with_what_is_installed(root, proven):
    (root / "requirements.txt").write_text("numpy<1\n-e ../lib\npackage-that-is-nowhere\n")

    messages = [message for kind, _, message in told(proven(root)) if kind == "requirement"]

    assert messages == [
        "requirements.txt, line 2: '-e ../lib' installs a folder, which the platform does not have;"
        " name a distribution.",
        "package-that-is-nowhere is required, and the environment that runs the integration lacks it;"
        " make one by `leaplab env PATH`, install it there, or correct the name.",
        f"numpy<1 is required, and {version('numpy')} is installed here; require what the integration was tried with,"
        " or install what it requires.",
    ]


def test_a_bundle_without_requirements_is_told_and_bound_all_the_same(root, proven):
    replace(root / "leap.yaml", "- requirements.txt\n", "")
    prepend(root / "leap_binder.py", "import cv2\n")

    (problem,) = told(proven(root))

    assert problem[0] == "requirement"
    assert "holds no tensorleap_requirements.txt or requirements.txt or pyproject.toml at its root" in problem[2]


def test_an_archive_that_cannot_be_read_is_told(root, here, tmp_path):
    (tmp_path / "bundle.tar.gz").write_bytes(b"no archive")

    with pytest.raises(LeaplabError, match="bundle.tar.gz cannot be unpacked"):
        prove(tmp_path / "bundle.tar.gz", find_project(root), here)


def test_temporary_files_never_lie_in_the_repository(root, packed, here, monkeypatch):
    archive, project = packed(root)
    (root / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(root / "tmp"))

    with pytest.raises(LeaplabError, match="set TMPDIR to a folder outside"):
        prove(archive, project, here)
    assert list((root / "tmp").iterdir()) == []


@pytest.mark.long
def test_a_clean_environment_holds_what_is_required_and_no_more(root, packed, here, wheels):
    (root / "leap_binder.py").write_text(
        "import tiny_package\nassert tiny_package.VALUE == 15\nimport importlib.util, sys\n"
        "assert importlib.util.find_spec('numpy') is None\nimport yaml\n"
    )
    (root / "requirements.txt").write_text("code-loader>=9\ntiny-package~=1.0  # small\n")

    archive, project = packed(root)
    (problem,) = told(clean_environment(archive, project, here, pip_arguments=wheels))

    assert problem[:2] == ("requirement", "leap_binder.py:5")
    assert "yaml is imported by leap_binder.py line 5 and is neither in the bundle" in problem[2]


@pytest.mark.long
def test_a_requirement_that_does_not_exist_is_told(root, packed, here, wheels):
    (root / "requirements.txt").write_text("code-loader\ntiny-package==7\n")

    archive, project = packed(root)
    proof = clean_environment(archive, project, here, pip_arguments=wheels)

    assert told(proof) == [
        (
            "requirement",
            "",
            "pip finds no distribution for 'tiny-package==7' of requirements.txt: correct its name or version.",
        )
    ]
    assert "ERROR" in proof.output


def test_a_python_that_makes_no_environment_is_told(root, packed, here, tmp_path):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\ncase "$*" in *venv*) echo no venv; exit 3; esac\nexec {here.executable} "$@"\n')
    python.chmod(0o755)

    archive, project = packed(root)
    (problem,) = told(clean_environment(archive, project, replaced(here, executable=python)))

    assert problem[0] == "process"
    assert problem[2] == f"No environment can be made: {python} -m venv ended with exit code 3: no venv"


@pytest.mark.parametrize("executable", ["/bin/false", "/nowhere/python"])
def test_an_interpreter_that_cannot_be_run_is_told(root, packed, here, executable):
    archive, project = packed(root)

    with pytest.raises(LeaplabError, match=f"{executable} does not say what is installed in it"):
        prove(archive, project, replaced(here, executable=Path(executable)))


@pytest.fixture
def copy_of_repository(repository, tmp_path):
    """The root's bundle and leap.yaml, as a repository of their own."""
    listing = list_bundle(find_project(repository), read_leap_yaml(repository / "leap.yaml"))
    for path in [*listing.paths, "leap.yaml"]:
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repository / path, tmp_path / "copy" / path)
    return tmp_path / "copy"


@pytest.fixture
def mnist_data(example_data, monkeypatch):
    monkeypatch.setenv("LEAP_DATA_ROOT", str(example_data("mnist")))
    monkeypatch.setenv("LEAP_EXAMPLE", "mnist")


def test_this_repositorys_bundle_runs_on_its_own(repository, packed, here, mnist_data):
    archive, project = packed(repository)

    proof = prove(archive, project, here)

    assert told(proof) == []
    assert proof.ok


def test_this_repositorys_bundle_needs_its_own_packages(copy_of_repository, proven, mnist_data):
    replace(copy_of_repository / "leap.yaml", "- vision/**/*.py\n", "")

    (problem,) = told(proven(copy_of_repository))

    assert problem[0] == "module"
    assert "vision/__init__.py is imported by mnist/" in problem[2]
    assert "add 'vision/**/*.py' to include" in problem[2]


def test_this_repositorys_bundle_needs_its_requirements(copy_of_repository, proven, mnist_data):
    requirements = copy_of_repository / "tensorleap_requirements.txt"
    lines = requirements.read_text().splitlines(keepends=True)
    requirements.write_text("".join(line for line in lines if "opencv" not in line))

    (problem,) = told(proven(copy_of_repository))

    assert problem[0] == "requirement"
    assert "cv2 is imported by vision/" in problem[2]
    assert "comes from opencv-python, which tensorleap_requirements.txt does not require" in problem[2]
