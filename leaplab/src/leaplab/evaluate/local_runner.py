"""An evaluation in one process of the integration, and in another one where that dies."""

import threading
from collections.abc import Callable, Iterator, Sequence

from leaplab.errors import DeadIntegrationError
from leaplab.protocol.model import LoadOrder
from leaplab.protocol.operations import EVALUATE, LOAD, BadSample, EvaluateOrder
from leaplab.protocol.plan import Part, Plan
from leaplab.protocol.results import PartResult
from leaplab.session.opening import Session


class LocalRunner:
    """Evaluates one part after another, with the model as `prepare` had it loaded.

    Args:
        bind: binds the integration in a fresh process, which is unwanted once the event is set.
        load: its model.
        session: that is open already, and has the model loaded; without one, `start` opens it.
        skip: leave out samples on which a handler fails, or on which the process dies.
        time_limit: seconds that a handler may take for a sample.
    """

    def __init__(
        self,
        bind: Callable[[threading.Event], Session],
        load: LoadOrder,
        session: Session | None = None,
        *,
        skip: bool = False,
        time_limit: float | None = None,
    ) -> None:
        self._bind, self._load, self._session = bind, load, session
        self._skip, self._time_limit = skip, time_limit
        self._opened: Session | None = None
        self._ended = threading.Event()
        self._ending = threading.Lock()
        self._bad: list[BadSample] = []
        self._careful: list[tuple[int, int, int]] = []

    def start(self) -> Session:
        """The session, opened where there is none yet.

        Raises:
            LeaplabError: the integration cannot be bound, its model not loaded, or `kill` was called meanwhile.
        """
        if self._session is not None:
            return self._session
        opened = self._bind(self._ended)
        with self._ending:
            self._session = self._opened = opened
            if self._ended.is_set():
                opened.kill()
        opened.call(LOAD, self._load)
        return opened

    def run(self, plan: Plan, parts: Sequence[Part], only: Sequence[str] = ()) -> Iterator[PartResult]:
        """One result a part, in order.

        Args:
            only: groups of columns that are computed, see `EvaluateOrder`.

        Raises:
            LeaplabError: see `leaplab.worker.pipeline.evaluate`; or the process dies, and is not to be skipped over.
        """
        remaining = list(parts)
        while remaining:
            bad, careful = tuple(self._bad), tuple(self._careful)
            order = EvaluateOrder(plan, tuple(remaining), self._load, self._skip, bad, careful, tuple(only))
            session = self.start()
            try:
                for result in session.stream(EVALUATE, order, time_limit=self._time_limit):
                    del remaining[0]
                    yield result
                return
            except DeadIntegrationError as death:
                if not self._skip or self._ended.is_set():
                    raise
                self._learn_from(death, plan)
                with self._ending:
                    self._session = None
                self.close()

    def kill(self) -> None:
        """End the process from another thread than the one that waits for it; one that is just starting ends too."""
        with self._ending:
            self._ended.set()
            if self._session is not None:
                self._session.kill()

    def close(self) -> None:
        """End the session that this has opened itself, if it has."""
        with self._ending:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _learn_from(self, death: DeadIntegrationError, plan: Plan) -> None:
        """Leave out the sample that a process died on, or look closer at those that it may have died on.

        Raises:
            DeadIntegrationError: nothing can be learnt: it would only happen again.
        """
        if len(death.places) == 1 and death.places[0].stop - death.places[0].start == 1:
            (place,) = death.places
            bad = BadSample(place.part, place.start, place.handler, f"The integration's process {death.how}.")
            if any((known.part, known.offset) == (bad.part, bad.offset) for known in self._bad):
                raise death
            self._bad.append(bad)
            return
        closer = [(place.part, place.start, place.stop) for place in death.places]
        if not closer or all(each in self._careful for each in closer):
            raise death
        self._careful += closer
