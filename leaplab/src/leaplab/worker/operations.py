"""The function behind each operation of `leaplab.protocol.operations`: of a bound integration and what is asked."""

from __future__ import annotations

from typing import Any, Callable

from leaplab.protocol import operations
from leaplab.protocol.description import Description
from leaplab.protocol.model import LoadedModel, LoadOrder, ModelSource
from leaplab.protocol.observations import Probe
from leaplab.worker.explaining.cells import cells
from leaplab.worker.explaining.explain import explain, layers, shapes
from leaplab.worker.inspection import inspect_sample, picture, visualize
from leaplab.worker.instance_masks import instance_masks
from leaplab.worker.integration import Integration
from leaplab.worker.loading import model_source
from leaplab.worker.pipeline import evaluate
from leaplab.worker.planning import make_plan
from leaplab.worker.probing import probe
from leaplab.worker.simulating import latent_vectors_of, simulate


def _describe(integration: Integration, _: None) -> Description:
    return integration.description


def _model(integration: Integration, _: None) -> ModelSource:
    return model_source(integration.model)


def _load(integration: Integration, order: LoadOrder) -> LoadedModel:
    predictor = integration.predictor(order)
    return LoadedModel(predictor.latent_source, predictor.notices)


def _probe(integration: Integration, _: None) -> Probe:
    return probe(integration)


FUNCTIONS: dict[str, Callable[[Integration, Any], Any]] = {
    operations.DESCRIBE.name: _describe,
    operations.PLAN.name: make_plan,
    operations.MODEL.name: _model,
    operations.LOAD.name: _load,
    operations.EVALUATE.name: evaluate,
    operations.INSPECT.name: inspect_sample,
    operations.VISUALIZE.name: visualize,
    operations.PICTURE.name: picture,
    operations.MASKS.name: instance_masks,
    operations.PROBE.name: _probe,
    operations.SHAPES.name: shapes,
    operations.LAYERS.name: layers,
    operations.CELLS.name: cells,
    operations.EXPLAIN.name: explain,
    operations.SIMULATE.name: simulate,
    operations.VECTORS.name: latent_vectors_of,
}
