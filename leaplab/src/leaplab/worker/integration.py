"""An integration, bound in *this* process.

code-loader's binder is one object a process, so a process hosts one integration.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections import Counter
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Sequence

from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.binding import BindOrder, WiringOrder
from leaplab.protocol.description import (
    Description,
    Direction,
    GroundTruthSpec,
    InputSpec,
    MetadataSpec,
    MetadataType,
    Node,
    PredictionSpec,
)
from leaplab.protocol.model import LoadOrder
from leaplab.protocol.plain_text import plain_text
from leaplab.protocol.script_failure import (
    failures_in,
    how_to_have,
    in_plain_words,
    is_of,
    reason_of,
    script_failure,
)
from leaplab.worker.code_loader_access import CodeLoader, SampleId
from leaplab.worker.input_properties import property_names
from leaplab.worker.instances import Instance, InstanceReader, masks_encoder
from leaplab.worker.loading import broken_file, load_predictor
from leaplab.worker.model import Predictor
from leaplab.worker.places import is_below, is_own, told
from leaplab.worker.replaced_functions import replaced_functions
from leaplab.worker.samples import (
    BUILT_IN_METADATA,
    INSTANCE_METADATA,
    Sample,
    SampleReader,
    sample_ids_by_state,
)
from leaplab.worker.simulating import simulation_specs
from leaplab.worker.wanted import EVERYTHING, Wanted
from leaplab.worker.wiring import Wiring, read_wiring
from leaplab.worker.written_wiring import ModelEnds, is_mapping, written_wiring

_TENSORFLOW_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
LEAPLAB = Path(__file__).resolve().parents[1]


class Integration:
    """One integration: binds it, checks it as the platform does, and calls its handlers.

    Args:
        order: where it lies, and what a person gave beside it.
        imported: called when its entry file has been imported, before any data is.

    Raises:
        LeaplabError: it cannot be bound.
    """

    def __init__(self, order: BindOrder, imported: Callable[[], None] = lambda: None) -> None:
        self.root = Path(order.root)
        self._order = order
        if (
            order.inference_threads is not None
        ):  # TensorFlow reads them when it starts, which its import may bring about
            os.environ.update(dict.fromkeys(_TENSORFLOW_THREADS, str(order.inference_threads)))
        try:
            self.code_loader = CodeLoader(order.root, order.entry_file, imported)
        except SystemExit as error:
            raise LeaplabError(
                f"{self._entry} ends its process while it is bound (sys.exit({error.code!r})); remove that call."
            ) from error
        self._verdict = self.code_loader.verdict
        if not self._verdict.is_valid:
            raise LeaplabError(_first_failure(self.code_loader, self._entry, self.root))
        self._predictor: tuple[LoadOrder, Predictor] | None = None

    @property
    def _entry(self) -> Path:
        return self.root / self._order.entry_file

    def notices(self) -> tuple[str, ...]:
        """What leaplab leaves out of the integration, whose wiring it takes, and doubtful ids: a sentence each."""
        notices = [*self._wiring_notices(), *self._id_notices()]
        notices += [
            f"leaplab leaves out the custom latent space '{name}': only spaces of whole samples are read yet."
            for name in self.code_loader.left_out
        ]
        counted = self.code_loader.instances_of().values()
        if not self._instance_counts and any(found for instances in counted for found in instances.values()):
            notices.append(
                "leaplab leaves out the element instances, as the platform does: no function is decorated with"
                " tensorleap_instances_masks_encoder."
            )
        if replaced := replaced_functions():
            notices.append(
                f"The integration replaces {', '.join(replaced)}; what leaplab computes in its process is by these."
            )
        return tuple(notices)

    def _wiring_notices(self) -> list[str]:
        written = self._written_wiring
        if written is None or not is_mapping(written):
            # What a person has written wrongly is told when it is asked for.
            return [] if written is None or self.code_loader.has_integration_test else [_taken(written)]
        notices = [f"leaplab leaves out {told} ({written.path})." for told in self._wiring.left_out]
        return [_taken(written), *notices]

    def _id_notices(self) -> list[str]:
        notices = [
            f"leaplab leaves out the state '{state}', which has no samples." for state in self.code_loader.empty_states
        ]
        for state, ids in self._ids.items():
            doubled = [sample_id for sample_id, count in Counter(ids).items() if count > 1]
            if doubled:
                rest = f" {len(doubled) - 1} more ids occur more than once." if len(doubled) > 1 else ""
                notices.append(
                    f"{ids.count(doubled[0])} samples of {state} have the id '{doubled[0]}', and cannot be told apart;"
                    f" give each its own.{rest}"
                )
        return notices

    @property
    def custom_layers(self) -> dict[str, Any]:
        """Name -> the class of a layer that the integration declares, for Keras to read a model file with."""
        return self.code_loader.custom_layers

    @cached_property
    def description(self) -> Description:
        """Everything that the integration declares."""
        setup = self._verdict.setup
        if unsupported := self.code_loader.unsupported:
            raise LeaplabError(
                f"This integration uses {' and '.join(unsupported)}, which leaplab does not evaluate yet."
            )
        wiring = self._wiring
        metrics, instance_metrics = self._metrics(wiring)
        inputs = tuple(InputSpec(i.name, tuple(i.shape), i.channel_dim) for i in setup.inputs)
        declared = {handler.name: handler.metadata_type for handler in self.code_loader.handlers.metadata}
        visualizer_types = {visualizer.name: visualizer.type.value for visualizer in setup.visualizers}
        return Description(
            root=self._order.root,
            entry_file=self._order.entry_file,
            states={state: len(ids) for state, ids in self._ids.items()},
            inputs=inputs,
            ground_truths=tuple(GroundTruthSpec(o.name, tuple(o.shape)) for o in setup.outputs),
            metadata=tuple(
                MetadataSpec(m.name, _metadata_type(m, declared))
                for m in setup.metadata
                if _owner(m.name, declared) not in BUILT_IN_METADATA
            ),
            predictions=tuple(PredictionSpec(p.name, tuple(p.labels), p.channel_dim) for p in setup.prediction_types),
            model_inputs=tuple(wiring.model_inputs or [i.name for i in setup.inputs]),
            losses=tuple(wiring.losses),
            metrics=metrics,
            visualizers=tuple(
                Node(node.handler, node.column, node.arguments, type=visualizer_types[node.handler])
                for node in wiring.visualizers
            ),
            has_integration_test=self.code_loader.has_integration_test,
            code_sha256=_code_sha256(self._order, self._written_wiring),
            instances={state: sum(counts.values()) for state, counts in self._instance_counts.items()},
            instance_metadata=tuple(
                MetadataSpec(key, type_.value) for key, type_ in (declared.get(INSTANCE_METADATA) or {}).items()
            ),
            instance_metrics=instance_metrics,
            input_properties=property_names(inputs),
            domain_gap_metadata=self.code_loader.domain_gap_metadata,
            ignored_latent_spaces=self.code_loader.ignored_latent_spaces,
            simulations=simulation_specs(self.code_loader),
        )

    def sample_ids(self, state: str) -> list[SampleId]:
        """The ids of a state, in the integration's order.

        Raises:
            LeaplabError: the integration has no such state.
        """
        known = self._ids
        if state not in known:
            raise LeaplabError(f"There is no state '{state}'; this integration has {', '.join(known)}.")
        return list(known[state])

    def sample_id_of(self, state: str, text: str) -> SampleId:
        """The id that a run or a command line knows as text; in the integration it may be a whole number.

        Raises:
            LeaplabError: the integration has no such state, or no such sample in it.
        """
        if state not in self._ids_by_text:
            self._ids_by_text[state] = {plain_text(str(known)): known for known in self.sample_ids(state)}
        by_text = self._ids_by_text[state]
        if text not in by_text:
            some = ", ".join(list(by_text)[:3])
            raise LeaplabError(f"The integration has no sample '{text}' in {state}; its ids are like {some}.")
        return by_text[text]

    @cached_property
    def _ids_by_text(self) -> dict[str, dict[str, SampleId]]:
        return {}

    @cached_property
    def _ids(self) -> dict[str, list[SampleId]]:
        return {state: ids for state, ids in sample_ids_by_state(self.code_loader).items() if ids}

    @cached_property
    def _instance_counts(self) -> dict[str, dict[SampleId, int]]:
        if not self.code_loader.has_element_instances:
            return {}
        return {
            state: {sample_id: len(found) for sample_id, found in instances.items()}
            for state, instances in self.code_loader.instances_of().items()
        }

    def instance_count(self, state: str, sample_id: SampleId) -> int:
        """Number of element instances of a sample."""
        return self._instance_counts.get(state, {}).get(sample_id, 0)

    def instances(self, state: str, sample_id: SampleId) -> Iterator[Instance | None]:
        """The element instances of a sample, see `InstanceReader.read`."""
        if count := self.instance_count(state, sample_id):
            yield from self._instance_reader.read(state, sample_id, count)

    def sample(self, state: str, sample_id: SampleId, wanted: Wanted = EVERYTHING) -> Sample:
        """What the handlers say of one sample, see `SampleReader.read`."""
        return self._reader.read(state, sample_id, wanted)

    def raw_metadata(self, state: str, sample_id: SampleId) -> dict[str, Any]:
        """Column -> what the metadata functions return for a sample, as they return it."""
        return self._reader.raw_metadata(state, sample_id)

    def run_loss(self, node: Node, state: str, ids: Sequence[SampleId], arguments: dict[str, NDArray[Any]]) -> Any:
        """The result of a custom loss on a batch, as the handler returned it."""
        with self._named_failure(f"loss '{node.column}' on {_range(ids)} of {state}"):
            return self.code_loader.run("custom_loss", node.handler, state, ids, arguments)

    def run_metric(self, node: Node, state: str, ids: Sequence[SampleId], arguments: dict[str, NDArray[Any]]) -> Any:
        """The result of a custom metric on a batch, as the handler returned it."""
        with self._named_failure(f"metric '{node.column}' on {_range(ids)} of {state}"):
            return self.code_loader.run("metric", node.handler, state, ids, arguments)

    def run_instance_metric(
        self, node: Node, state: str, ids: Sequence[SampleId], arguments: dict[str, NDArray[Any]]
    ) -> Any:
        """The result of a custom instances metric on a batch, as the handler returned it."""
        with self._named_failure(f"instance metric '{node.column}' on {_range(ids)} of {state}"):
            return self.code_loader.run("instance_metric", node.handler, state, ids, arguments)

    def run_visualizer(self, node: Node, state: str, sample_id: SampleId, arguments: dict[str, NDArray[Any]]) -> Any:
        """The Leap* object that a visualizer makes of one sample; arguments carry a batch axis of one."""
        with self._named_failure(f"visualizer '{node.column}' on sample '{sample_id}' of {state}"):
            try:
                return self.code_loader.run("visualizer", node.handler, state, [sample_id], arguments)
            except Exception:
                if self.code_loader.has_integration_test:
                    raise
                # Visualizers that are older than integration tests were written for one sample, without a batch axis.
                alone = {name: array[0] for name, array in arguments.items()}
                with suppress(Exception):
                    return self.code_loader.run("visualizer", node.handler, state, [sample_id], alone)
                raise

    @cached_property
    def model(self) -> Any:
        """A model file's path (`--model`), or what the integration's own function loads.

        Raises:
            LeaplabError: there is no such function or several, it raised, or it returned nothing to run.
        """
        if self._order.model is not None:
            file = Path(self._order.model)
            if not file.exists():  # a SavedModel is a folder
                raise LeaplabError(f"The model file {file} does not exist; correct --model.")
            return file
        functions = self.code_loader.model_functions
        if len(functions) != 1:
            found = "no function" if not functions else f"{len(functions)} functions"
            raise LeaplabError(
                f"{self._order.entry_file} decorates {found} with tensorleap_load_model; name a model by --model FILE."
            )
        function = functions[0]
        try:
            return function()
        except Exception as error:  # whatever the integration's code raises is shown as a sentence
            reason = broken_file(error, self.root) or told(error, self.root)
            raise LeaplabError(f"Loading the model by '{function.__name__}': {reason}") from error

    def predictor(self, order: LoadOrder | None = None) -> Predictor:
        """The model, made to run; None takes the one that runs already, or else runs it as it is.

        Raises:
            LeaplabError: it cannot be read as a model, or lacks the layer that the order names.
        """
        if self._predictor is None or (order is not None and self._predictor[0] != order):
            order = order or LoadOrder()
            threads = self._order.inference_threads
            self._predictor = order, load_predictor(self.model, order.edited, order.latent, self.custom_layers, threads)
        return self._predictor[1]

    @contextmanager
    def _named_failure(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (Exception, SystemExit) as error:  # whatever the integration's code raises is shown as a sentence
            raise LeaplabError(f"{doing[0].upper()}{doing[1:]}: {told(error, self.root)}") from error

    @property
    def _written_wiring(self) -> WiringOrder | None:
        """The wiring that a file tells. A mapping file, which may be a remnant, gives way to an integration test."""
        written = self._order.wiring
        if written is not None and is_mapping(written) and self.code_loader.has_integration_test:
            return None
        return written

    @cached_property
    def _wiring(self) -> Wiring:
        written = self._written_wiring
        if written is None:
            return read_wiring(self.code_loader.connections)
        if self.code_loader.has_integration_test:
            raise LeaplabError("The integration has an integration test, which tells its wiring; leave out --wiring.")
        setup = self._verdict.setup
        handlers = {
            "losses": setup.custom_losses,
            "metrics": [*setup.metrics, *self.code_loader.instance_metrics().values()],
            "visualizers": setup.visualizers,
        }
        return written_wiring(
            written,
            [spec.name for spec in setup.inputs],
            [spec.name for spec in setup.outputs],
            [spec.name for spec in setup.prediction_types],
            {section: {handler.name: handler.arg_names for handler in found} for section, found in handlers.items()},
            {section: self.code_loader.optional_arguments(section) for section in handlers},
            self._model_ends,
        )

    @cached_property
    def latent_predictions(self) -> frozenset[int]:
        """Outputs of the model that feed custom latent spaces."""
        return frozenset(self._wiring.latent_predictions)

    def _model_ends(self) -> ModelEnds:
        """What the model calls its inputs and outputs.

        Raises:
            LeaplabError: there is no model, or it does not tell.
        """
        model, outputs = self.model, None
        try:
            if isinstance(model, Path):
                predictor: Any = self.predictor()
                session = getattr(predictor, "_session", None)
                # Behind the outputs of a Keras model that runs, there are its latent tensors.
                model, outputs = (predictor._model, predictor._outputs) if session is None else (session, None)
            if hasattr(model, "get_outputs"):
                return ModelEnds([one.name for one in model.get_inputs()], [one.name for one in model.get_outputs()])
            layers = [layer.name for layer in model.layers]
            inputs = [tensor.name.partition(":")[0] for tensor in model.inputs]
            return ModelEnds(inputs, list(model.output_names)[:outputs], layers)
        except AttributeError as error:
            raise LeaplabError("The model does not tell the names of its inputs and outputs.") from error

    def _metrics(self, wiring: Wiring) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """The metrics of samples, and those of instances."""
        of_samples, of_instances = self.code_loader.metrics(), self.code_loader.instance_metrics()
        shared = of_samples.keys() & of_instances.keys() & {node.handler for node in wiring.metrics}
        if shared:
            raise LeaplabError(
                f"A metric of samples and one of instances are both called '{min(shared)}'; rename one of them, for"
                " the wiring tells them apart by their names alone."
            )
        return (
            tuple(_with_directions(n, of_samples[n.handler]) for n in wiring.metrics if n.handler not in of_instances),
            tuple(_with_directions(n, of_instances[n.handler]) for n in wiring.metrics if n.handler in of_instances),
        )

    @cached_property
    def _reader(self) -> SampleReader:
        types = {spec.name: spec.type for spec in self.description.metadata}
        return SampleReader(self.code_loader, types, self.root)

    @property
    def masks_encoder(self) -> str:
        """Name of the encoder by which instances are read. Only of an integration that has instances."""
        return str(self._masks_encoder.name)

    @cached_property
    def _masks_encoder(self) -> Any:
        return masks_encoder(self.code_loader.instance_masks, self.code_loader.masks_encoder)

    @cached_property
    def _instance_reader(self) -> InstanceReader:
        types = {spec.name: spec.type for spec in self.description.instance_metadata}
        return InstanceReader(self.code_loader, self._masks_encoder, types, self.root)


def _with_directions(node: Node, data: Any) -> Node:
    directions = data.direction if isinstance(data.direction, dict) else {"": data.direction}
    computed = getattr(data, "compute_insights", None)
    insights = computed if isinstance(computed, dict) else {"": computed}
    # A direction that is not given is no enum member; the platform takes it for Downward.
    named: dict[str, Direction] = {
        key: "upward" if getattr(value, "value", "") == "Upward" else "downward"
        for key, value in directions.items()
        if value
    }
    wanted = {key: value is not False for key, value in insights.items()}
    return Node(node.handler, node.column, node.arguments, named, wanted)


def _owner(column: str, handlers: Iterable[str]) -> str:
    """The metadata function that a column is of: the longest name that fits."""
    return max((name for name in handlers if column == name or column.startswith(f"{name}_")), key=len, default="")


def _metadata_type(metadata: Any, declared: dict[str, Any]) -> MetadataType:
    """The declared type where code-loader's own reading, which turns every int into a float, loses it."""
    for handler, types in declared.items():
        if types is None:
            continue
        if not isinstance(types, dict) and metadata.name == handler:
            return str(types.value)  # type: ignore[return-value]
        prefix = f"{handler}_"
        key = metadata.name[len(prefix) :] if metadata.name.startswith(prefix) else None
        if isinstance(types, dict) and key in types:
            return str(types[key].value)  # type: ignore[return-value]
    return str(metadata.type.value)  # type: ignore[return-value]


def _first_failure(code_loader: CodeLoader, entry: Path, root: Path) -> str:
    failures = failures_in(code_loader.verdict)
    if not failures:
        return f"{entry} is not valid, and code-loader gives no reason."
    handler, text = failures[0]
    if odd := _odd_ids(text):
        return odd
    if handler == "preprocess" and code_loader.empty_states and "Invalid dataset length" in text:
        empty = " and ".join(f"'{state}'" for state in code_loader.empty_states)
        return (
            f"preprocess gives no samples for {empty}, which code-loader refuses; leave what is empty out of its list."
        )
    if handler:
        plain = in_plain_words(text)
        return reason_of(handler, text) if plain == text else f"'{handler}' fails: {plain}."
    reason = script_failure(text)
    missing = re.search(r"No module named '(\w+)", reason)
    if missing and not is_of(root, missing[1]):
        reason = f"{reason}. {sys.executable} has no '{missing[1]}'; {how_to_have(root)}."
    return f"{entry} cannot be bound: {reason}"


def _odd_ids(reason: str) -> str:
    """The sentence for ids that code-loader does not take; empty where the reason is another one."""
    found = re.search(r"Sample id should be of type (\w+)\. Got: (?:<class ')?([\w.]+)", reason)
    if found is None:
        return ""
    return (
        f"preprocess gives sample ids of type {found[2]}, and code-loader expects {found[1]}; give str(...) of each, or"
        " sample_id_type=int beside whole numbers."
    )


def _taken(written: WiringOrder) -> str:
    return f"What feeds losses, metrics and visualizers is taken from {written.path}."


def _range(ids: Sequence[SampleId]) -> str:
    return f"sample '{ids[0]}'" if len(ids) == 1 else f"the {len(ids)} samples '{ids[0]}' to '{ids[-1]}'"


def _code_sha256(order: BindOrder, wiring: WiringOrder | None) -> str:
    """Of every file below the root that this process has imported, of the YAML files beside them, and of the wiring."""
    root = Path(order.root)
    imported = {(root / order.entry_file).resolve()}  # code-loader runs it without a place in sys.modules
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py"):
            imported.add(Path(file).resolve())
    own = {path for path in imported if is_own(path, root) and not is_below(path, LEAPLAB)}
    settings = {found for folder in {path.parent for path in own} | {root} for found in folder.glob("*.y*ml")}
    digest = hashlib.sha256()
    for path in sorted(own | settings):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    if wiring is not None:  # it may lie elsewhere, and a run without it is another one
        digest.update(b"wiring" + Path(wiring.path).read_bytes())
    return digest.hexdigest()
