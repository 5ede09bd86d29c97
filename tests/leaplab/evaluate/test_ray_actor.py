"""What an actor says of the node that it is on, and the command without Ray: neither needs Ray."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from leaplab.evaluate.ray_actor import ActorOrder, Evaluator, Told
from leaplab.project.locate import find_project
from leaplab.protocol.operations import PLAN
from leaplab.protocol.plan import PlanOrder
from leaplab.session.opening import open_session
from leaplab.store.manifest import RunInterpreter, write_manifest
from leaplab.store.run import RunStore


@pytest.fixture
def order(tiny: Path, evaluated: Callable[..., RunStore], tmp_path: Path) -> ActorOrder:
    """Of a run that is whole, on a node that has all that it needs."""
    with open_session(find_project(tiny)) as session:
        store = evaluated(tmp_path, tiny, session=session)
        plan = session.call(PLAN, PlanOrder())
        python = session.interpreter.executable
    return ActorOrder(find_project(tiny), python, str(store.path), store.manifest, plan)


def told(order: ActorOrder) -> Told:
    actor = Evaluator(order)
    try:
        return actor.start()
    finally:
        actor.close()


def test_part_is_written_as_it_was_and_not_published(order: ActorOrder) -> None:
    before = {path: path.read_bytes() for path in Path(order.run).rglob("*") if path.is_file()}
    (Path(order.run) / "parts" / "00000.json").unlink()
    for folder in ("samples", "thumbnails", "latent"):
        for path in (Path(order.run) / folder).rglob("00000.*"):
            path.unlink()
    actor = Evaluator(order)
    assert actor.start().error is None
    answer = actor.evaluate(order.plan.parts[0], ())
    actor.close()

    del before[Path(order.run) / "parts" / "00000.json"]
    assert {path: path.read_bytes() for path in Path(order.run).rglob("*") if path.is_file()} == before
    assert answer.entry is not None
    assert answer.entry.rows == 25


def test_node_that_sees_another_folder(order: ActorOrder, tmp_path: Path) -> None:
    assert "is not the folder that it is here; name by --runs one that all nodes see" in str(
        told(replace(order, run=str(tmp_path / "elsewhere"))).error
    )
    write_manifest(Path(order.run) / "manifest.json", structs.replace(order.manifest, identity="another"))
    assert "is not the folder that it is here" in str(told(order).error)


def test_node_without_the_integration_or_its_python(order: ActorOrder, tmp_path: Path) -> None:
    elsewhere = replace(order, project=replace(order.project, root=tmp_path / "integration"))
    assert f"{tmp_path / 'integration'} is not on " in str(told(elsewhere).error)
    assert "the integration's Python, is not on " in str(told(replace(order, python=tmp_path / "python")).error)


def test_node_with_another_python(order: ActorOrder) -> None:
    older = structs.replace(order.manifest, interpreter=RunInterpreter(str(order.python), "3.7.1"))
    write_manifest(Path(order.run) / "manifest.json", older)
    assert "and 3.7.1 here; make them the same" in str(told(replace(order, manifest=older)).error)


def test_node_with_other_code(
    order: ActorOrder, make_project: Callable[..., Path], changed: Callable[[Path, str, str], None]
) -> None:
    other = make_project()
    changed(other / "leap_binder.py", "scores.cross_entropy(truth, guess)", "2 * scores.cross_entropy(truth, guess)")
    assert "has other code or another model than here; copy it there anew" in str(
        told(replace(order, project=find_project(other))).error
    )


def test_without_ray_the_command_says_how_to_install_it(
    command: Callable[..., object], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    ended = command("evaluate", tiny, "--runner", "ray")
    assert ended.code == 2  # type: ignore[attr-defined]
    said = " ".join(ended.err.split())  # type: ignore[attr-defined]
    assert said.endswith(
        "--runner ray needs Ray, which is not installed here; install it by `pip install 'leaplab[ray]'`."
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--address", "127.0.0.1:1"), "--address and --env are for --runner ray; add it, or leave them out."),
        (("--runner", "ray", "--in-process"), "With --runner ray the integration runs in processes of the nodes"),
        (("--runner", "ray", "--env", "NOBODY_SET_THIS"), "--env names NOBODY_SET_THIS, which is not set here"),
    ],
)
def test_options_that_do_not_go_together(
    command: Callable[..., object], tiny: Path, options: tuple[str, ...], sentence: str
) -> None:
    ended = command("evaluate", tiny, *options)
    assert ended.code == 2  # type: ignore[attr-defined]
    assert sentence in " ".join(ended.err.split())  # type: ignore[attr-defined]
