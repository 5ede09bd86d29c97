"""The commands as a user calls them."""

import http.client
import json
import shutil
import subprocess
import sys
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from leaplab.cli.commands import app
from leaplab.store.manifest import SCHEMA
from tests.browser import served_run

ENCODER = "    return image\n"
LOSS = "    return np.asarray(-np.log(np.maximum(chosen, 1e-7)), np.float32)\n"
LOSSES = "    loss_cross_entropy(classes, guess)\n    loss_defined_for_some(classes, guess, image)\n"
METRIC = "    return np.asarray(truth.argmax(axis=1) == guess.argmax(axis=1), np.float32)\n"


def on_sample_04(*statements) -> Any:
    """The image encoder, with statements for one sample."""
    return {
        "leap_binder.py": (
            ENCODER,
            "\n        ".join(["    if sample_id == 'training-04':", *statements]) + f"\n{ENCODER}",
        )
    }


def is_one_sentence(finished, *told) -> Any:
    """The command failed in a way that a user can mend, and said how in one line."""
    *_, last = finished.err.strip().splitlines()
    assert finished.code == 2, finished
    assert last.startswith("error: ")
    assert all(part in last for part in told), last
    assert "Traceback" not in finished.err
    assert finished.out == ""
    return True


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (on_sample_04("raise FileNotFoundError('frame 4 is gone')"),
         ["'training-04' of training", "FileNotFoundError: frame 4 is gone", "(leap_binder.py, line", "encode_image"]),
        (on_sample_04("image = image * np.nan"), ["input 'image' of sample 'training-04' holds NaN"]),
        (on_sample_04("import sys", "sys.exit(5)"), ["'training-04' of training: it ends its process (sys.exit(5))"]),
        ({"scores.py": (METRIC, "    return np.ones(1, np.float32)\n")},
         ["Metric 'accuracy' returned 1 values for a batch of 6 samples"]),
        ({"scores.py": (METRIC, "    return truth.nothing\n")},
         ["etric 'accuracy' on", "AttributeError", "(scores.py, line", "in accuracy)"]),
        ({"scores.py": (LOSS, "    return chosen[:, None]\n")}, ["Loss 'cross_entropy' returned shape (6, 1)"]),
        ({"leap_binder.py": ("HERE = ", "HERE == = ")}, ["leap_binder.py cannot be bound: SyntaxError"]),
        ({"leap.yaml": ("File: leap_binder.py", "File: elsewhere.py")}, ["leap.yaml", "'elsewhere.py' does not exist"]),
    ],
)  # fmt: skip
def test_fault_of_an_integration_is_one_sentence(command, make_project, tmp_path, changes, told):
    root = make_project(changes=changes)
    small(root)

    assert is_one_sentence(command("evaluate", root, "--runs", tmp_path), *told)
    written = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != "manifest.json"]
    assert written == []


def small(root) -> None:
    settings = root / "project_config.yaml"
    settings.write_text(settings.read_text().replace("25", "6"))


def test_mended_integration_completes_by_the_same_command(command, make_project, tmp_path):
    changes = on_sample_04("raise ValueError")
    root = make_project(changes=changes)
    small(root)
    arguments = ("evaluate", root, "--runs", tmp_path)
    assert is_one_sentence(command(*arguments))

    (file, (mended, fault)) = next(iter(changes.items()))
    (root / file).write_text((root / file).read_text().replace(fault, mended))
    finished = command(*arguments)

    assert finished.code == 0, finished
    assert "holds 12 samples" in finished.err
    assert command("runs", "--runs", tmp_path).out.count("complete") == 1


@pytest.fixture(scope="module")
def runs(tiny_run, tmp_path_factory):
    """A folder with a copy of the run of the small integration."""
    folder = tmp_path_factory.mktemp("copied")
    shutil.copytree(tiny_run.path, folder / "tiny")
    return folder


def test_evaluation_says_what_it_does_and_ends_well(command, tiny, tmp_path):
    first = command("evaluate", tiny, "--runs", tmp_path, "--limit", 10, "--name", "few")

    assert first.code == 0
    assert str(tiny / "leap_binder.py") in first.err.replace("\n", "")
    assert "holds 20 samples" in first.err
    assert first.out == ""
    table = [line.split() for line in first.err.splitlines()]
    assert ["training", "validation"] in table
    assert ["samples", "10", "10"] in table

    second = command("evaluate", tiny, "--runs", tmp_path, "--limit", 10, "--name", "few", "--json")
    told = json.loads(second.out)
    assert told["run"] == str(tmp_path / "few")
    assert told["up_to_date"] is True
    assert told["states"]["validation"]["samples"] == 10
    assert 0 <= told["states"]["validation"]["means"]["metric.accuracy"] <= 1


def test_integration_test_that_calls_no_loss_is_told(command, make_project, tmp_path):
    root = make_project(changes={"leap_binder.py": (LOSSES, "")})
    small(root)

    finished = command("evaluate", root, "--runs", tmp_path)

    assert finished.code == 0, finished
    told = "No loss runs: the integration test calls none; call a function of tensorleap_custom_loss in it."
    assert told in finished.err
    assert told in json.loads((tmp_path / "tiny" / "manifest.json").read_text())["notices"]


def test_run_of_other_options_is_replaced_only_when_asked(command, tiny, runs, tmp_path):
    shutil.copytree(runs / "tiny", tmp_path / "tiny")
    arguments = ("evaluate", tiny, "--runs", tmp_path, "--limit", 5)

    assert is_one_sentence(command(*arguments), "other options", "--name")
    assert "holds 10 samples" in command(*arguments, "--update").err


def test_run_of_another_schema_is_told(command, runs, tmp_path):
    shutil.copytree(runs / "tiny", tmp_path / "tiny")
    manifest = tmp_path / "tiny" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}'))

    shown = command("explore", "tiny", "--runs", tmp_path, "--no-browser")
    assert is_one_sentence(shown, "another version of leaplab", "--update")


def test_a_connection_stays_open_while_nobody_asks(runs):
    with served_run(runs, "tiny") as address, closing(http.client.HTTPConnection(urlsplit(address).netloc)) as asking:
        asking.request("GET", "/api/v1/run")
        assert asking.getresponse().read()
        time.sleep(7)
        # Not on a new one: a POST on a connection that is closed meanwhile is not sent again by itself.
        asking.auto_open = 0
        asking.request("GET", "/api/v1/run")
        assert asking.getresponse().read()


def test_damaged_run_is_told(command, runs, tmp_path):
    shutil.copytree(runs / "tiny", tmp_path / "tiny")
    (tmp_path / "tiny" / "manifest.json").write_text("{")

    shown = command("explore", "tiny", "--runs", tmp_path, "--no-browser")
    assert is_one_sentence(shown, "manifest.json cannot be read", "delete")


def test_folder_that_is_no_run_is_left_alone(command, tiny, tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "work.txt").write_text("mine")

    assert is_one_sentence(
        command("evaluate", tiny, "--runs", tmp_path, "--overwrite"), "exists and is no run", "--name"
    )
    assert (tmp_path / "tiny" / "work.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["evaluate", "nowhere"], "nowhere is not a folder"),
        (["evaluate", "."], "holds no leap.yaml"),
        (["explore", "nowhere"], "There is no run 'nowhere'"),
        (["explore"], "There is no complete run"),
    ],
)
def test_wrong_paths_are_told(command, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)

    assert is_one_sentence(command(*arguments), told)


def test_wrong_model_file_is_told(command, tiny, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"weights")

    shown = command("evaluate", tiny, "--runs", tmp_path / "runs", "--model", tmp_path / "model.onnx")
    assert is_one_sentence(shown, "model.onnx cannot be run as an ONNX model")


def test_paths_are_shown_as_they_are(command, make_project, tmp_path):
    # rich would take what stands in brackets for a style.
    folder = tmp_path / "data [old]" / "[bold]"
    shutil.copytree(make_project(), folder)
    small(folder)
    finished = command("evaluate", folder, "--runs", tmp_path / "[red]", "--name", "a")

    assert finished.code == 0
    assert str(folder / "leap_binder.py") in finished.err.replace("\n", "")
    assert str(tmp_path / "[red]" / "a") in finished.err.replace("\n", "")


def test_runs_are_listed_complete_incomplete_and_unreadable(command, runs, tmp_path):
    for name in ("whole", "half", "broken"):
        shutil.copytree(runs / "tiny", tmp_path / name)
    (tmp_path / "half" / "samples" / "00001.parquet").unlink()
    (tmp_path / "broken" / "manifest.json").write_text("[]")

    told = {entry["name"]: entry for entry in json.loads(command("runs", "--runs", tmp_path, "--json").out)}
    assert told["whole"]["condition"] == "complete"
    assert told["half"]["condition"] == "incomplete (1 of 2 parts missing)"
    assert "version of leaplab" in told["broken"]["condition"]
    assert (told["whole"]["samples"], told["whole"]["model"]) == (50, "tiny.onnx")

    listed = command("runs", "--runs", tmp_path)
    assert listed.code == 0
    for name in ("whole", "half", "broken", "tiny.onnx"):
        assert name in listed.out
    assert is_one_sentence(
        command("explore", "half", "--runs", tmp_path, "--no-browser"), "is incomplete: 1 of 2 parts"
    )


def test_no_runs_is_no_error(command, tmp_path):
    finished = command("runs", "--runs", tmp_path)

    assert finished.code == 0
    assert "There are no runs" in finished.err
    assert json.loads(command("runs", "--runs", tmp_path, "--json").out) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["unheard-of"],
        ["evaluate", "--unheard-of"],
        ["evaluate", "--limit", "0"],
        ["evaluate", "--limit", "many"],
        ["evaluate", "--batch-size", "0"],
        ["evaluate", ".", "too", "many"],
        ["explore", "--port", "99999"],
        ["explore", "--port", "http"],
    ],
)
def test_wrong_usage_exits_with_2_and_no_traceback(command, arguments):
    finished = command(*arguments)

    assert finished.code == 2
    assert "Usage" in finished.err
    assert "Traceback" not in finished.err
    assert finished.out == ""


@pytest.mark.parametrize(
    "name", [[], *([c.name or c.callback.__name__] for c in app.registered_commands if c.callback)]
)
def test_every_command_has_help(command, name):
    finished = command(*name, "--help")

    assert finished.code == 0
    assert "Usage" in finished.out


def test_leaplab_runs_as_a_module_and_without_heavy_imports():
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "leaplab", "--help"], capture_output=True, text=True
    )

    assert finished.returncode == 0
    for command in ("evaluate", "explore", "runs"):
        assert command in finished.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in finished.stderr.splitlines() if "|" in line}
    assert imported.isdisjoint(
        {"tensorflow", "keras", "numba", "sklearn", "code_loader", "onnxruntime", "duckdb", "fastapi"}
    )


def test_integration_in_this_process_gives_the_same_scores(make_project, tiny_run, tmp_path):
    # In a process of its own, because code-loader's binder is one object a process.
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", "print('a greeting')\nHERE = Path(")})
    finished = subprocess.run(
        [sys.executable, "-m", "leaplab", "evaluate", root, "--in-process", "--json", "--runs", tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    from leaplab.evaluate.summary import summarize

    assert json.loads(finished.stdout)["states"] == json.loads(json.dumps(summarize(tiny_run)))
    assert "a greeting" in finished.stderr


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("/nowhere/python3.9", "/nowhere/python3.9 does not exist"),
        ("/bin/true", "/bin/true is no Python"),
        ("/etc", "/etc is a folder without bin/python"),
    ],
)
def test_interpreter_that_does_not_do_is_one_sentence_of_every_command(command, tiny, tmp_path, python, told):
    for arguments in (
        ("evaluate", tiny, "--runs", tmp_path),
        ("check", tiny),
        ("sample", "training", "training-00", tiny),
        ("bundle", tiny, "--out", tmp_path / "bundle.tar.gz"),
    ):
        is_one_sentence(command(*arguments, "--python", python), told)


def test_debugger_is_in_leaplab_s_own_interpreter(command, tiny, tmp_path):
    finished = command("evaluate", tiny, "--runs", tmp_path, "--in-process", "--python", sys.executable)

    is_one_sentence(finished, "--in-process runs the integration in leaplab's own interpreter", "leave out --python")


def test_command_says_which_interpreter_it_takes_and_why(command, tiny, tmp_path):
    by_option = command("sample", "training", "training-00", tiny, "--out", tmp_path, "--python", sys.executable)
    chosen = command("sample", "training", "training-00", tiny, "--out", tmp_path)

    version = ".".join(map(str, sys.version_info[:3]))
    assert f"Python {version}, {sys.executable}: named by --python" in by_option.err
    assert f"Python {version}, {sys.executable}: leaplab's own" in chosen.err
    assert by_option.out == chosen.out


def test_module_that_the_environment_lacks_is_named_with_the_environment(command, make_project):
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", "import no_such_thing\nHERE = Path(")})

    finished = command("evaluate", root, "--runs", root / "runs")

    is_one_sentence(finished, "No module named 'no_such_thing'", sys.executable, f"leaplab env {root}")


def test_module_of_the_integration_s_own_that_lacks_something_is_no_matter_of_the_environment(command, make_project):
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", "import own.missing\nHERE = Path(")})
    (root / "own").mkdir()
    (root / "own" / "__init__.py").touch()

    finished = command("evaluate", root, "--runs", root / "runs")

    is_one_sentence(finished, "No module named 'own.missing'")
    assert "leaplab env" not in finished.err
