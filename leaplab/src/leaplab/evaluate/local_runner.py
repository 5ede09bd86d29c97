"""An evaluation in one process of the integration, and in another one where that dies."""

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
        session: the integration.
        load: its model.
        reopen: binds the integration once more, in a fresh process; where it is given, samples on which a handler fails
            are skipped, and so are those on which the process dies.
        time_limit: seconds that a handler may take for a sample.
    """

    def __init__(
        self,
        session: Session,
        load: LoadOrder,
        reopen: Callable[[], Session] | None = None,
        time_limit: float | None = None,
    ) -> None:
        self._session, self._load, self._reopen, self._time_limit = session, load, reopen, time_limit
        self._opened: Session | None = None
        self._bad: list[BadSample] = []
        self._careful: list[tuple[int, int, int]] = []

    def run(self, plan: Plan, parts: Sequence[Part], only: Sequence[str] = ()) -> Iterator[PartResult]:
        """One result a part, in order.

        Args:
            only: groups of columns that are computed, see `EvaluateOrder`.

        Raises:
            LeaplabError: see `leaplab.worker.pipeline.evaluate`; or the process dies, and is not to be skipped over.
        """
        remaining = list(parts)
        while remaining:
            skip = self._reopen is not None
            bad, careful = tuple(self._bad), tuple(self._careful)
            order = EvaluateOrder(plan, tuple(remaining), self._load, skip, bad, careful, tuple(only))
            try:
                for result in self._session.stream(EVALUATE, order, time_limit=self._time_limit):
                    del remaining[0]
                    yield result
                return
            except DeadIntegrationError as death:
                if self._reopen is None:
                    raise
                self._learn_from(death, plan)
                self.close()
                self._session = self._opened = self._reopen()
                self._session.call(LOAD, self._load)

    def close(self) -> None:
        """End the session that this has opened itself, if it has."""
        if self._opened is not None:
            self._opened.close()

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
