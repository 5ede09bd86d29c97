"""A run's model, cut for its heat-maps, in a session with the run's integration that stays open."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.evaluate.head_cut import Cutter
from leaplab.evaluate.onnx_surgery import edit_model, is_ort_format
from leaplab.evaluate.reopen import reopen
from leaplab.files import cache_folder
from leaplab.protocol.cuts import FeatureMap
from leaplab.protocol.description import Description
from leaplab.protocol.explaining import CellsOrder, ExplainOrder, Layer, LayersOrder, ShapesOrder, SplitModel
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.model import EditedModel, LoadOrder, ModelSource
from leaplab.protocol.operations import DESCRIBE, LAYERS, LOAD, MODEL, SHAPES
from leaplab.session.opening import Session
from leaplab.store.manifest import Manifest

INSTEAD = "so that patches of the input are taken away instead (occlusion)"


class ModelCuts:
    """Cuts the model of a run's integration, which is bound when it is first needed.

    Args:
        manifest: of the run.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._splits: dict[tuple[str, ...], SplitModel] = {}

    @cached_property
    def session(self) -> Session:
        """With the integration, its model running.

        Raises:
            LeaplabError: it cannot be bound, or its model not be run.
        """
        session = reopen(self._manifest)
        try:
            source = session.call(MODEL)
            edited = None
            if source.format == "onnx" and not is_ort_format(source):
                edited = self._edited(source)
            session.call(LOAD, LoadOrder(edited=edited))
        except BaseException:
            session.close()
            raise
        self._source, self._edited_model = source, edited
        return session

    def close(self) -> None:
        """End the session, if there is one."""
        opened = self.__dict__.pop("session", None)
        if opened is not None:
            opened.close()

    def cut(self, order: ExplainOrder) -> tuple[ExplainOrder, tuple[str, ...]]:
        """An order with the model cut where it can be, else for another method, and what is to be said of that.

        Raises:
            LeaplabError: the layer is none that a map can be taken of, or the method needs another kind of model.
        """
        order = replace(order, input=order.input or self._default_input())
        if order.method == "occlusion":
            return order, ()
        session = self.session
        if self._source.format == "keras":  # its own Keras cuts it, where it runs
            return order, ()
        if order.method == "gradient":
            raise QuestionError(
                f"Gradients are taken of Keras models alone, and {self._source.name} is an"
                f" {self._source.format.upper()} model; take --method ablation, which needs none."
            )
        if self._edited_model is None:
            why = f"{self._source.name} tells no graph that it could be cut in"
            if order.layer:
                raise QuestionError(f"{why}; leave out --layer.")
            return replace(order, method="occlusion"), (f"{why}, {INSTEAD}.",)
        cutter = self._cutter(order.sample)
        position = self._position(session.call(DESCRIBE), order.input)
        maps = [cutter.named(order.layer)] if order.layer else cutter.cuts(position).chosen(self._is_dense(order))
        if not maps:
            integers = ", whose convolutions compute with integers," if cutter.is_quantized else ""
            why = (
                f"The model{integers} has no feature map of more than one cell between '{order.input}' and its outputs"
            )
            return replace(order, method="occlusion"), (f"{why}, {INSTEAD}.",)
        return replace(order, split=self._split(cutter, maps)), ()

    def of_region(self, sample: SampleOrder, input_name: str, layer: str) -> CellsOrder:
        """What asks for the cells of a sample: those of the last map that all ways lead through, or of the finest head.

        Raises:
            LeaplabError: the model has no map over that input, or there is no such input or layer.
        """
        session = self.session
        name = input_name or self._default_input()
        if self._source.format == "keras":
            return CellsOrder(sample, (sample,), name, layer=layer)
        without = "so that no region has vectors of its own; look for whole samples."
        if self._edited_model is None:
            raise MissingError(f"{self._source.name} tells no graph that it could be cut in, {without}")
        cutter = self._cutter(sample)
        position = self._position(session.call(DESCRIBE), name)
        maps = [cutter.named(layer)] if layer else cutter.cuts(position).chosen(dense=True)
        if not maps:
            raise MissingError(f"The model has no feature map of more than one cell over '{name}', {without}")
        finest = max(maps, key=lambda each: each.height * each.width)
        return CellsOrder(sample, (sample,), name, self._split(cutter, [finest]))

    def layers(self, sample: SampleOrder, input_name: str) -> list[Layer]:
        """Where the model can be cut, from its inputs on.

        Raises:
            LeaplabError: it tells no graph, or there is no such input.
        """
        session = self.session
        if self._source.format == "keras":
            return session.call(LAYERS, LayersOrder(sample, input_name))
        if self._edited_model is None:
            raise MissingError(f"{self._source.name} tells no graph, so that it has no layers to name.")
        cutter = self._cutter(sample)
        cuts = cutter.cuts(self._position(session.call(DESCRIBE), input_name or self._default_input()))
        deep = None if cuts.deep is None else cuts.deep.tensor
        heads = {each.tensor for each in cuts.chosen(False)}
        return [
            Layer(each, ", ".join(use for use, is_it in (("head", name in heads), ("deep", name == deep)) if is_it))
            for name, each in cutter.maps.items()
        ]

    def _edited(self, source: ModelSource) -> EditedModel:
        folder = cache_folder() / "models"
        edited = edit_model(source, None, folder)
        found, wanted = ", ".join(tensor for tensor, _ in edited.features), self._manifest.latent_source
        if wanted and wanted != found:  # the run took its latent space from another tensor, by --latent
            try:
                return edit_model(source, wanted, folder)
            except LeaplabError:
                return edited
        return edited

    def _cutter(self, sample: SampleOrder) -> Cutter:
        if "_measured" not in self.__dict__:
            assert self._edited_model is not None
            cutter = Cutter(self._edited_model)
            path, count = cutter.shapes_model()
            *shapes, rows = self.session.call(SHAPES, ShapesOrder(sample, str(path), count))
            cutter.measure(shapes, int(rows[0]))
            self._measured = cutter
        return self._measured

    def _split(self, cutter: Cutter, maps: Sequence[FeatureMap]) -> SplitModel:
        names = tuple(each.tensor for each in maps)
        if names not in self._splits:
            self._splits[names] = cutter.split(maps)
        return self._splits[names]

    def _is_dense(self, order: ExplainOrder) -> bool:
        """Whether the target is one of many numbers that a dense output holds."""
        kind = order.target.kind
        return kind == "detection" or (kind in ("class", "instance") and self._measured.is_dense)

    def _default_input(self) -> str:
        description = self.session.call(DESCRIBE)
        specs = {spec.name: spec for spec in description.inputs}
        names = [name for name in description.model_inputs if name in specs]
        return next((name for name in names if len(specs[name].shape) == 3), names[0])

    def _position(self, description: Description, name: str) -> int:
        if name not in description.model_inputs:
            raise MissingError(f"The model has no input '{name}'; it has {', '.join(description.model_inputs)}.")
        return list(description.model_inputs).index(name)

    def __enter__(self) -> "ModelCuts":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
