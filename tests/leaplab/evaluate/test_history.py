"""The history of a training on its way into the run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaplab.errors import LeaplabError
from leaplab.session.opening import Session

OURS = "step,epoch,state,metric,value\n25,1,training,loss,0.9\n"
OTHER = "step,epoch,state,metric,value\n50,2,training,loss,0.1\n"


@pytest.fixture(autouse=True)
def nothing_beside(tiny: Path) -> Any:
    yield
    (tiny / "tiny.history.csv").unlink(missing_ok=True)


def test_it_is_found_beside_the_model_by_its_name(
    tiny: Path, tiny_session: Session, evaluated: Callable[..., Any], tmp_path: Path
) -> None:
    (tiny / "tiny.history.csv").write_text(OURS)
    (tiny / "another.history.csv").write_text(OTHER)

    store = evaluated(tmp_path, tiny, session=tiny_session, limit=2)

    assert (store.path / "history.csv").read_text() == OURS
    (tiny / "another.history.csv").unlink()


def test_a_run_without_one_is_evaluated_all_the_same(
    tiny: Path, tiny_session: Session, evaluated: Callable[..., Any], tmp_path: Path
) -> None:
    store = evaluated(tmp_path, tiny, session=tiny_session, limit=2)

    assert not (store.path / "history.csv").exists()
    assert store.samples
    assert not any("history" in notice for notice in store.manifest.notices)


def test_one_beside_the_model_that_is_none_is_told_and_left_out(
    tiny: Path, tiny_session: Session, evaluated: Callable[..., Any], tmp_path: Path
) -> None:
    (tiny / "tiny.history.csv").write_text("a,b\n1,2\n")

    store = evaluated(tmp_path, tiny, session=tiny_session, limit=2)

    assert not (store.path / "history.csv").exists()
    (told,) = [notice for notice in store.manifest.notices if "history" in notice]
    assert "tiny.history.csv is no history of a training" in told


def test_what_is_named_is_taken_also_by_a_run_that_is_up_to_date(
    tiny: Path, tiny_session: Session, evaluated: Callable[..., Any], tmp_path: Path
) -> None:
    (tiny / "tiny.history.csv").write_text(OURS)
    evaluated(tmp_path, tiny, session=tiny_session, limit=2)
    (tmp_path / "named.csv").write_text(OTHER)
    counts: list[int] = []

    store = evaluated(tmp_path, tiny, None, counts.append, tiny_session, limit=2, history=tmp_path / "named.csv")
    assert counts == []
    assert (store.path / "history.csv").read_text() == OTHER

    again = evaluated(tmp_path, tiny, session=tiny_session, limit=2)  # what was named stays
    assert (again.path / "history.csv").read_text() == OTHER


def test_one_that_is_named_and_is_none_ends_the_evaluation_before_it_begins(
    tiny: Path, tiny_session: Session, evaluated: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "named.csv").write_text("epoch,loss\n1,low\n")

    with pytest.raises(LeaplabError, match="named.csv, line 2, says 'low' for loss"):
        evaluated(tmp_path / "runs", tiny, session=tiny_session, history=tmp_path / "named.csv")
    with pytest.raises(LeaplabError, match="none.csv cannot be read"):
        evaluated(tmp_path / "runs", tiny, session=tiny_session, history=tmp_path / "none.csv")
    assert not (tmp_path / "runs").exists()


def test_the_command_takes_it(tiny: Path, command: Callable[..., Any], one_process: None, tmp_path: Path) -> None:
    (tmp_path / "keras.csv").write_text("epoch,loss,val_loss\n0,1.5,2.5\n")

    finished = command("evaluate", tiny, "--limit", 1, "--runs", tmp_path, "--history", tmp_path / "keras.csv")

    assert finished.code == 0, finished.err
    assert (tmp_path / "tiny" / "history.csv").read_text() == (
        "step,epoch,state,metric,value\n,0,training,loss,1.5\n,0,validation,loss,2.5\n"
    )
