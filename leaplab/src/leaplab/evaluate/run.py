"""An evaluation from start to finish: plan, session, parts, store."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from leaplab.errors import LeaplabError
from leaplab.evaluate.keeping import WrittenPart, keep
from leaplab.evaluate.onnx_surgery import edit_model, is_ort_format
from leaplab.files import cache_folder, file_name
from leaplab.protocol.description import Description, Node
from leaplab.protocol.model import LoadOrder, ModelSource, without_latent
from leaplab.protocol.operations import DESCRIBE, LOAD, MODEL, PLAN
from leaplab.protocol.plan import Part, Plan, PlanOrder
from leaplab.protocol.results import PartResult
from leaplab.session.opening import Session
from leaplab.store.columns import INPUT, LOSS, METADATA, METRIC, column_of, key_column
from leaplab.store.history import HISTORY, History, beside_model, read_history
from leaplab.store.lock import locked
from leaplab.store.manifest import SCHEMA, ColumnEntry, Manifest, RunInterpreter
from leaplab.store.removing import clear_leftovers
from leaplab.store.writing import Replace, WrittenRun

EVALUATION = 3
"""Raised when the same integration and options give other numbers."""


class Runner(Protocol):
    """Evaluates parts of a plan, in any order, one process or many."""

    def run(
        self, plan: Plan, parts: Sequence[Part], only: Sequence[str] = ()
    ) -> Iterator[PartResult] | Iterator[WrittenPart]:
        """One result a part, or what has been written of it; of some groups of columns alone where they are named."""
        ...


@dataclass(frozen=True)
class Options:
    """What a user may choose about an evaluation.

    Attributes:
        runs: the folder of all runs.
        name: of this one; None takes the model file's name.
        model: a model file instead of the integration's own.
        wiring: a wiring file, which the session was opened with.
        order: which samples, and how; the plan is made of it.
        replace: which run of the same name may be replaced, see `WrittenRun.begin`.
        only: groups of columns to compute again of the run that is there, see `WrittenRun.begin_again`; none given,
            all that it lacks.
        history: of the model's training; None looks for one beside the model, and a run does without.
        inference_threads: that the session was opened with; a run that is taken up keeps its own.
    """

    runs: Path
    name: str | None = None
    model: Path | None = None
    wiring: Path | None = None
    order: PlanOrder = field(default_factory=PlanOrder)
    replace: Replace = "never"
    only: tuple[str, ...] = ()
    history: Path | None = None
    inference_threads: int | None = None


@dataclass(frozen=True)
class Prepared:
    """An evaluation that can begin.

    Attributes:
        load: the model to evaluate with.
        notices: what a person should know of a run with this model, a sentence each; the run's manifest has them too.
    """

    store: WrittenRun
    plan: Plan
    load: LoadOrder
    notices: tuple[str, ...] = ()


@contextmanager
def prepare(session: Session, options: Options, notices: Sequence[str] = ()) -> Iterator[Prepared]:
    """Plan the evaluation and open its run, new or taken up where it stopped; within, no other process may write it.

    Raises:
        LeaplabError: a state does not exist, the model cannot be run, the history that is named is none, another
            process writes the run, or see `WrittenRun.begin` and `WrittenRun.begin_again`.
    """
    named = None if options.history is None else read_history(options.history.expanduser())
    description = session.call(DESCRIBE)
    plan = session.call(PLAN, options.order)
    model = session.call(MODEL)
    load, without = load_order(model, options.order.latent)
    loaded = session.call(LOAD, load)
    found, unread = (named, ()) if named is not None else _history_beside(model)
    said = (*without, *loaded.notices, *unread)
    basis = basis_of(model, plan)
    name = file_name(options.name or Path(model.name).stem)
    manifest = Manifest(
        schema=SCHEMA,
        identity=identity_of(description, model, plan),
        basis=basis,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        integration=description.root,
        entry_file=description.entry_file,
        model=model.name,
        model_option=None if options.model is None else str(options.model.expanduser().resolve()),
        model_format=model.format,
        latent_source=loaded.latent_source,
        states=plan.states,
        parts=plan.parts,
        columns=_columns(description),
        predictions=description.predictions,
        visualizers=tuple(node.column for node in description.visualizers),
        notices=(*notices, *said),
        wiring_option=None if options.wiring is None else str(options.wiring.expanduser().resolve()),
        instances=plan.instances,
        instance_columns=_instance_columns(description) if plan.instances else {},
        interpreter=RunInterpreter(
            str(session.interpreter.executable),
            ".".join(map(str, session.interpreter.version)),
        ),
        code_sha256=description.code_sha256,
        domains=_domains(description),
        inference_threads=options.inference_threads,
    )
    run = options.runs / name
    if run.is_symlink():  # what is replaced is the run, not the link
        run = run.resolve()
    with locked(run):
        clear_leftovers(run)
        store = (
            WrittenRun.begin_again(run, manifest, options.only)
            if options.only
            else WrittenRun.begin(run, manifest, options.replace)
        )
        if found is not None and (named is not None or not (run / HISTORY).exists()):
            store.write_history(found)
        yield Prepared(store, plan, load, said)


def _history_beside(model: ModelSource) -> tuple[History | None, tuple[str, ...]]:
    """The history of a model's training where it lies beside the model; what is to be said where that is none."""
    path = None if model.path is None else beside_model(Path(model.path))
    if path is None or not path.is_file():
        return None, ()
    try:
        return read_history(path), ()
    except LeaplabError as error:
        return None, (f"The run has no history of the training: {error}",)


def load_order(model: ModelSource, latent: str | None) -> tuple[LoadOrder, tuple[str, ...]]:
    """The order to load a model, and what is to be said of it.

    An ONNX model's graph is edited here, where the package onnx is; a Keras model's in the integration's process.

    Args:
        latent: see `Plan`.

    Raises:
        LeaplabError: the model has no such tensor, or cannot be edited.
    """
    if model.format != "onnx":
        return LoadOrder(latent=latent), ()
    if not is_ort_format(model):
        return LoadOrder(edited=edit_model(model, latent, cache_folder() / "models")), ()
    if latent is not None:
        raise LeaplabError(f"{model.name} is in onnxruntime's own format, of which --latent can name no tensor.")
    return LoadOrder(), (without_latent("its model is in onnxruntime's own format (.ort), which tells no graph"),)


def identity_of(description: Description, model: ModelSource, plan: Plan) -> str:
    """What decides whether two evaluations are the same, see `Manifest`."""
    return _identity(basis_of(model, plan), description.code_sha256)


def basis_of(model: ModelSource, plan: Plan) -> str:
    """The same without the code."""
    return _identity(EVALUATION, model.sha256, plan_sha256(plan))


def plan_sha256(plan: Plan) -> str:
    """Of everything that decides the run's bytes, apart from code and model."""
    return hashlib.sha256(msgspec.json.encode(plan, order="deterministic")).hexdigest()


def carry_out(runner: Runner, store: WrittenRun, plan: Plan, progress: Callable[[int], None]) -> None:
    """Evaluate the parts that the run lacks. `progress` is told how many samples each finished part had."""

    def run(parts: Sequence[Part], only: Sequence[str] = ()) -> None:
        for found in runner.run(plan, parts, only):
            if keep(store, found, again=bool(only)):
                progress(found.part.stop - found.part.start)

    if outdated := store.outdated_parts():
        run(outdated, store.manifest.updates[-1].groups)
    if missing := store.missing_parts():
        run(missing)
    store.finish()


def _columns(description: Description) -> dict[str, ColumnEntry]:
    columns = {column_of(METADATA, spec.name): ColumnEntry(spec.type) for spec in description.metadata}
    columns |= {column_of(INPUT, name): ColumnEntry(type_) for name, type_ in description.input_properties.items()}
    columns |= {column_of(LOSS, node.column): ColumnEntry("float", "downward") for node in description.losses}
    return _distinct(columns | _metric_columns(description.metrics))


def _domains(description: Description) -> tuple[str, ...]:
    """Columns whose values are domains. An older code-loader does not look whether such metadata is declared."""
    declared = {spec.name for spec in description.metadata}
    return tuple(column_of(METADATA, name) for name in description.domain_gap_metadata if name in declared)


def _instance_columns(description: Description) -> dict[str, ColumnEntry]:
    columns = {"name": ColumnEntry("string"), "mask_share": ColumnEntry("float")}
    columns |= {column_of(METADATA, spec.name): ColumnEntry(spec.type) for spec in description.instance_metadata}
    return _distinct(columns | _metric_columns(description.instance_metrics))


def _metric_columns(nodes: Sequence[Node]) -> dict[str, ColumnEntry]:
    columns = {}
    for node in nodes:
        for key in dict.fromkeys([*node.directions, *node.insights]):
            name = key_column(column_of(METRIC, node.column), key)
            insights = node.insights.get(key, node.insights.get("", True))
            columns[name] = ColumnEntry("float", node.directions.get(key, node.directions.get("")), insights)
    return columns


def _distinct(columns: dict[str, ColumnEntry]) -> dict[str, ColumnEntry]:
    folded: dict[str, str] = {}
    for name in columns:
        if folded.setdefault(name.lower(), name) != name:  # one column to DuckDB
            raise LeaplabError(
                f"'{folded[name.lower()]}' and '{name}' differ only in upper and lower case; rename one."
            )
    return columns


def _identity(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
