"""What runs in the integration's interpreter: its words, its search path, its variables; and a Python 3.8."""

import ast
import json
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import replace as replaced
from pathlib import Path

import onnx
import pytest

import leaplab
from leaplab.bundle.installed import installed_in
from leaplab.bundle.proof import clean_environment
from leaplab.check.watched import run_locally
from leaplab.environments.own import is_own, own_interpreter, variables_for
from leaplab.project.locate import find_project

WORKER = Path(leaplab.__file__).parent / "worker"
SCRIPTS = ["binding_process.py", "proof_process.py", "distributions_process.py"]
PACKAGE_HOME = Path(leaplab.__file__).resolve().parents[1]

on_python_3_8 = [pytest.mark.long, pytest.mark.python("3.8")]


@pytest.fixture
def trained(root, make_dense_model):
    """The small integration with a model, and its integration test run on it."""
    onnx.save(make_dense_model(), root / "dense.onnx")
    binder = root / "leap_binder.py"
    text = binder.read_text()
    text = text.replace(
        '    raise AssertionError("a check loads no model")',
        "    import onnxruntime\n    return onnxruntime.InferenceSession(str(Path(__file__).parent / 'dense.onnx'))",
    )
    binder.write_text(text)
    (root / "parts" / "encoders.py").write_text(
        "import numpy as np\n\n\ndef image(_):\n    return np.full(4, 0.5, np.float32)\n"
    )
    return root


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_are_python_3_8_and_import_nothing_that_is_installed(script):
    tree = ast.parse((WORKER / script).read_text(encoding="utf-8"), feature_version=(3, 8))

    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imported if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in imported if isinstance(node, ast.ImportFrom)}
    tops = {name.partition(".")[0] for name in names}
    assert tops - sys.stdlib_module_names <= {"code_loader"}


def test_binding_takes_the_integrations_own_modules(root, here, repository, monkeypatch):
    # As the .pth file of an editable installation does it, this repository lies on the path, with its package mnist.
    monkeypatch.setenv("PYTHONPATH", str(repository))
    (root / "mnist").mkdir()
    (root / "mnist" / "scale.py").write_text("SCALE = 2\n")
    binder = root / "leap_binder.py"
    told = root / "told.json"
    binder.write_text(
        "from mnist.scale import SCALE\nimport json, sys\n"
        f"json.dump(sys.path, open({str(told)!r}, 'w'))\n{binder.read_text()}"
    )

    outcome = run_locally(find_project(root), here, 60)

    assert outcome.ended == ""
    assert "error" not in outcome.report
    assert "mnist/scale.py" in outcome.report["modules"]
    path = [Path(entry) for entry in json.loads(told.read_text())]
    assert path[0] == root
    assert not {repository, PACKAGE_HOME, WORKER} & set(path)
    assert Path(sysconfig.get_path("purelib")) in path
    assert Path(sysconfig.get_path("stdlib")) in path


def test_a_binder_keeps_leaplabs_folder_where_that_is_site_packages(tmp_path, root, here):
    installed = tmp_path / "lib" / "site-packages"
    shutil.copytree(WORKER, installed / "leaplab" / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    (installed / "beside.py").write_text("")
    (root / "leap_binder.py").write_text("import beside\nraise RuntimeError('found')\n")
    variables = {**variables_for(here.executable), "PYTHONPATH": f"{installed}:{tmp_path}"}
    script = installed / "leaplab" / "worker" / "binding_process.py"

    subprocess.run([here.executable, script, root, "leap_binder.py", tmp_path / "report"], env=variables, check=True)

    assert json.loads((tmp_path / "report").read_text())["error"]["message"] == "found"


def test_leaplabs_own_interpreter_keeps_its_variables(here, monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)

    assert is_own(here.executable)
    assert variables_for(here.executable)["VIRTUAL_ENV"] == sys.prefix
    assert own_interpreter().executable == Path(sys.executable)
    assert own_interpreter().version == sys.version_info[:3]


def test_another_interpreter_is_not_led_to_leaplabs_environment(monkeypatch, tmp_path, repository):
    other = tmp_path / "bin" / "python"
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("PYTHONHOME", sys.base_prefix)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{repository}:{PACKAGE_HOME}:{sys.prefix}/lib")
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin:/usr/bin:/bin")
    monkeypatch.setenv("ANOTHER", "kept")

    variables = variables_for(other)

    assert not is_own(other)
    assert variables["PYTHONPATH"] == str(tmp_path)
    assert variables["PATH"] == "/usr/bin:/bin"
    assert variables["ANOTHER"] == "kept"
    assert not {"VIRTUAL_ENV", "PYTHONHOME"} & set(variables)

    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert variables_for(other)["VIRTUAL_ENV"] == str(tmp_path)


class TestPython38:
    pytestmark = on_python_3_8

    def test_a_bundle_is_proven(self, trained, proven, python_3_8, monkeypatch, repository):
        monkeypatch.setenv("PYTHONPATH", str(repository))
        monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
        binder = trained / "leap_binder.py"
        binder.write_text(
            "import importlib.metadata, os, sys\n"
            f"assert sys.version_info[:2] == (3, 8) and sys.prefix == {str(python_3_8.executable.parents[1])!r}\n"
            "assert 'VIRTUAL_ENV' not in os.environ and os.environ['IS_TENSORLEAP_PLATFORM'] == 'true'\n"
            "names = {found.metadata['Name'].lower() for found in importlib.metadata.distributions()}\n"
            "assert {'numpy', 'code-loader'} <= names and 'onnxruntime' not in names\n"
            f"{binder.read_text()}"
        )
        (trained / "leap.yaml").write_text("entryFile: leap_binder.py\ninclude: ['**']\n")

        proof = proven(trained, python_3_8)

        assert proof.problems == ()
        assert proof.notes == ()

    def test_markers_and_versions_are_its_own(self, trained, proven, python_3_8):
        (trained / "requirements.txt").write_text(
            "code-loader\npyyaml\nnumpy==1.24.4; python_version < '3.9'\nnumpy>=2; python_version >= '3.9'\nonnx\n"
        )
        (trained / "leap.yaml").write_text("entryFile: leap_binder.py\ninclude: ['**']\n")
        encoders = trained / "parts" / "encoders.py"
        encoders.write_text(f"import google.protobuf\n{encoders.read_text()}")

        problems = [problem.message for problem in proven(trained, python_3_8).problems]

        protobuf = installed_in(python_3_8).distributions["protobuf"].version
        assert problems == [
            "onnx is required, and the environment that runs the integration lacks it;"
            " make one by `leaplab env PATH`, install it there, or correct the name.",
            "google.protobuf is imported by parts/encoders.py line 1 and comes from protobuf, which requirements.txt"
            f" does not require: add protobuf~={protobuf}.",
        ]

    def test_a_backport_of_pythons_own_module_is_none(self, trained, proven, python_3_8):
        # Before 3.10 Python has no list of its own modules.
        (trained / "leap.yaml").write_text("entryFile: leap_binder.py\ninclude: ['**']\n")
        environment = python_3_8.executable.parents[1]
        (site_packages,) = environment.glob("lib/python*/site-packages")
        # By another name: what is installed is asked once.
        python = replaced(python_3_8, executable=environment / "bin" / "python3")
        info = site_packages / "dataclasses-0.8.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dataclasses\nVersion: 0.8\n")
        (info / "RECORD").write_text("dataclasses.py,,\n_bisect.so,,\nsys.py,,\n")

        try:
            assert proven(trained, python).problems == ()
        finally:
            shutil.rmtree(info)

    def test_an_integration_is_bound(self, trained, python_3_8, monkeypatch, repository):
        monkeypatch.setenv("PYTHONPATH", str(repository))
        monkeypatch.setenv("IS_TENSORLEAP_PLATFORM", "true")
        binder = trained / "leap_binder.py"
        binder.write_text(
            "import sys\nassert sys.version_info[:2] == (3, 8)\nprint('hello')\nopen('written.txt', 'w').close()\n"
            f"{binder.read_text()}"
        )

        outcome = run_locally(find_project(trained), python_3_8, 60)

        report = outcome.report
        assert (outcome.ended, report["stage"]) == ("", "done"), outcome.output
        assert not {"error", "preprocess_error", "test_error"} & set(report), report
        assert report["ids"]["training"][0] == 3
        assert report["modules"] == ["parts/__init__.py", "parts/encoders.py"]
        assert report["seen"]["printed"] == {"": "leap_binder.py:3"}
        assert report["seen"]["written"] == {"written.txt": "leap_binder.py:4"}
        assert {entry["parameter"] for entry in report["defaults"]} == {"prediction_types[0].channel_dim"}

    def test_an_error_is_told_with_its_place(self, trained, python_3_8):
        encoders = trained / "parts" / "encoders.py"
        encoders.write_text(f"{encoders.read_text()}{{}} | {{}}\n")

        outcome = run_locally(find_project(trained), python_3_8, 60)

        assert outcome.report["error"]["type"] == "TypeError"
        assert outcome.report["error"]["place"] == "parts/encoders.py:6"

    def test_a_clean_environment_is_made_of_it(self, root, packed, python_3_8, wheels):
        (root / "leap_binder.py").write_text(
            "import sys, tiny_package\n"
            "assert sys.version_info[:2] == (3, 8) and tiny_package.VALUE == 15\nimport yaml\n"
        )
        (root / "requirements.txt").write_text("code-loader>=9\ntiny-package~=1.0; python_version < '3.9'\n")
        archive, project = packed(root)

        (problem,) = clean_environment(archive, project, python_3_8, pip_arguments=wheels).problems

        assert problem.place == "leap_binder.py:3"
        assert "yaml is imported by leap_binder.py line 3 and is neither in the bundle" in problem.message
