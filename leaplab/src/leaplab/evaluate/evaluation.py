"""One evaluation, from the integration's folder to a run that is whole."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from leaplab.environments.interpreter import Interpreter
from leaplab.errors import LeaplabError
from leaplab.evaluate.local_runner import LocalRunner
from leaplab.evaluate.parallel_runner import ParallelRunner
from leaplab.evaluate.ray_actor import ActorOrder
from leaplab.evaluate.ray_cluster import connected
from leaplab.evaluate.ray_runner import RayRunner
from leaplab.evaluate.run import Options, Prepared, Runner, carry_out, prepare
from leaplab.evaluate.summary import without_loss
from leaplab.evaluate.worker_count import this_machine, threads_of
from leaplab.project.locate import Project
from leaplab.project.mapping_file import mapping_files
from leaplab.protocol.operations import DESCRIBE
from leaplab.session.opening import Session, open_session
from leaplab.store.writing import WrittenRun

CORES = 2
"""Of a cluster, for each worker where nobody says how many there are to be: one encodes while the other infers."""

Advance = Callable[[int], None]
"""Is told how many samples each finished part had."""


@dataclass(frozen=True)
class Means:
    """By what a run is evaluated.

    Attributes:
        interpreter: to run the integration in; None runs it in this process.
        workers: that evaluate at a time; None chooses.
        on_ray: whether they are actors of a Ray cluster, at `address` or where Ray looks for one.
        variables: of the environment that the actors get; None takes one out.
        memory: bytes that a process of the integration may take.
        time_limit: seconds that a handler may take for a sample.
        skip: whether a sample on which a handler fails is left out.
    """

    interpreter: Interpreter | None
    workers: int | None = None
    on_ray: bool = False
    address: str | None = None
    variables: dict[str, str | None] = field(default_factory=dict)
    memory: int | None = None
    time_limit: float | None = None
    skip: bool = False


class Evaluation:
    """Evaluates what a run lacks.

    Args:
        project: the integration.
        options: of the run; its threads of inference follow from the means, whatever is said there.
        say: is told what happens, a sentence each.
        warn: is told what is wrong with the integration or the run.
    """

    def __init__(
        self,
        project: Project,
        options: Options,
        means: Means,
        say: Callable[[str], None],
        warn: Callable[[Sequence[str]], None],
    ) -> None:
        self._project, self._options, self._means = project, options, means
        self._say, self._warn = say, warn

    def run(self, progress: Callable[[int, int], AbstractContextManager[Advance]]) -> tuple[WrittenRun, bool]:
        """The run, and whether anything was evaluated for it.

        Args:
            progress: of how many samples, and how many of them are done already.

        Raises:
            LeaplabError: see `prepare`, `carry_out` and the runners.
        """
        with ExitStack() as ends:
            workers, cores = self._workers(ends)
            threads = threads_of(workers or 1, cores)
            begun = time.perf_counter()
            session = ends.enter_context(self._bind(threads))
            prepared = ends.enter_context(self._prepared(session, threads))
            store = prepared.store
            if not self._means.skip:
                store.forget_skipped()
            missing = store.missing_parts()
            if not missing:
                return store, False
            start_up = time.perf_counter() - begun
            self._require_threads(store, threads)
            interpreter = self._means.interpreter
            runner: Runner
            if self._means.on_ray and interpreter is not None:
                session.close()  # each actor has its own
                runner = ends.enter_context(closing(self._actors(interpreter, prepared, workers or 1, cores)))
            else:
                opened = session if store.manifest.inference_threads == threads else None
                runner = self._processes(ends, prepared, opened, workers, start_up)
            done = store.samples - sum(part.stop - part.start for part in missing)
            advance = ends.enter_context(progress(store.samples, done))
            carry_out(runner, store, prepared.plan, advance)
        return store, True

    def _workers(self, ends: ExitStack) -> tuple[int | None, int]:
        """How many workers there are to be, None where that is chosen later, and on how many cores."""
        means = self._means
        if means.interpreter is None:
            if means.workers not in (None, 1):
                self._say("With --in-process there is one worker.")
            return 1, this_machine().cores
        if not means.on_ray:
            return means.workers, this_machine().cores
        cluster = ends.enter_context(connected(means.address))
        workers = means.workers or max(1, cluster.cores // CORES)
        counts = {"worker": workers, "node": cluster.nodes, "core": cluster.cores}
        of_workers, *of_cluster = (f"{count} {what}{'' if count == 1 else 's'}" for what, count in counts.items())
        self._say(f"{of_workers} on Ray: {', '.join(of_cluster)}.")
        return workers, cluster.cores

    def _bind(self, inference_threads: int | None, unwanted: threading.Event | None = None) -> Session:
        return open_session(
            self._project,
            self._options.model,
            self._means.interpreter is None,
            self._options.wiring,
            self._means.interpreter,
            memory=self._means.memory,
            inference_threads=inference_threads,
            unwanted=unwanted,
        )

    @contextmanager
    def _prepared(self, session: Session, threads: int) -> Iterator[Prepared]:
        notices = session.notices()
        unscored = without_loss(session.call(DESCRIBE), mapping_files(self._project.root))
        if unscored is not None:
            notices.append(unscored)
        self._warn(notices)
        with prepare(session, replace(self._options, inference_threads=threads), notices) as prepared:
            self._warn(prepared.notices)
            yield prepared

    def _require_threads(self, store: WrittenRun, threads: int) -> None:
        """See that the run's threads of inference, which its bytes depend on, can be had."""
        kept = store.manifest.inference_threads
        if self._means.interpreter is None and kept != threads:
            raise LeaplabError(
                f"{store.path} was begun with other threads of inference, which --in-process cannot give it;"
                " leave that out, or give this one a --name."
            )
        if kept is None:
            self._warn([f"{store.path} is of an earlier leaplab, which noted no threads: one worker goes on with it."])

    def _processes(
        self, ends: ExitStack, prepared: Prepared, session: Session | None, workers: int | None, start_up: float
    ) -> Runner:
        """Of this machine, the first of them in the session where there is one."""
        kept = prepared.store.manifest.inference_threads

        def worker(opened: Session | None = None) -> LocalRunner:
            means, bind = self._means, partial(self._bind, kept)
            return LocalRunner(bind, prepared.load, opened, skip=means.skip, time_limit=means.time_limit)

        first = ends.enter_context(closing(worker(session)))
        number = 1 if kept is None else workers
        return ends.enter_context(closing(ParallelRunner(first, worker, number, start_up, self._say)))

    def _actors(self, interpreter: Interpreter, prepared: Prepared, workers: int, cores: int) -> RayRunner:
        means, options, store = self._means, self._options, prepared.store
        if store.manifest.inference_threads is None:
            workers = 1
        order = ActorOrder(
            self._project,
            interpreter.executable,
            store.place if "://" in store.place else str(store.path.resolve()),
            store.manifest,
            prepared.plan,
            None if options.model is None else options.model.expanduser().resolve(),
            None if options.wiring is None else options.wiring.expanduser().resolve(),
            means.memory,
            means.skip,
            means.time_limit,
            means.variables,
        )
        each = cores // workers if workers <= cores else cores / workers
        return RayRunner(order, workers, each, self._say)
