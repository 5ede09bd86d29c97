"""Pictures in the background: kept, in the order of who waits, and none that hangs holds up the others."""

import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leaplab.errors import DeadIntegrationError, IntegrationError, LeaplabError, MissingError
from leaplab.explorer.pictures import PANEL, THUMBNAIL, Pictures
from leaplab.population.population import Population, open_population
from leaplab.protocol.inspection import SampleOrder, Shown, Visual
from tests.leaplab.runs_by_hand import write_run

COUNT = 40


class Painter:
    """Stands for an integration's process: what it is asked for, and what it does with that.

    Attributes:
        asked: operation and id, in order.
        act: called with the id before a picture is drawn.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.act: Callable[[str], object] = lambda sample_id: None
        self.killed = threading.Event()

    def call(self, operation: Any, order: SampleOrder, *, time_limit: float | None = None) -> Any:
        assert time_limit is not None, "a visualizer that hangs must not hang the explorer"
        self.asked.append((operation.name, order.sample_id))
        self.act(order.sample_id)
        if self.killed.is_set():
            raise DeadIntegrationError("The integration's process was ended by SIGKILL.", "was ended by SIGKILL")
        shade = np.full((200, 300, 3), 5 * int(order.sample_id[1:]), np.uint8)
        visual = Visual("photo", "Image", {"data": shade})
        return visual if operation.name == "picture" else Shown([visual], None)

    def kill(self) -> None:
        self.killed.set()

    def close(self) -> None:
        pass


@pytest.fixture
def population(tmp_path: Path) -> Population:
    states = ["training"] * COUNT
    return open_population(write_run(tmp_path / "run", states, {"loss.a": ("float", [1.0] * COUNT)}))


@pytest.fixture
def started() -> Iterator[Callable[..., Pictures]]:
    """`started(population, painters)`: pictures of one process, drawn by one painter after the other."""
    made: list[Pictures] = []

    def make(population: Population, painters: list[Any], **options: Any) -> Pictures:
        def opened() -> Any:
            painter = painters.pop(0)
            if isinstance(painter, LeaplabError):
                raise painter
            return painter

        made.append(Pictures(population, 1, opened=opened, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_thumbnail_is_a_small_webp_of_that_sample_and_drawn_once(population, started) -> None:
    painter = Painter()
    pictures = started(population, [painter])
    content = pictures.thumbnail(7).result(30)
    image = Image.open(BytesIO(content))
    assert (image.format, image.size) == ("WEBP", (144, 96))
    assert np.abs(np.asarray(image).astype(int) - 35).max() <= 2

    assert pictures.thumbnail(7).result(30) == content
    again = started(open_population(population.store.path), [Painter()])
    assert again.thumbnail(7).result(30) == content
    assert painter.asked == [("picture", "s7")]


def test_a_small_picture_keeps_its_pixels(population, started) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    painter = Painter()
    painter.call = lambda *_, **__: Visual("digit", "Image", {"data": pixels})  # type: ignore[method-assign]
    shown = Image.open(BytesIO(started(population, [painter]).thumbnail(0).result(30)))
    np.testing.assert_array_equal(np.asarray(shown), pixels)


def test_a_panel_comes_first_and_then_the_thumbnails_asked_for_last(population, started) -> None:
    painter, gate = Painter(), threading.Event()
    painter.act = lambda sample_id: gate.wait(30) if sample_id == "s0" else None
    pictures = started(population, [painter])
    waiting = [pictures.thumbnail(0)]
    while not painter.asked:
        time.sleep(0.01)
    waiting += [pictures.thumbnail(row) for row in (1, 2, 3)]
    waiting += [pictures.panel(9), pictures.thumbnail(2)]
    gate.set()
    for each in waiting:
        each.result(30)
    order = [sample_id for _, sample_id in painter.asked]
    assert order == ["s0", "s9", "s2", "s3", "s1"]


def test_what_nobody_waits_for_any_more_is_not_drawn(population, started) -> None:
    painter, gate = Painter(), threading.Event()
    painter.act = lambda sample_id: gate.wait(30) if sample_id == "s0" else None
    pictures = started(population, [painter])
    first = pictures.thumbnail(0)
    while not painter.asked:
        time.sleep(0.01)
    abandoned, twice = pictures.thumbnail(5), pictures.thumbnail(6)
    pictures.thumbnail(6)
    pictures.forget(THUMBNAIL, 5)
    pictures.forget(THUMBNAIL, 6)  # one of the two still waits
    gate.set()
    first.result(30)
    twice.result(30)
    pictures.panel(8).result(30)
    assert ("picture", "s5") not in painter.asked
    assert abandoned.cancelled()
    assert pictures.thumbnail(5).result(30), "and who asks again gets it"


def test_one_that_hangs_costs_itself_and_its_process_alone(population, started) -> None:
    def hang(sample_id: str) -> None:
        if sample_id == "s3":
            raise DeadIntegrationError("The handlers did not come to an end within 20 s.", "took longer than 20 s")

    first, second = Painter(), Painter()
    first.act = hang
    pictures = started(population, [first, second])
    assert pictures.panel(1).result(30)
    with pytest.raises(DeadIntegrationError, match="did not come to an end"):
        pictures.panel(3).result(30)
    assert pictures.panel(4).result(30)["visuals"][0]["name"] == "photo"
    assert [sample_id for _, sample_id in second.asked] == ["s4"]


def test_a_sample_that_cannot_be_drawn_ends_no_process(population, started) -> None:
    def refuse(sample_id: str) -> None:
        if sample_id == "s3":
            raise LeaplabError("The input 'image' on sample 's3' of training: no such file.")

    painter = Painter()
    painter.act = refuse
    pictures = started(population, [painter])
    for kind in (pictures.panel, pictures.thumbnail):
        with pytest.raises(IntegrationError, match="no such file"):
            kind(3).result(30)
    assert pictures.panel(4).result(30)


def test_an_integration_that_cannot_be_bound_is_not_bound_for_every_click(population, started, monkeypatch) -> None:
    gone = [LeaplabError("The integration is no longer there.") for _ in range(2)]
    attempts: list[Any] = [*gone, Painter()]
    pictures = started(population, attempts)
    for row in range(4):
        with pytest.raises(IntegrationError, match="no longer there"):
            pictures.panel(row).result(30)
    assert len(attempts) == 2
    monkeypatch.setattr("leaplab.explorer.pictures.RETRY_AFTER", 0.0)
    with pytest.raises(IntegrationError, match="no longer there"):
        pictures.panel(0).result(30)
    assert pictures.panel(0).result(30), "it is tried again after a while"


def test_the_end_waits_for_no_picture(population, started) -> None:
    painter = Painter()
    painter.act = lambda sample_id: painter.killed.wait(30)
    pictures = started(population, [painter])
    drawing, queued = pictures.panel(0), pictures.thumbnail(1)
    while not painter.asked:
        time.sleep(0.01)
    before = time.monotonic()
    pictures.close()
    assert time.monotonic() - before < 2
    with pytest.raises(DeadIntegrationError):
        drawing.result(1)
    assert queued.cancelled()


def test_a_run_that_is_only_to_be_read_has_pictures_too(population, started, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("leaplab.explorer.pictures.written_aside", refuse)
    painter = Painter()
    pictures = started(population, [painter])
    assert pictures.thumbnail(1).result(30) == pictures.thumbnail(1).result(30)
    assert len(painter.asked) == 2


def test_rows_that_do_not_exist_are_told_at_once(population, started) -> None:
    pictures = started(population, [Painter()])
    for kind in (THUMBNAIL, PANEL):
        with pytest.raises(MissingError, match="no sample 40"):
            getattr(pictures, kind)(40)
