"""What takes long is computed in another process, which tells how far it is, gives way to clicks, and ends with us."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from leaplab.errors import LeaplabError
from leaplab.explorer.background import Background
from leaplab.explorer.findings import Findings
from leaplab.explorer.maps import Maps
from leaplab.explorer.model import Progress
from leaplab.explorer.progress import Board
from leaplab.population import cached
from leaplab.population.population import open_population
from tests.leaplab.runs_by_hand import write_run

SERVER = """
import sys
from pathlib import Path
from leaplab.explorer.background import Background
from leaplab.population.population import open_population
population = open_population(Path(sys.argv[1]))
Background(population).compute("map", "model", "pacmap", tell=print)
"""


class Heard(Board):
    """Keeps all that was told."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Progress] = []

    def tell(self, name: str, progress: Progress) -> None:
        super().tell(name, progress)
        self.all.append(progress)


def written(path: Path, samples: int, seed: int = 0, not_finite: int = 0) -> Path:
    """A run of two groups, the last samples without a finite vector."""
    generator = np.random.default_rng(seed)
    group = np.arange(samples) % 2
    vectors = generator.normal(size=(samples, 5)) + 20 * group[:, None]
    vectors[samples - not_finite :] = np.nan
    loss = generator.exponential(size=samples) + 3 * (group == 1)
    columns = {"metadata.group": ("string", [f"g{each}" for each in group]), "loss.a": ("float", loss.tolist())}
    return write_run(path, ["validation"] * samples, columns, vectors)


def within(seconds: float, test: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize(("samples", "not_finite"), [(300, 0), (120, 7)])
def test_a_map_is_computed_elsewhere_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: int, not_finite: int
) -> None:
    population = open_population(written(tmp_path / "run", samples, not_finite=not_finite))

    def refused(*_: object) -> None:
        raise AssertionError("the server's own process must not draw it")

    monkeypatch.setattr("leaplab.population.population.project", refused)
    board = Heard()
    Maps(population, Background(population), board).require("model", "pacmap")
    points = population.map("model", "pacmap")
    placed = np.isfinite(points).all(axis=1)
    assert placed.tolist() == [True] * (samples - not_finite) + [False] * not_finite
    assert np.abs(points[placed]).max() == pytest.approx(1)
    group = np.arange(samples) % 2
    middles = [points[placed & (group == each)].mean(axis=0) for each in (0, 1)]
    spreads = [points[placed & (group == each)].std(axis=0).max() for each in (0, 1)]
    assert np.linalg.norm(middles[0] - middles[1]) > 2 * max(spreads), "what is far apart stays apart"

    first, *between, last = board.all
    assert (first.what, first.space, first.projection, first.state) == ("map", "model", "pacmap", "computing")
    assert last.state == "ready"
    steps = [each.done for each in between]
    assert steps == sorted(set(steps), key=lambda step: step or 0)
    assert len(steps) > 20
    assert steps[-1] == between[-1].total == 450, "PaCMAP's own default number of iterations"


def test_insights_are_looked_for_elsewhere_kind_by_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    population = open_population(written(tmp_path / "run", 400))

    def refused(*_: object) -> None:
        raise AssertionError("the server's own process must not look for them")

    monkeypatch.setattr("leaplab.population.insights.choose", refused)
    board = Heard()
    told = Findings(population, Background(population), board).told()
    assert any("g1" in each["title"] for each in told["insights"]), "the group with the higher loss"
    named = {each["kind"] for each in told["insights"]} | {each["kind"] for each in told["silent"]}
    steps = [(each.of, each.done, each.total) for each in board.all if each.of is not None]
    assert {kind for kind, _, _ in steps} == named
    assert [(done, total) for _, done, total in steps] == [(done, len(steps)) for done in range(len(steps))]
    assert [board.all[0].state, board.all[-1].state] == ["computing", "ready"]

    # Another server finds them beside the run, and starts nothing.
    monkeypatch.setattr(Background, "compute", refused)
    again = open_population(tmp_path / "run")
    assert Findings(again, Background(again), Heard()).told() == told


def test_what_cannot_be_written_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "run", 100, seed=3)
    (path / "derived").write_text("no folder can be made here")
    monkeypatch.setattr(cached, "_in_memory", {})
    population = open_population(path)
    Maps(population, Background(population), Heard()).require("model", "pacmap")
    monkeypatch.setattr("leaplab.population.population.project", None)
    points = population.map("model", "pacmap")
    assert points.shape == (100, 2)
    assert np.isfinite(points).all()
    assert list(cached.kept_in_memory()) == [next(iter(cached._in_memory))]


def test_a_question_without_an_answer_says_why(tmp_path: Path) -> None:
    population = open_population(written(tmp_path / "run", 60))
    maps = Maps(population, Background(population), Heard())
    with pytest.raises(LeaplabError, match="no projection 'tsne'"):
        maps.require("model", "tsne")
    with pytest.raises(LeaplabError, match="no latent space 'other'"):
        maps.require("other", "pacmap")

    manifest = tmp_path / "run" / "manifest.json"
    manifest.write_text("{}")
    board = Heard()
    with pytest.raises(LeaplabError, match="another version of leaplab"):
        Maps(population, Background(population), board).require("model", "pacmap")
    assert board.all[-1].state == "failed"
    assert "another version" in (board.all[-1].detail or "")


def test_it_gives_way_to_clicks_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    population = open_population(written(tmp_path / "run", 20_000))
    background = Background(population)
    ends: list[str] = []

    def compute() -> None:
        try:
            background.compute("map", "model", "pacmap", tell=lambda *_: None)
        except LeaplabError as error:
            ends.append(str(error))

    me = psutil.Process()
    before = set(me.children())
    thread = threading.Thread(target=compute)
    thread.start()
    assert within(20, lambda: bool(set(me.children()) - before))
    (child,) = set(me.children()) - before
    assert within(20, lambda: child.nice() >= me.nice() + 10)
    background.close()
    thread.join(timeout=10)
    assert len(ends) == 1
    assert "process" in ends[0]
    assert not child.is_running()
    with pytest.raises(LeaplabError, match="ended"):
        background.compute("insights", tell=lambda *_: None)


def test_it_does_not_outlive_a_server_that_is_killed(tmp_path: Path) -> None:
    path = written(tmp_path / "run", 20_000)
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(path)], stdout=subprocess.DEVNULL)
    watched = psutil.Process(server.pid)
    try:
        assert within(30, lambda: len(watched.children()) == 1)
        (child,) = watched.children()
        time.sleep(1)  # it has begun
    finally:
        server.kill()
        server.wait()
    assert within(10, lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
