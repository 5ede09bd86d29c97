"""code-loader, once it has bound an integration: every use of a name that is private, or that some versions lack.

Written for code-loader 1.0.171 to 1.0.215. What an older version has no word for (groups, simulations, metrics of
element instances, named latent spaces), its integrations cannot use either, and is read as none.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any, Callable, Iterator, Mapping, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError

SampleId = Union[str, int]
FLOAT16_LARGEST = 65504.0


class CodeLoader:
    """A `LeapLoader` that has bound an integration, in the process's one binder.

    Args:
        root: of the integration, absolute.
        entry_file: relative to the root.
        imported: called when the entry file has been imported, before any data is.

    Attributes:
        loader: the `LeapLoader`.
        verdict: what its `check_dataset` said.
        model_functions: what `tensorleap_load_model` decorates.
        masks_encoder: name of the masks encoder that the preprocess of element instances was given; None where it was
            given none that is decorated.
        version: of code-loader.

    Raises:
        LeaplabError: code-loader is missing, or is one that leaplab cannot work with.
        SystemExit: the entry file ends its process.
    """

    def __init__(self, root: str, entry_file: str, imported: Callable[[], None] = lambda: None) -> None:
        os.environ.setdefault("TL_DISABLE_ANALYTICS", "true")
        excepthook = sys.excepthook
        try:
            self._decorators = importlib.import_module("code_loader.inner_leap_binder.leapbinder_decorators")
            from code_loader import LeapLoader
            from code_loader.contract.enums import DataStateEnum
        except ImportError as error:
            raise LeaplabError(
                f"{sys.executable} cannot import code-loader ({error}); install code-loader there."
            ) from error
        finally:
            sys.excepthook = excepthook  # code-loader installs its own, which would print its table over our errors
        self.version = _version()
        self.model_functions: list[Callable[[], Any]] = []
        self.masks_encoder: str | None = None
        self._states = DataStateEnum
        self.loader = LeapLoader(root, entry_file)
        evaluate_module = self._required("evaluate_module")

        def evaluate_module_and_tell() -> None:
            evaluate_module()
            imported()

        self.loader.evaluate_module = evaluate_module_and_tell
        with self._recording():
            self.verdict = self.loader.check_dataset()
        # code-loader keeps what was printed meanwhile to itself.
        sys.stderr.write(getattr(self.verdict, "print_log", None) or "")

    @property
    def handlers(self) -> Any:
        """The binder's handlers."""
        return self._binder.setup_container

    @property
    def has_integration_test(self) -> bool:
        """Whether a function is decorated as one."""
        return getattr(self._binder, "integration_test_func", None) is not None

    @property
    def connections(self) -> Sequence[Any]:
        """The wiring that the integration test told."""
        contract = getattr(self.verdict, "engine_file_contract", None)
        return getattr(contract, "node_connections", None) or []

    @property
    def has_element_instances(self) -> bool:
        """Whether code-loader takes the integration for one with element instances."""
        found = getattr(self.verdict.setup, "has_element_instances", None)
        # Older versions do not say; the masks encoder is what makes one.
        return bool(self.instance_masks) if found is None else bool(found)

    @property
    def instance_masks(self) -> Sequence[Any]:
        """Handlers of masks encoders."""
        return getattr(self.handlers, "instance_masks", None) or []

    @property
    def simulations(self) -> Sequence[Any]:
        """Handlers of simulations."""
        return getattr(self.handlers, "simulations", None) or []

    @property
    def latent_spaces(self) -> Mapping[str, Any]:
        """Custom latent space -> its handler."""
        return getattr(self.handlers, "custom_latent_spaces", None) or {}

    @property
    def domain_gap_metadata(self) -> tuple[str, ...]:
        """Names of the metadata whose values are domains, by the integration's own settings."""
        return self._setting("domain_gap_metadata")

    @property
    def ignored_latent_spaces(self) -> tuple[str, ...]:
        """Names of the latent spaces that the integration's own settings leave out."""
        return self._setting("ignore_latent_spaces")

    @property
    def unsupported(self) -> list[str]:
        """What the integration uses that leaplab does not evaluate."""
        handlers = self.handlers
        found = {
            "autoregressive steps": getattr(handlers, "autoregressive_step", None) is not None,
            "false-positive instances": getattr(handlers, "false_positive_instances", None) is not None,
        }
        return [name for name, is_used in found.items() if is_used]

    @property
    def custom_layers(self) -> dict[str, Any]:
        """Name -> the class of a layer that the integration declares, for Keras to read a model file with."""
        found = getattr(self.handlers, "custom_layers", None) or {}
        return {name: handler.layer for name, handler in found.items()}

    @property
    def left_out(self) -> list[str]:
        """Names of custom latent spaces that leaplab does not read."""
        names = [
            name
            for name, handler in self.latent_spaces.items()
            if name not in self.ignored_latent_spaces
            and (handler.computed_at.value == "model" or getattr(handler, "instance_aware", False))
        ]
        # Older versions know one, without a name.
        return names + (["custom"] if getattr(self.handlers, "custom_latent_space", None) is not None else [])

    @cached_property
    def responses(self) -> dict[str, Any]:
        """State -> what preprocess returned for it."""
        return {state.name: response for state, response in self._required("_preprocess_result")().items()}

    def sample_ids(self) -> dict[str, list[Any]]:
        """State -> ids as code-loader lists them: groups as lists, those of element instances behind the others.

        Raises:
            LeaplabError: an id is neither a text nor a whole number.
        """
        return {
            state.name: [
                [_plain_id(member, state.name) for member in found]
                if isinstance(found, list)
                else _plain_id(found, state.name)
                for found in ids
            ]
            for state, ids in self.loader.get_preprocess_sample_ids().items()
        }

    @property
    def empty_states(self) -> list[str]:
        """States that preprocess gives without samples."""
        return [state for state, response in self.responses.items() if not len(response.sample_ids)]

    def instances_of(self) -> dict[str, dict[SampleId, list[str]]]:
        """State -> sample id -> ids of its element instances; no sample ids where there are no instances."""
        found = {}
        for state in self.loader.get_preprocess_sample_ids():
            instances_of, _ = self.loader.get_instances_data(state)
            found[state.name] = instances_of or {}
        return found

    def flat_sample_ids(self, state: str) -> Sequence[SampleId]:
        """The ids of a state without groups, those of element instances among them."""
        response = self.responses[state]
        ids: Sequence[SampleId] = getattr(response, "flat_sample_ids", response.sample_ids)
        return [_plain_id(sample_id, state) for sample_id in ids]

    def latents(self, state: str, sample_id: SampleId) -> dict[str, NDArray[Any]]:
        """Custom latent space -> the vector of one sample, of those that are not ignored."""
        return self.latents_of(self.responses[state], sample_id)

    def latents_of(self, response: Any, sample_id: SampleId) -> dict[str, NDArray[Any]]:
        """The same of a sample of any response."""
        if not self.latent_spaces:
            return {}
        found = self._required("_get_custom_latent_spaces")(sample_id, response, None) or {}
        return {name: vector for name, vector in found.items() if name not in self.ignored_latent_spaces}

    @property
    def undeclared_metadata(self) -> set[str]:
        """Names of the metadata functions that declare no type."""
        return {handler.name for handler in self.handlers.metadata if getattr(handler, "metadata_type", None) is None}

    def run_simulation(self, name: str, parameters: dict[str, Any], samples: int) -> dict[str, Any]:
        """What code-loader gives for some samples of a simulation, encoded: `sample_ids` and `encoded` among it."""
        found: dict[str, Any] = self._required("run_simulation")(
            name, parameters, n_samples=samples, extend_preprocess=False
        )
        return found

    def simulate(self, name: str, parameters: dict[str, Any], samples: int, seed: int) -> Any:
        """The response that a simulation gives, not encoded, as `LeapLoader.run_simulation` asks for it.

        Raises:
            LeaplabError: it gives something else, or groups; the sentence goes on from the simulation's name.
            Exception: what the simulation raises.
        """
        from code_loader.contract import datasetclasses
        from code_loader.contract.enums import DataStateType

        function = next(each.function for each in self.simulations if each.name == name)
        context: dict[str, bool] = getattr(datasetclasses, "_simulation_context", {})
        context["active"] = True
        try:
            response = function(**parameters, N=samples, seed=seed)
        finally:
            context["active"] = False
        if not isinstance(response, datasetclasses.PreprocessResponse):
            raise LeaplabError(f"returns a {type(response).__name__}; let it return a PreprocessResponse.")
        if is_grouped(response):
            raise LeaplabError("returns groups; let it return a PreprocessResponse of single ids.")
        response.state = DataStateType.additional
        response.tl_generated = True
        return response

    @staticmethod
    def ids_of(response: Any) -> list[SampleId]:
        """The ids of a response that is not grouped.

        Raises:
            LeaplabError: an id is neither a text nor a whole number; the sentence goes on from the simulation's name.
        """
        return [_plain_id(each, "additional") for each in response.sample_ids]

    @staticmethod
    def caller(response: Any) -> Callable[[Any, SampleId], Any]:
        """Calls a handler with a sample of a response; of a grouped one, as a group of one."""
        if is_grouped(response):
            return lambda handler, sample_id: handler.function([sample_id], response)[0]
        return lambda handler, sample_id: handler.function(sample_id, response)

    def metrics(self) -> Mapping[str, Any]:
        """Handler -> what a metric of samples declares; code-loader's own defaults are among them."""
        found: dict[str, Any] = self.loader.metric_by_name()
        return found

    def instance_metrics(self) -> Mapping[str, Any]:
        """Handler -> what a metric of element instances declares."""
        by_name = getattr(self.loader, "instance_metric_by_name", None)
        return {} if by_name is None else by_name()

    def optional_arguments(self, section: str) -> dict[str, set[str]]:
        """Handler of `losses`, `metrics` or `visualizers` -> its arguments that have a default."""
        handlers = self.handlers
        listed = {
            "losses": [(each.custom_loss_handler_data, each) for each in handlers.custom_loss_handlers],
            "metrics": [
                (each.metric_handler_data, each)
                for each in (*handlers.metrics, *(getattr(handlers, "instance_metrics", None) or ()))
            ],
            "visualizers": [(each.visualizer_handler_data, each) for each in handlers.visualizers],
        }
        return {data.name: _with_default(handler.function) for data, handler in listed[section]}

    def run(self, kind: str, handler: str, state: str, ids: Sequence[SampleId], arguments: dict[str, Any]) -> Any:
        """What a `custom_loss`, `metric`, `instance_metric` or `visualizer` returns for a batch."""
        run = self._required(f"run_{kind}")
        return run(handler, np.array(ids), self._states[state], dict(arguments))

    @property
    def _binder(self) -> Any:
        return importlib.import_module("code_loader.inner_leap_binder").global_leap_binder

    def _setting(self, name: str) -> tuple[str, ...]:
        """Names that the integration sets for the analyses; none in a version that has no such setting."""
        settings = getattr(self._binder, "leap_analysis_configuration", None)
        return tuple(str(each) for each in getattr(settings, name, None) or ())

    def _required(self, name: str) -> Any:
        found = getattr(self.loader, name, None)
        if found is None:
            raise LeaplabError(
                f"code-loader {self.version} has no '{name}', which leaplab needs here; install code-loader 1.0.171 or"
                " newer into the integration's environment."
            )
        return found

    @contextmanager
    def _recording(self) -> Iterator[None]:
        """Remember what the decorators are given, and `LeapLoader` does not hand out."""
        decorators = self._decorators
        named: list[tuple[Any, str]] = []
        originals = {
            name: getattr(decorators, name)
            for name in (
                "tensorleap_load_model",
                "tensorleap_instances_masks_encoder",
                "tensorleap_element_instance_preprocess",
            )
            if hasattr(decorators, name)
        }

        def load_model(*args: Any, **kwargs: Any) -> Any:
            decorate = originals["tensorleap_load_model"](*args, **kwargs)

            def remember(function: Callable[[], Any]) -> Any:
                self.model_functions.append(function)
                return decorate(function)

            return remember

        def masks_encoder(name: str) -> Any:
            decorate = originals["tensorleap_instances_masks_encoder"](name)

            def remember(function: Any) -> Any:
                decorated = decorate(function)
                named.append((decorated, name))
                return decorated

            return remember

        def preprocess(*args: Any, **kwargs: Any) -> Any:
            original = originals["tensorleap_element_instance_preprocess"]
            given = inspect.signature(original).bind(*args, **kwargs).arguments.get("instance_mask_encoder")
            self.masks_encoder = next((name for decorated, name in named if decorated is given), None)
            return original(*args, **kwargs)

        recording = {
            "tensorleap_load_model": load_model,
            "tensorleap_instances_masks_encoder": masks_encoder,
            "tensorleap_element_instance_preprocess": preprocess,
        }
        for name in originals:
            setattr(decorators, name, recording[name])
        try:
            yield
        finally:
            for name, original in originals.items():
                setattr(decorators, name, original)


def _plain_id(sample_id: Any, state: str) -> SampleId:
    """An id as Python's own text or integer: numpy's are as good for the handlers, and do not cross to the lab."""
    if isinstance(sample_id, str):
        return str.__str__(sample_id)
    if isinstance(sample_id, (int, np.integer)) and not isinstance(sample_id, bool):
        return int(sample_id)
    raise LeaplabError(
        f"The sample ids of {state} are of type {type(sample_id).__name__}, {sample_id!r} for one; Tensorleap knows"
        " samples by text or by whole numbers, so give str(...) of each."
    )


def _with_default(function: Any) -> set[str]:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # something callable that is not written in Python
        return set()
    return {name for name, parameter in parameters.items() if parameter.default is not inspect.Parameter.empty}


def is_grouped(response: Any) -> bool:
    """Whether the ids of a state are groups."""
    return bool(getattr(response, "is_grouped", False))


def as_float16(arguments: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays as the platform hands them to losses and metrics: float16, but for those that it cannot hold."""
    try:
        from code_loader.utils import simulate_engine_float16_downcast as downcast
    except ImportError:  # an older version; by the platform's rule
        downcast = _downcast
    return {name: downcast(array) for name, array in arguments.items()}


@lru_cache(maxsize=1)
def positive_outcome() -> Any:
    """The outcome that an element of a confusion matrix has where it is expected."""
    from code_loader.contract.enums import ConfusionMatrixValue

    return ConfusionMatrixValue.Positive


def _downcast(value: Any) -> Any:
    if not isinstance(value, np.ndarray) or value.dtype not in (np.float32, np.float64) or not value.size:
        return value
    # NaN fails the comparison, and leaves its array alone.
    return value.astype(np.float16) if float(np.abs(value).max()) <= FLOAT16_LARGEST else value


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("code-loader")
    except PackageNotFoundError:
        return "of an unknown version"
