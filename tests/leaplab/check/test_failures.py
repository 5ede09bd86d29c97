"""What code-loader's texts are about: taken from code-loader 1.0.214."""

from types import SimpleNamespace

import pytest

from leaplab.check.failures import place_in, topic_of
from leaplab.protocol.observations import Topic, handler_in
from leaplab.protocol.script_failure import (
    failures_in,
    frames_in,
    how_ended,
    in_plain_words,
    last_printed,
    place,
    reason_of,
)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        (
            "f() validation failed: The return type should be a numpy array of type float32. Got float64.",
            Topic.ENCODER_DTYPE,
        ),
        (
            "f() validation failed: Unsupported return type. Should be a numpy array. Got <class 'list'>.",
            Topic.ENCODER_ARRAY,
        ),
        ("f() validation failed: Unsupported return type. Got <class 'list'>. should be any of", Topic.METADATA_TYPE),
        ("Exception('Metadata weather is None and no metadata type is provided')", Topic.METADATA_UNDECLARED),
        ("AssertionError: More than 800 metadata keys are not allowed, current", Topic.METADATA_LIMITS),
        ("Exception('Sample id are too long. Max allowed length is 256 charecters.')", Topic.IDS_LONG),
        ("Cannot register custom latent space 'rows': Tensorleap supports at most 10", Topic.LATENT),
        ("cannot import name 'tensorleap_custom_latent_space' from 'code_loader'", None),
        ("KeyError: 'float32'", None),
    ],
)
def test_a_text_has_a_topic(text: str, topic: Topic | None) -> None:
    assert topic_of(text) is topic
    assert topic_of(text, Topic.SIMULATION) is (topic or Topic.SIMULATION)


def test_a_sentence_names_its_place_and_its_handler() -> None:
    text = "Ground truth 'classes' on sample 'a' of training: KeyError: 'a' (encoders/image.py, line 7, in encode)"
    assert place_in(text) == "encoders/image.py:7"
    assert handler_in(text) == "classes"
    assert place_in("'image' fails: KeyError('a') (leap_binder.py line 12)") == "leap_binder.py:12"
    assert place_in("'image' fails: KeyError('a')") == ""
    assert handler_in("The integration cannot be bound: KeyError: 'a'") == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "PicklingError: Can't pickle <function twice at 0x7f2d6c945580>: import of module '/data/it' failed",
            "define 'twice' in a module beside the entry file",
        ),
        (
            "PicklingError: Can't pickle <function twice at 0x7f>: it's not the same object as entry.twice",
            "define 'twice' in a module beside the entry file",
        ),
        ("AttributeError: Can't pickle local object 'encode.<locals>.twice'", "stands inside another one"),
        ("AttributeError: Can't get local object 'encode.<locals>.<lambda>'", "stands inside another one"),
    ],
)
def test_what_no_process_can_import_is_told_in_plain_words(text: str, says: str) -> None:
    assert says in in_plain_words(text)
    assert "0x" not in in_plain_words(text)
    assert in_plain_words("KeyError: 'a'") == "KeyError: 'a'"


def test_a_verdict_is_read_in_one_place() -> None:
    passed, failed = (
        SimpleNamespace(is_passed=True),
        SimpleNamespace(is_passed=False, name="image", display={1: "a\nb"}),
    )
    verdict = SimpleNamespace(is_valid=False, general_error="later", payloads=[passed, failed])
    assert failures_in(verdict) == [("image", "a\nb")]
    assert failures_in(SimpleNamespace(is_valid=False, general_error="why", payloads=None)) == [("", "why")]
    assert failures_in(SimpleNamespace(is_valid=False, general_error=None, payloads=[])) == []
    assert failures_in(SimpleNamespace(is_valid=True, general_error=None, payloads=[passed])) == []
    assert reason_of("image", "a\nb") == "'image' fails: a"
    assert reason_of("image", "") == "'image' fails: it gives no reason"
    assert reason_of("", "x\nKeyError: 'a'") == "The integration cannot be bound: KeyError: 'a'"


def test_how_a_process_ended_is_told_in_one_place() -> None:
    assert how_ended(-9) == "was ended by SIGKILL"
    assert how_ended(3) == "ended with exit code 3"
    assert last_printed("a\n\n b \nc\nd\n") == "b | c | d"
    assert last_printed("a\nb\n", lines=1) == "b"
    assert last_printed(" \n") == ""


def test_the_frames_of_a_folder_are_read_off_a_traceback() -> None:
    text = (
        '  File "/it/entry.py", line 3, in run\n  File "/it/.venv/lib/site-packages/x.py", line 5, in y\n'
        '  File "/it/parts/one.py", line 7, in z\n  File "/usr/lib/json.py", line 9, in w\n'
    )
    assert list(frames_in(text, "/it")) == [("entry.py", 3), ("parts/one.py", 7)]
    assert (place("a.py", 3), place("a.py"), place(None, 3)) == ("a.py:3", "a.py", "")
