"""What code-loader's texts are about: taken from code-loader 1.0.214."""

import pytest

from leaplab.check.failures import place_in, topic_of
from leaplab.protocol.observations import handler_in


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        (
            "f() validation failed: The return type should be a numpy array of type float32. Got float64.",
            "encoder.dtype",
        ),
        (
            "f() validation failed: Unsupported return type. Should be a numpy array. Got <class 'list'>.",
            "encoder.array",
        ),
        ("f() validation failed: Unsupported return type. Got <class 'list'>. should be any of", "metadata.type"),
        ("Exception('Metadata weather is None and no metadata type is provided')", "metadata.undeclared"),
        ("AssertionError: More than 800 metadata keys are not allowed, current", "metadata.limits"),
        ("Exception('Sample id are too long. Max allowed length is 256 charecters.')", "ids.long"),
        ("Cannot register custom latent space 'rows': Tensorleap supports at most 10", "latent"),
        ("cannot import name 'tensorleap_custom_latent_space' from 'code_loader'", "other"),
        ("KeyError: 'float32'", "other"),
    ],
)
def test_a_text_has_a_topic(text: str, topic: str) -> None:
    assert topic_of(text, "other") == topic


def test_a_sentence_names_its_place_and_its_handler() -> None:
    text = "Ground truth 'classes' on sample 'a' of training: KeyError: 'a' (encoders/image.py, line 7, in encode)"
    assert place_in(text) == "encoders/image.py:7"
    assert handler_in(text) == "classes"
    assert place_in("'image' fails: KeyError('a') (leap_binder.py line 12)") == "leap_binder.py:12"
    assert place_in("'image' fails: KeyError('a')") == ""
    assert handler_in("The integration cannot be bound: KeyError: 'a'") == ""
