"""A run's integration again, in the interpreter and with the model of its evaluation."""

import shutil
from pathlib import Path

import msgspec
import pytest

from leaplab.errors import LeaplabError
from leaplab.evaluate.reopen import reopen
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.operations import DESCRIBE, VISUALIZE
from leaplab.store.manifest import RunInterpreter


def test_run_is_reopened_where_it_was_evaluated(tiny_run):
    with reopen(tiny_run.manifest) as session:
        assert str(session.interpreter.executable) == tiny_run.manifest.interpreter.executable
        assert session.call(DESCRIBE).states == tiny_run.manifest.states
        visuals = session.call(VISUALIZE, SampleOrder("training", "training-00")).visuals

    assert tuple(visual.name for visual in visuals) == tiny_run.manifest.visualizers


def test_interpreter_that_is_gone_is_one_sentence(tiny_run, tmp_path):
    gone = RunInterpreter(str(tmp_path / "gone" / "bin" / "python"), "3.8.18")

    with pytest.raises(LeaplabError, match=r"was made in \S+gone/bin/python, which is no longer there; evaluate again"):
        reopen(msgspec.structs.replace(tiny_run.manifest, interpreter=gone))


def test_integration_that_is_gone_is_one_sentence(tiny_run, tmp_path):
    moved = msgspec.structs.replace(tiny_run.manifest, integration=str(tmp_path / "elsewhere"))

    with pytest.raises(LeaplabError, match=r"The integration is no longer at \S+elsewhere"):
        reopen(moved)


def test_root_that_binds_another_integration_now_is_one_sentence(tiny_run, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(tiny_run.manifest.integration, root)
    labels = (root / "leap_binder.py").read_text().replace('"top"', '"upper"')
    (root / "leap_binder.py").write_text(labels)
    (root / "samples.py").write_text((root / "samples.py").read_text().replace('"top"', '"upper"'))

    with pytest.raises(LeaplabError, match="binds another integration now than the one that this run is of"):
        reopen(msgspec.structs.replace(tiny_run.manifest, integration=str(root)))


def test_run_of_before_that_names_no_interpreter_is_reopened_in_the_one_that_is_chosen(tiny_run):
    with reopen(msgspec.structs.replace(tiny_run.manifest, interpreter=None)) as session:
        assert session.interpreter.executable.exists()
        assert Path(session.interpreter.executable).is_absolute()
