"""An integration, bound in *this* process. leaplab's commands reach it through a session, in a child process.

code-loader's binder is one object a process, so a process hosts one integration.
"""

import hashlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.project.locate import Project
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
from leaplab.protocol.script_failure import script_failure
from leaplab.worker.instances import Instance, InstanceReader, instance_counts, masks_encoder
from leaplab.worker.recording import recorded
from leaplab.worker.samples import (
    BUILT_IN_METADATA,
    INSTANCE_METADATA,
    Sample,
    SampleId,
    SampleReader,
    sample_ids_by_state,
    told,
)
from leaplab.worker.wiring import Wiring, read_wiring
from leaplab.worker.wiring_file import read_wiring_file


class Integration:
    """One integration: binds it, checks it as the platform does, and calls its handlers.

    Args:
        project: where it lies.
        model: a model file to use instead of the one that its `tensorleap_load_model` function loads.
        wiring: a wiring file, for an integration without an integration test.
    """

    def __init__(self, project: Project, model: Path | None = None, wiring: Path | None = None) -> None:
        self.project = project
        self._model_file = model
        self._wiring_file = wiring
        os.environ.setdefault("TL_DISABLE_ANALYTICS", "true")
        excepthook = sys.excepthook
        decorators = importlib.import_module("code_loader.inner_leap_binder.leapbinder_decorators")
        sys.excepthook = excepthook  # code-loader installs its own, which would print its table over our errors
        from code_loader import LeapLoader
        from code_loader.contract.enums import DataStateEnum

        self._states = DataStateEnum
        with recorded(decorators) as self._recorded:
            self.loader = LeapLoader(str(project.root), project.entry_file)
            try:
                self._verdict = self.loader.check_dataset()
            except SystemExit as error:
                entry = project.root / project.entry_file
                raise LeaplabError(
                    f"{entry} ends its process while it is bound (sys.exit({error.code!r})); remove that call."
                ) from error
        # code-loader keeps what was printed meanwhile to itself.
        sys.stderr.write(self._verdict.print_log or "")
        if not self._verdict.is_valid:
            raise LeaplabError(_first_failure(self._verdict, project))
        self._tell_what_is_left_out()

    def _tell_what_is_left_out(self) -> None:
        # What is printed while binding becomes a notice of the run.
        for name, handler in _setup_container().custom_latent_spaces.items():
            if handler.computed_at.value == "model" or handler.instance_aware:
                print(
                    f"leaplab leaves out the custom latent space '{name}': only spaces of whole samples are read yet."
                )
        counted = instance_counts(self.loader).values()
        if not self._instance_counts and any(sum(counts.values()) for counts in counted):
            print(
                "leaplab leaves out the element instances, as the platform does: no function is decorated with"
                " tensorleap_instances_masks_encoder."
            )

    @cached_property
    def description(self) -> Description:
        """Everything that the integration declares."""
        setup, setup_container = self._verdict.setup, _setup_container()
        self._refuse_unsupported(setup_container)
        wiring = self._wiring()
        metrics, instance_metrics = self._metrics(wiring)
        declared = {handler.name: handler.metadata_type for handler in setup_container.metadata}
        visualizer_types = {visualizer.name: visualizer.type.value for visualizer in setup.visualizers}
        return Description(
            root=str(self.project.root),
            entry_file=self.project.entry_file,
            states={state: len(ids) for state, ids in self._ids.items()},
            inputs=tuple(InputSpec(i.name, tuple(i.shape), i.channel_dim) for i in setup.inputs),
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
            has_integration_test=_binder().integration_test_func is not None,
            code_sha256=_code_sha256(self.project, self._wiring_file),
            instances={state: sum(counts.values()) for state, counts in self._instance_counts.items()},
            instance_metadata=tuple(
                MetadataSpec(key, type_.value) for key, type_ in (declared.get(INSTANCE_METADATA) or {}).items()
            ),
            instance_metrics=instance_metrics,
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

    @cached_property
    def _ids(self) -> dict[str, list[SampleId]]:
        return sample_ids_by_state(self.loader)

    @cached_property
    def _instance_counts(self) -> dict[str, dict[SampleId, int]]:
        return instance_counts(self.loader) if self._verdict.setup.has_element_instances else {}

    def instance_count(self, state: str, sample_id: SampleId) -> int:
        """Number of element instances of a sample."""
        return self._instance_counts.get(state, {}).get(sample_id, 0)

    def instances(self, state: str, sample_id: SampleId) -> Iterator[Instance | None]:
        """The element instances of a sample, see `InstanceReader.read`."""
        if count := self.instance_count(state, sample_id):
            yield from self._instance_reader.read(state, sample_id, count)

    def sample(self, state: str, sample_id: SampleId) -> Sample:
        """What the handlers say of one sample, see `SampleReader.read`."""
        return self._reader.read(state, sample_id)

    def raw_metadata(self, state: str, sample_id: SampleId) -> dict[str, Any]:
        """Column -> what the metadata functions return for a sample, as they return it."""
        return self._reader.raw_metadata(state, sample_id)

    def run_loss(self, node: Node, state: str, ids: Sequence[SampleId], arguments: dict[str, NDArray[Any]]) -> Any:
        """The result of a custom loss on a batch, as the handler returned it."""
        with self._named_failure(f"loss '{node.column}' on {_range(ids)} of {state}"):
            return self.loader.run_custom_loss(node.handler, np.array(ids), self._states[state], dict(arguments))

    def run_metric(self, node: Node, state: str, ids: Sequence[SampleId], arguments: dict[str, NDArray[Any]]) -> Any:
        """The result of a custom metric on a batch, as the handler returned it."""
        with self._named_failure(f"metric '{node.column}' on {_range(ids)} of {state}"):
            return self.loader.run_metric(node.handler, np.array(ids), self._states[state], dict(arguments))

    def run_instance_metric(
        self, node: Node, state: str, ids: Sequence[SampleId], arguments: dict[str, NDArray[Any]]
    ) -> Any:
        """The result of a custom instances metric on a batch, as the handler returned it."""
        with self._named_failure(f"instance metric '{node.column}' on {_range(ids)} of {state}"):
            return self.loader.run_instance_metric(node.handler, np.array(ids), self._states[state], dict(arguments))

    def run_visualizer(self, node: Node, state: str, sample_id: SampleId, arguments: dict[str, NDArray[Any]]) -> Any:
        """The Leap* object that a visualizer makes of one sample; arguments carry a batch axis of one."""
        with self._named_failure(f"visualizer '{node.column}' on sample '{sample_id}' of {state}"):
            return self.loader.run_visualizer(node.handler, np.array([sample_id]), self._states[state], dict(arguments))

    @cached_property
    def model(self) -> Any:
        """A model file's path (`--model`), or what the integration's own function loads.

        Raises:
            LeaplabError: there is no such function or several, it raised, or it returned nothing to run.
        """
        if self._model_file is not None:
            if not self._model_file.is_file():
                raise LeaplabError(f"The model file {self._model_file} does not exist; correct --model.")
            return self._model_file
        functions = self._recorded.model_functions
        if len(functions) != 1:
            found = "no function" if not functions else f"{len(functions)} functions"
            raise LeaplabError(
                f"{self.project.entry_file} decorates {found} with tensorleap_load_model; name a model by --model FILE."
            )
        function = functions[0]
        with self._named_failure(f"loading the model by '{function.__name__}'"):
            return function()

    @contextmanager
    def _named_failure(self, doing: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # whatever the integration's code raises is shown as a sentence
            raise LeaplabError(f"{doing[0].upper()}{doing[1:]}: {told(error, self.project.root)}") from error

    def _wiring(self) -> Wiring:
        tested = _binder().integration_test_func is not None
        if self._wiring_file is None:
            return read_wiring(self._verdict.engine_file_contract.node_connections or [])
        if tested:
            raise LeaplabError("The integration has an integration test, which tells its wiring; leave out --wiring.")
        setup = self._verdict.setup
        return read_wiring_file(
            self._wiring_file,
            [spec.name for spec in setup.inputs],
            [spec.name for spec in setup.outputs],
            [spec.name for spec in setup.prediction_types],
            {
                section: {handler.name: handler.arg_names for handler in found}
                for section, found in (
                    ("losses", setup.custom_losses),
                    ("metrics", [*setup.metrics, *self.loader.instance_metric_by_name().values()]),
                    ("visualizers", setup.visualizers),
                )
            },
        )

    def _metrics(self, wiring: Wiring) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """The metrics of samples, and those of instances."""
        of_samples, of_instances = self.loader.metric_by_name(), self.loader.instance_metric_by_name()
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
        return SampleReader(self.loader, _setup_container(), types, self.project.root)

    @property
    def masks_encoder(self) -> str:
        """Name of the encoder by which instances are read. Only of an integration that has instances."""
        return str(self._masks_encoder.name)

    @cached_property
    def _masks_encoder(self) -> Any:
        return masks_encoder(_setup_container().instance_masks, self._recorded.masks_encoder)

    @cached_property
    def _instance_reader(self) -> InstanceReader:
        types = {spec.name: spec.type for spec in self.description.instance_metadata}
        return InstanceReader(self.loader, self._masks_encoder, types, self.project.root)

    @staticmethod
    def _refuse_unsupported(setup_container: Any) -> None:
        unsupported = {
            "autoregressive steps": setup_container.autoregressive_step is not None,
            "custom layers": bool(setup_container.custom_layers),
            "false-positive instances": setup_container.false_positive_instances is not None,
        }
        found = [name for name, present in unsupported.items() if present]
        if found:
            raise LeaplabError(f"This integration uses {' and '.join(found)}, which leaplab does not evaluate yet.")


def _binder() -> Any:
    return importlib.import_module("code_loader.inner_leap_binder").global_leap_binder


def _setup_container() -> Any:
    return _binder().setup_container


def _with_directions(node: Node, data: Any) -> Node:
    directions = data.direction if isinstance(data.direction, dict) else {"": data.direction}
    insights = data.compute_insights if isinstance(data.compute_insights, dict) else {"": data.compute_insights}
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
        key = metadata.name.removeprefix(f"{handler}_")
        if isinstance(types, dict) and key != metadata.name and key in types:
            return str(types[key].value)  # type: ignore[return-value]
    return str(metadata.type.value)  # type: ignore[return-value]


def _first_failure(verdict: Any, project: Project) -> str:
    if verdict.general_error:
        return f"{project.root / project.entry_file} cannot be bound: {script_failure(verdict.general_error)}"
    for payload in verdict.payloads:
        if not payload.is_passed:
            reason = next(iter(payload.display.values()), "").splitlines()
            return f"'{payload.name}' fails: {reason[0] if reason else 'no reason given'}"
    return f"{project.root / project.entry_file} is not valid, and code-loader gives no reason."


def _range(ids: Sequence[SampleId]) -> str:
    return f"sample '{ids[0]}'" if len(ids) == 1 else f"the {len(ids)} samples '{ids[0]}' to '{ids[-1]}'"


def _code_sha256(project: Project, wiring: Path | None) -> str:
    """Of every file below the root that this process has imported, of the YAML files beside them, and of the wiring."""
    root = project.root
    imported = {(root / project.entry_file).resolve()}  # code-loader runs it without a place in sys.modules
    imported |= {
        Path(file).resolve()
        for module in list(sys.modules.values())
        if (file := getattr(module, "__file__", None)) and file.endswith(".py")
    }
    own = {path for path in imported if path.is_relative_to(root) and "site-packages" not in path.parts}
    own = {path for path in own if not path.is_relative_to(Path(__file__).resolve().parents[1])}
    settings = {found for folder in {path.parent for path in own} | {root} for found in folder.glob("*.y*ml")}
    digest = hashlib.sha256()
    for path in sorted(own | settings):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    if wiring is not None:  # it may lie elsewhere, and a run without it is another one
        digest.update(b"wiring" + wiring.read_bytes())
    return digest.hexdigest()
