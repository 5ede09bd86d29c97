"""Decorated functions, read off the source without running it."""

from pathlib import Path

import pytest

from leaplab.check.source import read_source, registered_name

CODE = """
from code_loader import decorators as d


@d.tensorleap_input_encoder(name="image", channel_dim=-1)
def encode(sample_id, response):
    return None


@tensorleap_custom_metric("image")
def metric(guess):
    return guess


@tensorleap_metadata(NAME)
def weather(sample_id, response):
    return None
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "binder.py").write_text(CODE, encoding="utf-8")
    return tmp_path


def test_decorated_functions_are_found_by_the_name_of_their_decorator(root: Path) -> None:
    source = read_source(root, ["binder.py", "settings.yaml"])
    found = [(function.decorator, registered_name(function), function.line) for function in source.decorated]
    assert found == [
        ("tensorleap_input_encoder", "image", 6),
        ("tensorleap_custom_metric", "image", 11),
        ("tensorleap_metadata", "weather", 16),
    ]


def test_the_place_of_a_handler_is_its_line(root: Path) -> None:
    source = read_source(root, ["binder.py"])
    assert source.place("image") == "binder.py:6"
    assert source.place("image", "tensorleap_custom_metric") == "binder.py:11"
    assert source.place("weather_today") == "binder.py:16"
    assert source.place("unknown") == "unknown"


def test_what_is_no_python_is_told_of_and_hides_nothing_else(root: Path) -> None:
    (root / "broken.py").write_text("def f(:\n", encoding="utf-8")
    (root / "latin.py").write_bytes("NAME = 'Müller'\n".encode("latin-1"))
    source = read_source(root, ["broken.py", "latin.py", "absent.py", "binder.py"])
    assert [place for place, _ in source.broken] == ["broken.py:1", "latin.py:1"]
    assert len(source.decorated) == 3
