"""An evaluation from start to finish: plan, session, parts, store."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Description, Node
from leaplab.session.session import Session, describe
from leaplab.store.manifest import SCHEMA, ColumnEntry, Manifest, Part
from leaplab.store.run import Replace, RunStore, safe_name
from leaplab.worker.loading import predictor_of
from leaplab.worker.pipeline import PartResult, evaluate
from leaplab.worker.planning import Plan, make_plan

EVALUATION = 2
"""Raised when the same integration and options give other numbers."""


class Runner(Protocol):
    """Evaluates parts of a plan, in any order, one process or many."""

    def run(self, plan: Plan, parts: Sequence[Part]) -> Iterator[PartResult]:
        """One result a part."""
        ...


class LocalRunner:
    """Evaluates in the session's own process, one part after another."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(self, plan: Plan, parts: Sequence[Part]) -> Iterator[PartResult]:
        return self._session.stream(evaluate, plan, tuple(parts))


@dataclass(frozen=True)
class Options:
    """What a user may choose about an evaluation.

    Attributes:
        runs: the folder of all runs.
        name: of this one; None takes the model file's name.
        model: a model file instead of the integration's own.
        wiring: a wiring file, which the session was opened with.
        states: to evaluate; None takes all.
        limit: the most samples a state.
        replace: which run of the same name may be replaced, see `RunStore.begin`.
    """

    runs: Path
    name: str | None = None
    model: Path | None = None
    wiring: Path | None = None
    states: Sequence[str] | None = None
    limit: int | None = None
    batch_size: int | None = None
    float16: bool = False
    latent: str | None = None
    replace: Replace = "never"


def prepare(session: Session, options: Options, notices: Sequence[str] = ()) -> tuple[RunStore, Plan]:
    """Plan the evaluation and open its run, new or taken up where it stopped.

    Raises:
        LeaplabError: see `RunStore.begin` and `make_plan`.
    """
    description = session.call(describe)
    sizes = {} if options.batch_size is None else {"batch_size": options.batch_size}
    plan = session.call(_plan, options.states, options.limit, options.float16, options.latent, sizes)
    model = session.call(model_facts, options.latent)
    identity = _identity(EVALUATION, description.code_sha256, model.sha256, plan.sha256())
    name = safe_name(options.name or Path(model.name).stem)
    manifest = Manifest(
        schema=SCHEMA,
        identity=identity,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        integration=description.root,
        entry_file=description.entry_file,
        model=model.name,
        model_option=None if options.model is None else str(options.model.expanduser().resolve()),
        model_format=model.format,
        latent_source=model.latent_source,
        states=plan.states,
        parts=plan.parts,
        columns=_columns(description),
        predictions=description.predictions,
        visualizers=tuple(node.column for node in description.visualizers),
        notices=tuple(notices),
        wiring_option=None if options.wiring is None else str(options.wiring.expanduser().resolve()),
        instances=plan.instances,
        instance_columns=_instance_columns(description) if plan.instances else {},
    )
    return RunStore.begin(options.runs / name, manifest, options.replace), plan


def carry_out(runner: Runner, store: RunStore, plan: Plan, progress: Callable[[int], None]) -> None:
    """Evaluate the parts that the run lacks. `progress` is told how many samples each finished part had."""
    missing = {part.number for part in store.missing_parts()}
    for result in runner.run(plan, [part for part in plan.parts if part.number in missing]):
        columns: dict[str, Sequence[Any]] = {f"metadata.{name}": values for name, values in result.metadata.items()}
        columns.update(result.scores)
        confusion = {column: vars(elements) for column, elements in result.confusion.items()}
        instances = None if result.instances is None else result.instances.table()
        store.write_part(result.part, result.ids, columns, result.latents, result.predictions, confusion, instances)
        progress(len(result.ids))


@dataclass(frozen=True)
class ModelFacts:
    """What the manifest says of the model: its file's name, format and digest, and what feeds its head."""

    name: str
    format: str
    sha256: str
    latent_source: str


def model_facts(integration: Any, latent: str | None) -> ModelFacts:
    """Load the model and tell what it is: for `session.call(model_facts, latent)`.

    Raises:
        LeaplabError: it cannot be run, or has no layer `latent`.
    """
    predictor = predictor_of(integration, latent)
    name, sha256 = _model_identity(integration.model)
    return ModelFacts(name, predictor.format, sha256, predictor.latent_source)


def _model_identity(model: Any) -> tuple[str, str]:
    path = model if isinstance(model, Path) else getattr(model, "_model_path", None)
    if path:
        return Path(path).name, hashlib.sha256(Path(path).read_bytes()).hexdigest()
    if content := getattr(model, "_model_bytes", None):
        return "model.onnx", hashlib.sha256(content).hexdigest()
    digest = hashlib.sha256(model.to_json().encode())
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return f"{model.name}.keras", digest.hexdigest()


def _plan(
    integration: Any,
    states: Sequence[str] | None,
    limit: int | None,
    float16: bool,
    latent: str | None,
    sizes: dict[str, int],
) -> Plan:
    return make_plan(integration, states, limit, float16=float16, latent=latent, **sizes)


def _columns(description: Description) -> dict[str, ColumnEntry]:
    columns = {f"metadata.{spec.name}": ColumnEntry(spec.type) for spec in description.metadata}
    columns |= {f"loss.{node.column}": ColumnEntry("float", "downward") for node in description.losses}
    return _distinct(columns | _metric_columns(description.metrics))


def _instance_columns(description: Description) -> dict[str, ColumnEntry]:
    columns = {"name": ColumnEntry("string"), "mask_share": ColumnEntry("float")}
    columns |= {f"metadata.{spec.name}": ColumnEntry(spec.type) for spec in description.instance_metadata}
    return _distinct(columns | _metric_columns(description.instance_metrics))


def _metric_columns(nodes: Sequence[Node]) -> dict[str, ColumnEntry]:
    columns = {}
    for node in nodes:
        for key in dict.fromkeys([*node.directions, *node.insights]):
            name = f"metric.{node.column}_{key}" if key else f"metric.{node.column}"
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
