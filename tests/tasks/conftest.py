"""One tester for every loss and metric, in the manner of torchmetrics: same checks, another reference each."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

Handler = Callable[..., NDArray[Any]]
MetricTester = Callable[..., None]


def _agrees_with_the_reference(handler: Handler, reference: Handler, arguments: list[Any], tolerance: float) -> None:
    result = handler(*arguments)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, reference(*arguments), rtol=0, atol=tolerance)


def _takes_float16(handler: Handler, reference: Handler, arguments: list[Any], tolerance: float) -> None:
    # What the platform hands over. The reference sees the same rounded numbers, at full precision.
    rounded = [argument.astype(np.float16) for argument in arguments]
    result = handler(*rounded)
    assert result.dtype == np.float32
    np.testing.assert_allclose(
        result, reference(*[argument.astype(np.float32) for argument in rounded]), rtol=0, atol=tolerance
    )


def _gives_for_a_batch_what_it_gives_one_by_one(
    handler: Handler, reference: Handler, arguments: list[Any], tolerance: float
) -> None:
    batch = len(arguments[0])
    singles = [handler(*[argument[row : row + 1] for argument in arguments]) for row in range(batch)]
    result = handler(*arguments)
    assert len(result) == batch
    np.testing.assert_allclose(result, np.concatenate(singles), rtol=0, atol=1e-6)


def _leaves_its_arguments_alone(handler: Handler, reference: Handler, arguments: list[Any], tolerance: float) -> None:
    before = [argument.copy() for argument in arguments]
    handler(*arguments)
    for argument, original in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(argument, original)


@pytest.fixture(
    params=[
        _agrees_with_the_reference,
        _takes_float16,
        _gives_for_a_batch_what_it_gives_one_by_one,
        _leaves_its_arguments_alone,
    ],
    ids=lambda check: check.__name__.strip("_"),
)
def metric_tester(request: pytest.FixtureRequest) -> MetricTester:
    """`metric_tester(handler, reference, *arguments)`: both take batches; a test that uses it runs once per check."""

    def check(handler: Handler, reference: Handler, *arguments: NDArray[Any], tolerance: float = 1e-6) -> None:
        request.param(handler, reference, list(arguments), tolerance)

    return check
