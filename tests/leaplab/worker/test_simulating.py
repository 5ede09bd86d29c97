"""Simulations in the integration's process, against the integration's own functions and numpy."""

import hashlib
from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.evaluate.onnx_surgery import edit_model
from leaplab.project.locate import find_project
from leaplab.protocol.description import SimulationParameter
from leaplab.protocol.model import LoadOrder
from leaplab.protocol.operations import DESCRIBE, LOAD, MODEL, SIMULATE, VECTORS
from leaplab.protocol.simulation import SimulationOrder, VectorOrder
from leaplab.session.opening import open_session
from tests.leaplab import tuned

GIVEN = {"light": 0.2, "tint": 0.1, "place": 3, "lying": "across"}


@pytest.fixture(scope="module")
def session(tmp_path_factory: Any) -> Any:
    root = tuned.make(tmp_path_factory.mktemp("tuned") / "integration")
    with open_session(find_project(root)) as opened:
        edited = edit_model(opened.call(MODEL), None, tmp_path_factory.mktemp("models"))
        opened.call(LOAD, LoadOrder(edited=edited))
        yield opened


def test_the_simulations_are_part_of_the_description(session):
    scene, light, faulty = session.call(DESCRIBE).simulations

    assert (scene.name, light.name, faulty.name) == ("scene", "light", "faulty")
    assert scene.parameters == (
        SimulationParameter("light", "float", -1.0, 1.0),
        SimulationParameter("tint", "float", -1.0, 1.0),
        SimulationParameter("place", "int", 0, 9),
        SimulationParameter("lying", "string", values=("across", "upright")),
    )
    assert [each.name for each in light.parameters] == ["light"]


@pytest.mark.parametrize("batch_size", [4, 32])
def test_samples_are_encoded_and_seen_by_the_model(session, batch_size):
    pictures = tuned.draw()(10, (11, 6), **GIVEN)
    found = session.call(SIMULATE, SimulationOrder("scene", GIVEN, 10, 6, batch_size=batch_size, inputs=True))

    assert found.ids == [f"made/{number}" for number in range(10)]
    np.testing.assert_array_equal(found.inputs["picture"], pictures)
    np.testing.assert_allclose(found.vectors, tuned.vectors_of(pictures), atol=1e-5)
    assert found.vectors.dtype == np.float32
    assert found.sha256 == hashlib.sha256(pictures.tobytes()).hexdigest()


def test_inputs_stay_where_they_are_unless_they_are_asked_for(session):
    assert session.call(SIMULATE, SimulationOrder("scene", GIVEN, 3, 6)).inputs == {}


def test_parameters_and_seed_reach_the_simulation(session):
    def asked(seed: Any, **changed: Any) -> Any:
        return session.call(SIMULATE, SimulationOrder("scene", {**GIVEN, **changed}, 4, seed)).sha256

    first = asked(0)
    assert asked(0) == first
    assert len({first, asked(1), asked(0, light=0.3), asked(0, place=4), asked(0, lying="upright")}) == 5


def test_a_space_of_the_integrations_own(session):
    pictures = tuned.draw()(5, (11, 0), **GIVEN)
    found = session.call(SIMULATE, SimulationOrder("scene", GIVEN, 5, 0, space="colours"))

    np.testing.assert_allclose(found.vectors, pictures.mean(axis=(1, 2)), atol=1e-6)
    with pytest.raises(LeaplabError, match="The integration has no latent space 'rows' any more"):
        session.call(SIMULATE, SimulationOrder("scene", GIVEN, 5, 0, space="rows"))


def test_vectors_of_the_integrations_own_samples(session):
    target = tuned.draw()(60, 10, **tuned.TARGET)
    found = session.call(VECTORS, VectorOrder("unlabeled", ("u7", "u3")))

    np.testing.assert_allclose(found, tuned.vectors_of(target[[7, 3]]), atol=1e-5)
    with pytest.raises(LeaplabError, match="The integration has no sample 'u99' of unlabeled any more"):
        session.call(VECTORS, VectorOrder("unlabeled", ("u7", "u99")))


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("raises", r"'faulty' with way=raises fails: RuntimeError: the engine is cold \(leap_binder.py, line \d+"),
        ("exits", r"'faulty' with way=exits fails: it ends its process \(sys.exit\('no licence'\)\)"),
        ("fewer", "'faulty' gives 5 samples for N=6; let it give as many as it is asked"),
        ("more", "'faulty' gives 12 samples for N=6"),
        ("twice", "'faulty' gives the id 'made/0' more than once"),
        ("nothing", "'faulty' returns a NoneType; let it return a PreprocessResponse"),
        ("grouped", "'faulty' returns groups; let it return a PreprocessResponse of single ids"),
        ("shape", r"'faulty': The input 'picture' of sample 'made/0' has shape \(9, 10, 3\)"),
        ("dtype", "'faulty': The input 'picture' of sample 'made/0' is float64"),
        ("nan", "'faulty': The input 'picture' of sample 'made/5' holds NaN"),
        ("odd_ids", "'faulty' The sample ids of additional are of type float"),
        ("encoder", r"'faulty': Input 'picture' on sample 'other/6' of additional: IndexError: .* \(leap_binder.py"),
    ],
)
def test_what_a_simulation_does_wrong_is_a_sentence(session, way, told):
    with pytest.raises(LeaplabError, match=told):
        session.call(SIMULATE, SimulationOrder("faulty", {"way": way}, 6, 0))


def test_the_process_goes_on_after_a_failure(session):
    assert len(session.call(SIMULATE, SimulationOrder("faulty", {"way": "fine"}, 6, 0)).ids) == 6


def test_a_simulation_that_is_not_there(session):
    with pytest.raises(LeaplabError, match="There is no simulation 'rain'; this integration has scene, light, faulty"):
        session.call(SIMULATE, SimulationOrder("rain", {}, 6, 0))
