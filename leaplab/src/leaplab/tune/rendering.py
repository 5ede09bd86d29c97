"""Simulations in one or more processes of the integration, each with the model of the run."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.evaluate.onnx_surgery import edit_model, is_ort_format
from leaplab.files import cache_folder
from leaplab.population.population import Population
from leaplab.protocol.description import Description
from leaplab.protocol.model import LATENT_SPACE, LoadOrder, ModelSource
from leaplab.protocol.operations import DESCRIBE, LOAD, MODEL, SIMULATE, VECTORS
from leaplab.protocol.simulation import Simulated, SimulationOrder, VectorOrder
from leaplab.session.opening import Session

Bind = Callable[[], AbstractContextManager[Session]]
"""Binds the integration in a fresh process."""

COMPARED = 4
"""Samples of the run whose vectors are computed again."""
SAME = 1e-3
"""Vectors are equal where they differ by less than this share of their length: another machine rounds otherwise."""


class Renderer:
    """Runs simulations, several at a time where there are several processes; what each gives does not depend on it.

    Args:
        sessions: the integration, once a process.
        space: latent space of the vectors.
    """

    def __init__(self, sessions: Sequence[Session], space: str) -> None:
        self._sessions, self.space = list(sessions), space
        self.description: Description = self._sessions[0].call(DESCRIBE)
        self.latent_source = ""

    def load(self, latent_source: str) -> None:
        """Make the model run in each process, with the latent space that a run was made with where that can be.

        Raises:
            LeaplabError: it cannot be run.
        """
        if self.space != LATENT_SPACE:
            return
        model = self._sessions[0].call(MODEL)
        order = _load_order(model, None)
        loaded = self._sessions[0].call(LOAD, order)
        if loaded.latent_source != latent_source and latent_source and ", " not in latent_source:
            # The run was made with --latent.
            order = _load_order(model, latent_source)
            loaded = self._sessions[0].call(LOAD, order)
        for session in self._sessions[1:]:
            session.call(LOAD, order)
        self.latent_source = loaded.latent_source

    def simulate(self, orders: Sequence[SimulationOrder]) -> list[Simulated]:
        """What each order gives.

        Raises:
            LeaplabError: see `leaplab.worker.simulating.simulate`; the first order's that fails.
        """
        count = len(self._sessions)
        if count == 1 or len(orders) == 1:
            return [self._sessions[0].call(SIMULATE, order) for order in orders]

        def one_after_another(session: Session, some: Sequence[SimulationOrder]) -> list[Simulated]:
            return [session.call(SIMULATE, order) for order in some]

        shares = [orders[place::count] for place in range(min(count, len(orders)))]
        with ThreadPoolExecutor(len(shares), "rendering") as threads:
            parts = [threads.submit(one_after_another, *pair) for pair in zip(self._sessions, shares, strict=False)]
            try:
                results = [part.result() for part in parts]
            except BaseException:  # Ctrl-C too: what still renders would be waited for
                for session in self._sessions:
                    session.close()
                raise
        return [results[place % count][place // count] for place in range(len(orders))]

    def require_repeatable(self, order: SimulationOrder) -> str:
        """The digest of what a simulation gives twice: in two processes, where there are two.

        Raises:
            LeaplabError: it gives something else the second time.
        """
        sessions = (self._sessions * 2)[:2] if len(self._sessions) == 1 else self._sessions[:2]
        first, second = (session.call(SIMULATE, order) for session in sessions)
        if first.sha256 != second.sha256 or first.ids != second.ids:
            raise LeaplabError(
                f"The simulation '{order.name}' gives other samples the second time, for the same parameters and the"
                f" seed {order.seed}; let all that is random in it depend on its seed alone."
            )
        return first.sha256

    def vectors(self, state: str, ids: Sequence[str]) -> NDArray[np.float32]:
        """[n, W] of samples of the integration."""
        return self._sessions[0].call(VECTORS, VectorOrder(state, tuple(ids), self.space))


@contextmanager
def renderer(bind: Bind, workers: int, space: str) -> Iterator[Renderer]:
    """A renderer with so many processes; they end with the block.

    Raises:
        LeaplabError: the integration cannot be bound.
    """
    with ExitStack() as stack:
        yield Renderer([stack.enter_context(bind()) for _ in range(workers)], space)


def differences_from(population: Population, rendering: Renderer, rows: NDArray[np.int64]) -> list[str]:
    """What sets the integration, as it is bound, apart from that of the run, a sentence each: distances may be wrong.

    Args:
        rows: of the run, whose vectors are to be compared.

    Raises:
        LeaplabError: the latent spaces have different widths.
    """
    manifest, name = population.store.manifest, population.store.path.name
    told = []
    vectors = population.vectors(rendering.space)
    chosen = rows[np.linspace(0, len(rows) - 1, min(COMPARED, len(rows))).astype(int)]
    changed = manifest.code_sha256 not in ("", rendering.description.code_sha256)
    stored = vectors.values[np.searchsorted(vectors.rows, chosen)]
    try:
        found = np.concatenate(
            [rendering.vectors(population.states[row], [population.ids[row]]) for row in chosen.tolist()]
        )
    except LeaplabError as error:
        code = "; its code has changed since, too" if changed else ""
        return [f"Whether the model is that of {name} cannot be told: {error.args[0].rstrip('.')}{code}."]
    if found.shape[1] != stored.shape[1]:
        raise LeaplabError(
            f"The model gives vectors of {found.shape[1]} numbers, and the run {name} holds vectors of"
            f" {stored.shape[1]}; evaluate it again with --update, or name the integration that it is of."
        )
    apart = np.linalg.norm(found - stored, axis=1) / np.maximum(np.linalg.norm(stored, axis=1), 1e-12)
    if apart.max() > SAME:
        told.append(
            f"The model is not that of {name}: its latent vectors of the run's own samples differ from the stored ones"
            f" by up to {apart.max():.1%}, so distances to the target mean little; evaluate with --update first."
        )
    elif changed:
        told.append(f"The integration's code is not that of {name} any more; the latent vectors are still the same.")
    return told


def _load_order(model: ModelSource, latent: str | None) -> LoadOrder:
    if model.format != "onnx":
        return LoadOrder(latent=latent)
    if is_ort_format(model):
        return LoadOrder()
    return LoadOrder(edited=edit_model(model, latent, cache_folder() / "models"))
