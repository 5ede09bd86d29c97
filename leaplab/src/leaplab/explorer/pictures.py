"""Pictures of samples, which the integration draws in processes of its own, in the background.

A thumbnail is what the plainest visualizer shows, as WebP, kept beside the run; the panel of a sample has all of its
visualizers. Who waits for a panel comes before who waits for thumbnails, of which those asked for last come first: they
are what a person sees now. What nobody waits for any more is not drawn.
"""

import base64
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leaplab.errors import DeadIntegrationError, IntegrationError, LeaplabError, MissingError
from leaplab.evaluate.reopen import reopen
from leaplab.explorer.small_pictures import crops_of, thumbnail_of
from leaplab.files import written_aside
from leaplab.population.population import Population
from leaplab.population.samples import HASH_COLUMN
from leaplab.protocol.inspection import Mask, SampleOrder, Visual
from leaplab.protocol.operations import MASKS, PICTURE, VISUALIZE, Answer, Operation
from leaplab.render.outlines import outline_path
from leaplab.render.rendered import render
from leaplab.session.opening import Session

TIME_LIMIT = 20.0
"""Seconds that a sample's visualizers may take."""
PROCESSES = 2
RETRY_AFTER = 10.0
"""Seconds for which an integration that cannot be bound is not bound again."""
ENDING = 3.0
"""Seconds that the processes get to end."""
KEPT_PANELS = 64
THUMBNAIL, PANEL, OUTLINES, CROPS = "thumbnail", "panel", "outlines", "crops"
AT_ONCE = (PANEL, OUTLINES)
"""What somebody looks at one sample for: before all that is drawn for a gallery."""
CHANGED = (
    "The data under this id has changed since the evaluation, or is read otherwise each time: the pictures show what is"
    " there now, the numbers are of what was there then. Evaluate again with --overwrite."
)


@dataclass
class _Job:
    """One picture that somebody waits for.

    Attributes:
        waiting: how many do.
    """

    kind: str
    row: int
    done: Future[Any] = field(default_factory=Future)
    waiting: int = 0


class Pictures:
    """Draws samples of a run.

    Args:
        population: the run.
        processes: the most that draw at the same time.
        time_limit: seconds that a sample may take; its process is ended then, and another one takes its place.
        opened: binds the run's integration.
    """

    def __init__(
        self,
        population: Population,
        processes: int = PROCESSES,
        time_limit: float = TIME_LIMIT,
        opened: Callable[[], Session] | None = None,
    ) -> None:
        self._population = population
        self._time_limit = time_limit
        self._opened = opened or (lambda: reopen(population.store.manifest))
        self._jobs: dict[tuple[str, int], _Job] = {}
        self._stack: list[_Job] = []
        self._changed = threading.Condition()
        self._sessions: list[Session] = []
        self._closed = False
        self._failure: tuple[float, str] | None = None
        self._panels: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._folder = population.store.path / "derived" / "thumbnails" / population.store.manifest.identity[:16]
        self._processes = processes
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Bind the integration now, in the background, so that the first click need not wait for it."""
        with self._changed:
            if not self._threads:
                names = [f"pictures {number}" for number in range(self._processes)]
                self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
                for thread in self._threads:
                    thread.start()

    def close(self, patience: float = ENDING) -> None:
        """End the integration's processes, also those that draw at the moment.

        Args:
            patience: seconds that the threads get to end; one that binds the integration ends only after that.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            for session in self._sessions:
                session.kill()
            for job in self._stack:
                job.done.cancel()
        for thread in self._threads:
            thread.join(timeout=patience)

    def thumbnail(self, row: int) -> "Future[bytes]":
        """A WebP of a sample, see `forget`.

        Raises:
            LeaplabError: there is no such row. The future raises one where the integration cannot draw it.
        """
        path = self._path(self._population.require_row(row))
        try:
            ready: Future[bytes] = Future()
            ready.set_result(path.read_bytes())
            return ready
        except FileNotFoundError:
            return self._wait_for(THUMBNAIL, row)

    def panel(self, row: int) -> "Future[dict[str, Any]]":
        """All visualizers of a sample, as the page takes them, see `leaplab.explorer.model.Panel`; likewise."""
        self._population.require_row(row)
        with self._changed:
            if row in self._panels:
                self._panels.move_to_end(row)
                ready: Future[dict[str, Any]] = Future()
                ready.set_result(self._panels[row])
                return ready
        return self._wait_for(PANEL, row)

    def outlines(self, row: int) -> "Future[list[dict[str, Any]]]":
        """Where the element instances of a sample lie, see `leaplab.explorer.model.Outline`; likewise."""
        return self._wait_for(OUTLINES, self._population.require_row(row))

    def crop(self, row: int, number: int) -> "Future[bytes]":
        """A WebP of an element instance, cut out of its sample; all of a sample are cut at once. Likewise."""
        path = self._path(self._population.require_row(row), number)
        one: Future[bytes] = Future()
        try:
            one.set_result(path.read_bytes())
            return one
        except FileNotFoundError:
            self._wait_for(CROPS, row).add_done_callback(lambda done: _settle(one, done, number))
            return one

    def forget(self, kind: str, row: int) -> None:
        """One that waited for a picture does so no more."""
        with self._changed:
            job = self._jobs.get((kind, row))
            if job is not None:
                job.waiting -= 1

    def _path(self, row: int, number: int | None = None) -> Path:
        return self._folder / (f"{row}.webp" if number is None else f"{row}-{number}.webp")

    def _wait_for(self, kind: str, row: int) -> Future[Any]:
        self.start()
        with self._changed:
            job = self._jobs.get((kind, row))
            if job is None:
                job = self._jobs[kind, row] = _Job(kind, row)
                self._stack.append(job)
            elif job in self._stack:
                self._stack.remove(job)
                self._stack.append(job)
            job.waiting += 1
            self._changed.notify()
            return job.done

    def _next(self) -> _Job | None:
        """The job to do now, what one sample is looked at for first; None at the end."""
        with self._changed:
            while not self._closed:
                self._drop_abandoned()
                urgent = [job for job in self._stack if job.kind in AT_ONCE]
                if self._stack:
                    job = (urgent or self._stack)[-1]
                    self._stack.remove(job)
                    return job
                self._changed.wait()
        return None

    def _drop_abandoned(self) -> None:
        for job in [job for job in self._stack if job.waiting <= 0]:
            self._stack.remove(job)
            del self._jobs[job.kind, job.row]
            job.done.cancel()

    def _work(self) -> None:
        session: Session | None = None
        if self._threads[0] is threading.current_thread():
            session = self._bound(quietly=True)
        while (job := self._next()) is not None:
            try:
                session = session or self._bound()
                assert session is not None
                result = self._drawn(session, job)
            except LeaplabError as error:
                if session is not None and isinstance(error, DeadIntegrationError):
                    self._leave(session)
                    session = None
                self._finish(job, error=error)
            except Exception as error:  # a thread that ends would leave all others waiting
                self._finish(job, error=error)
            else:
                self._finish(job, result)
        if session is not None:
            self._leave(session)

    def _bound(self, quietly: bool = False) -> Session | None:
        """A session of this thread's own.

        Args:
            quietly: give None where there is none to be had.

        Raises:
            IntegrationError: it cannot be bound, or could not a moment ago.
        """
        if self._failure is not None and time.monotonic() - self._failure[0] < RETRY_AFTER:
            raise IntegrationError(self._failure[1])
        try:
            session = self._opened()
        except LeaplabError as error:
            self._failure = (time.monotonic(), str(error))
            if quietly:
                return None  # who clicks a point is told, with the reason
            raise IntegrationError(str(error)) from error
        self._failure = None
        with self._changed:
            if not self._closed:
                self._sessions.append(session)
                return session
        session.close()
        if quietly:
            return None
        raise IntegrationError("The explorer has ended.")

    def _leave(self, session: Session) -> None:
        with self._changed:
            if session in self._sessions:
                self._sessions.remove(session)
        session.close()

    def _drawn(self, session: Session, job: _Job) -> Any:
        order = SampleOrder(self._population.states[job.row], self._population.ids[job.row])
        if job.kind == PANEL:
            shown = self._asked(session, VISUALIZE, order)
            changed = CHANGED if self._has_changed(job.row, shown.input_hash) else None
            return {"visuals": [_for_page(visual) for visual in shown.visuals], "changed": changed}
        if job.kind == OUTLINES:
            return [_outlined(mask) for mask in self._asked(session, MASKS, order)]
        visual = self._asked(session, PICTURE, order)
        if visual is None:
            raise MissingError("No visualizer of the integration shows a sample itself.")
        if visual.error is not None:
            raise IntegrationError(visual.error)
        if job.kind == CROPS:
            masks = self._asked(session, MASKS, order)
            return crops_of(visual, masks)
        return thumbnail_of(visual)

    def _has_changed(self, row: int, now: str | None) -> bool:
        """Whether a sample's inputs are others than those that were evaluated, where the run says which these were."""
        if HASH_COLUMN not in self._population.columns:
            return False
        then = self._population.values(HASH_COLUMN)[row]
        return now is not None and then is not None and now != then

    def _asked(self, session: Session, operation: Operation[SampleOrder, Answer], order: SampleOrder) -> Answer:
        try:
            return session.call(operation, order, time_limit=self._time_limit)
        except DeadIntegrationError:
            raise
        except LeaplabError as error:
            raise IntegrationError(str(error)) from error

    def _finish(self, job: _Job, result: Any = None, error: Exception | None = None) -> None:
        if error is None and job.kind in (THUMBNAIL, CROPS):
            pictures = {None: result} if job.kind == THUMBNAIL else result
            for number, content in pictures.items():
                self._keep(self._path(job.row, number), content)
        with self._changed:
            self._jobs.pop((job.kind, job.row), None)
            if error is None and job.kind == PANEL:
                self._panels[job.row] = result
                while len(self._panels) > KEPT_PANELS:
                    self._panels.popitem(last=False)
        if job.done.cancelled():
            return
        if error is None:
            job.done.set_result(result)
        else:
            job.done.set_exception(error)

    def _keep(self, path: Path, content: bytes) -> None:
        try:
            with written_aside(path) as aside:
                aside.write_bytes(content)
        except OSError:
            return  # a run that is only to be read: it is drawn again the next time


def _for_page(visual: Visual) -> dict[str, Any]:
    if visual.error is not None:
        return {"name": visual.name, "type": visual.type, "error": visual.error}
    try:
        rendered = render(visual)
    except LeaplabError as error:
        return {"name": visual.name, "type": visual.type, "error": str(error)}
    png = "data:image/png;base64," + base64.b64encode(rendered.png).decode("ascii")
    shown = {
        "name": visual.name,
        "type": visual.type,
        "png": png,
        "width": rendered.width,
        "height": rendered.height,
    }
    return {**shown, "data": rendered.data} if rendered.data else shown


def _settle(one: "Future[bytes]", done: "Future[dict[int, bytes]]", number: int) -> None:
    """Give who waits for one object of a sample what became of all of them."""
    if not one.set_running_or_notify_cancel():
        return
    if done.cancelled():
        one.set_exception(IntegrationError("The picture is not drawn any more."))
    elif (error := done.exception()) is not None:
        one.set_exception(error)
    elif number in done.result():
        one.set_result(done.result()[number])
    else:
        one.set_exception(MissingError(f"The mask of object {number} is empty, so that there is nothing to show."))


def _outlined(mask: Mask) -> dict[str, Any]:
    height, width = mask.inside.shape
    return {
        "number": mask.number,
        "box": mask.box,
        "path": outline_path(mask.inside),
        "width": width,
        "height": height,
        "size": mask.size,
    }
