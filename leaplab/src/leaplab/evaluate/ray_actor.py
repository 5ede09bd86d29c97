"""What runs on a node of a Ray cluster: it owns a process of the integration, and writes parts where the run lies."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from leaplab.environments.choosing import choose_interpreter
from leaplab.errors import DeadIntegrationError, LeaplabError
from leaplab.evaluate.keeping import WrittenPart, write_files
from leaplab.evaluate.local_runner import LocalRunner
from leaplab.evaluate.run import identity_of, load_order
from leaplab.project.locate import Project
from leaplab.protocol.operations import DESCRIBE, LOAD, MODEL
from leaplab.protocol.plan import Part, Plan
from leaplab.session.opening import Session, open_session
from leaplab.store.manifest import Manifest, read_manifest
from leaplab.store.parts import PartEntry
from leaplab.store.remote import run_folder
from leaplab.store.run import refreshed
from leaplab.store.writing import WrittenRun


@dataclass(frozen=True)
class ActorOrder:
    """What an actor evaluates, and how.

    Attributes:
        project: at the same place on each node, as are `model`, `wiring` and `python`.
        python: interpreter to run the integration in.
        memory: bytes that its process may take.
        run: the run's folder, which all nodes see, or its URL.
        manifest: of the run.
        skip, time_limit: see `LocalRunner`.
        variables: of the environment; None takes one out, which Ray sets by itself.
    """

    project: Project
    python: Path
    run: str
    manifest: Manifest
    plan: Plan
    model: Path | None = None
    wiring: Path | None = None
    memory: int | None = None
    skip: bool = False
    time_limit: float | None = None
    variables: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What an actor answers. Errors are told and not raised: not every one of them survives the way.

    Attributes:
        node: the actor's machine.
        entry: of a part whose files are written; None where it cannot be kept, or there is an error.
        error: a sentence for the person.
        dead: whether the integration's process has died.
    """

    node: str
    entry: PartEntry | None = None
    error: str | None = None
    dead: bool = False


class Evaluator:
    """Evaluates parts of a run, one at a time."""

    def __init__(self, order: ActorOrder) -> None:
        self._order = order
        self._node = socket.gethostname()
        self._session: Session | None = None
        self._runner: LocalRunner | None = None
        self._store: WrittenRun | None = None

    def start(self) -> Told:
        """Open the integration, and see that it is the one that the run is of."""
        for name, value in self._order.variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        try:
            self._start()
        except LeaplabError as error:
            self.close()
            return Told(self._node, error=str(error))
        return Told(self._node)

    def evaluate(self, part: Part, only: Sequence[str]) -> Told:
        """Evaluate a part, and write its files."""
        assert self._runner is not None
        assert self._store is not None, "an actor is started before it is given a part"
        # A worker that was lost while it renewed the part may have left it without some of what stays.
        again = bool(only) and self._store.is_outdated(part)
        try:
            (result,) = self._runner.run(self._order.plan, (part,), only if again else ())
            written: WrittenPart = write_files(self._store, result, again)
        except DeadIntegrationError as death:
            return Told(self._node, error=str(death), dead=True)
        except LeaplabError as error:
            return Told(self._node, error=str(error))
        return Told(self._node, written.entry)

    def close(self) -> None:
        """End the integration's process."""
        for opened in (self._runner, self._session):
            if opened is not None:
                opened.close()
        self._runner = self._session = None

    def _start(self) -> None:
        """
        Raises:
            LeaplabError: the node lacks something, or has something else.
        """
        order = self._order
        self._store = self._opened_run()
        if not (order.project.root / order.project.entry_file).is_file():
            raise LeaplabError(f"{order.project.root} is not on {self._node}; put the integration there, too.")
        if not order.python.exists():
            raise LeaplabError(
                f"{order.python}, the integration's Python, is not on {self._node}; make the environment there, too."
            )
        interpreter = choose_interpreter(order.project.root, order.python)
        version, wanted = ".".join(map(str, interpreter.version)), order.manifest.interpreter
        if wanted is not None and version != wanted.version:
            raise LeaplabError(
                f"{order.python} is Python {version} on {self._node} and {wanted.version} here; make them the same."
            )
        bind: Any = partial(
            open_session,
            order.project,
            order.model,
            False,
            order.wiring,
            interpreter,
            memory=order.memory,
            inference_threads=order.manifest.inference_threads,
        )
        self._session = session = bind()
        description, model = session.call(DESCRIBE), session.call(MODEL)
        if identity_of(description, model, order.plan) != order.manifest.identity:
            raise LeaplabError(
                f"{order.project.root} on {self._node} has other code or another model than here; copy it there anew."
            )
        load, _ = load_order(model, order.plan.latent)
        session.call(LOAD, load)
        self._runner = LocalRunner(
            lambda unwanted: bind(unwanted=unwanted), load, session, skip=order.skip, time_limit=order.time_limit
        )

    def _opened_run(self) -> WrittenRun:
        """
        Raises:
            LeaplabError: the node does not see the run, or sees another one.
        """
        folder = run_folder(self._order.run)
        refreshed(folder)
        path = folder / "manifest.json"
        if not path.is_file() or read_manifest(path).identity != self._order.manifest.identity:
            raise LeaplabError(
                f"{self._order.run} on {self._node} is not the folder that it is here; name by --runs one that all"
                " nodes see, at the same path."
            )
        return WrittenRun(folder, self._order.manifest)
