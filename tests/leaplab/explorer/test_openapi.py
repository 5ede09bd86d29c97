"""Whatever is asked, the server answers as its OpenAPI document says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from leaplab.explorer.application import make_application, openapi_document
from leaplab.store.run import RunStore
from tests.leaplab.runs_by_hand import write_run

HOST = "testserver"
PICTURES = ("thumbnail", "visuals", "heatmap", "outlines", "similar-region")
"""Ends of the paths that need an integration, which this run has not; see test_application.py."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = Path(tmp_path_factory.mktemp("explorer"))
    (folder / "index.html").write_text("<p>the page</p>")
    generator = np.random.default_rng(0)
    columns = {
        "metadata.label": ("string", ["cat", "dog", None] * 10),
        "metadata.note": ("string", [f"n{k}" for k in range(30)]),
        "loss.a": ("float", generator.normal(size=30).tolist()),
    }
    run = write_run(folder / "run", ["training"] * 20 + ["test"] * 10, columns, generator.normal(size=(30, 4)))
    return schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", make_application(RunStore.open(run), folder, hosts=(HOST,))
    )


OPERATIONS = [
    (path, method)
    for path, methods in openapi_document()["paths"].items()
    for method in methods
    if not path.endswith(PICTURES)
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_are_those_of_the_document(api: Any, path: str, method: str) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(api[path][method].as_strategy())
    def answers(case: Any) -> None:
        response = case.call(headers={"origin": f"http://{HOST}"})
        # A condition, a column or a row of the right form may still be none of this run: it is refused in a sentence.
        case.validate_response(response, excluded_checks=[positive_data_acceptance])

    answers()
