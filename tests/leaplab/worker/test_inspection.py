import hashlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.protocol.description import Node, Source
from leaplab.protocol.inspection import SampleOrder, Visual
from leaplab.protocol.operations import PICTURE, VISUALIZE
from leaplab.session.opening import open_session
from leaplab.worker import inspection


def test_visualizers_get_the_sample_and_the_model_s_outputs(tiny, tiny_session, plain_functions):
    samples = plain_functions("samples")
    sample = samples.draw("validation", 25, 7)["validation-03"]
    model = onnxruntime.InferenceSession(tiny / "tiny.onnx")
    (guess,) = model.run(None, {"image": sample.image[None], "bias": sample.bias[None]})

    picture, bars = tiny_session.call(VISUALIZE, SampleOrder("validation", "validation-03")).visuals

    assert (picture.name, picture.type, picture.error) == ("picture", "Image", None)
    np.testing.assert_array_equal(picture.fields["data"], (sample.image.clip(0, 1) * 255).astype(np.uint8))
    assert (bars.name, bars.type) == ("probabilities", "HorizontalBar")
    np.testing.assert_allclose(bars.fields["body"], guess[0], rtol=1e-6)
    np.testing.assert_array_equal(bars.fields["gt"], samples.one_hot(sample))
    assert bars.fields["labels"] == ["top", "middle", "bottom"]


def test_what_is_shown_comes_with_the_hash_of_the_inputs(tiny_session, tiny_run, plain_functions, stored_rows):
    sample = plain_functions("samples").draw("validation", 25, 7)["validation-03"]
    digest = hashlib.sha256()
    for array in (sample.bias, sample.image):  # in the order of the encoders
        digest.update(np.asarray(array, np.float32).tobytes())

    shown = tiny_session.call(VISUALIZE, SampleOrder("validation", "validation-03"))

    assert shown.input_hash == digest.hexdigest()[:32]
    (stored,) = [row["input.hash"] for row in stored_rows(tiny_run) if row["sample_id"] == "validation-03"]
    assert shown.input_hash == stored, "what was evaluated has not changed"


def test_visualizer_that_fails_hides_no_other(make_project):
    fault = "    raise ValueError('no colours')\n    return LeapImage("
    root = make_project(changes={"leap_binder.py": ("    return LeapImage(", fault)}, batch=4)
    with open_session(find_project(root)) as session:
        picture, bars = session.call(VISUALIZE, SampleOrder("training", "training-00")).visuals

    assert "isualizer 'picture' on sample 'training-00' of training: ValueError: no colours (leap_binder.py" in str(
        picture.error
    )
    assert picture.fields == {}
    assert bars.error is None
    assert np.shape(bars.fields["body"]) == (3,)


def test_unknown_sample_is_told(tiny_session):
    with pytest.raises(LeaplabError, match="sample 'training-99'"):
        tiny_session.call(VISUALIZE, SampleOrder("training", "training-99"))


def test_picture_is_what_the_plainest_visualizer_shows_and_needs_no_model(make_project, plain_functions):
    fault = "    raise RuntimeError('the model is gone')\n    return"
    root = make_project(changes={"leap_binder.py": ("    return onnxruntime", f"{fault} onnxruntime")}, batch=4)
    sample = plain_functions("samples").draw("validation", 25, 7)["validation-03"]
    with open_session(find_project(root)) as session:
        picture = session.call(PICTURE, SampleOrder("validation", "validation-03"))
        assert picture is not None
        assert (picture.name, picture.error) == ("picture", None)
        np.testing.assert_array_equal(picture.fields["data"], (sample.image.clip(0, 1) * 255).astype(np.uint8))
        with pytest.raises(LeaplabError, match="the model is gone"):
            session.call(VISUALIZE, SampleOrder("validation", "validation-03"))
        with pytest.raises(LeaplabError, match="sample 'validation-99'"):
            session.call(PICTURE, SampleOrder("validation", "validation-99"))


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        ({"frame": None, "boxes": None, "bars": None, "late": None}, "frame"),
        ({"frame": "It failed.", "boxes": None, "bars": None, "late": None}, "boxes"),
        ({"frame": "It failed.", "boxes": "So did it.", "bars": None, "late": None}, "late"),
        ({"frame": "It failed.", "boxes": "So did it.", "bars": None, "late": "And it."}, "It failed."),
    ],
)
def test_picture_is_the_next_plainest_where_one_fails(monkeypatch, drawn, told):
    of_model = {"p": Source("prediction")}
    nodes = [
        Node("late", "late", of_model, type="Image"),
        Node("bars", "bars", {}, type="HorizontalBar"),
        Node("boxes", "boxes", {"truth": Source("ground_truth", "truth")}, type="ImageWithBBox"),
        Node("frame", "frame", {"image": Source("input", "image")}, type="Image"),
    ]
    integration: Any = SimpleNamespace(
        sample_id_of=lambda *_: "a", description=SimpleNamespace(visualizers=nodes), predictor=lambda: None
    )
    monkeypatch.setattr(inspection, "encode", lambda *_, **__: SimpleNamespace(batch=SimpleNamespace()))
    monkeypatch.setattr(inspection, "infer", lambda *_: SimpleNamespace(outputs=[]))
    monkeypatch.setattr(
        inspection, "_visual", lambda _, __, node: Visual(node.column, node.type, {}, drawn[node.column])
    )

    shown = inspection.picture(integration, SampleOrder("training", "a"))

    assert shown is not None
    assert (shown.error or shown.name) == told
