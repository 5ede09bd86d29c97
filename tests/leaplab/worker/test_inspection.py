import numpy as np
import onnxruntime
import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.operations import VISUALIZE
from leaplab.session.opening import open_session


def test_visualizers_get_the_sample_and_the_model_s_outputs(tiny, tiny_session, plain_functions):
    samples = plain_functions("samples")
    sample = samples.draw("validation", 25, 7)["validation-03"]
    model = onnxruntime.InferenceSession(tiny / "tiny.onnx")
    (guess,) = model.run(None, {"image": sample.image[None], "bias": sample.bias[None]})

    picture, bars = tiny_session.call(VISUALIZE, SampleOrder("validation", "validation-03"))

    assert (picture.name, picture.type, picture.error) == ("picture", "Image", None)
    np.testing.assert_array_equal(picture.fields["data"], (sample.image.clip(0, 1) * 255).astype(np.uint8))
    assert (bars.name, bars.type) == ("probabilities", "HorizontalBar")
    np.testing.assert_allclose(bars.fields["body"], guess[0], rtol=1e-6)
    np.testing.assert_array_equal(bars.fields["gt"], samples.one_hot(sample))
    assert bars.fields["labels"] == ["top", "middle", "bottom"]


def test_visualizer_that_fails_hides_no_other(make_project):
    fault = "    raise ValueError('no colours')\n    return LeapImage("
    root = make_project(changes={"leap_binder.py": ("    return LeapImage(", fault)}, batch=4)
    with open_session(find_project(root)) as session:
        picture, bars = session.call(VISUALIZE, SampleOrder("training", "training-00"))

    assert "isualizer 'picture' on sample 'training-00' of training: ValueError: no colours (leap_binder.py" in str(
        picture.error
    )
    assert picture.fields == {}
    assert bars.error is None
    assert np.shape(bars.fields["body"]) == (3,)


def test_unknown_sample_is_told(tiny_session):
    with pytest.raises(LeaplabError, match="sample 'training-99'"):
        tiny_session.call(VISUALIZE, SampleOrder("training", "training-99"))
