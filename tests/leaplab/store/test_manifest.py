import json

import pytest

from leaplab.errors import LeaplabError
from leaplab.store.manifest import SCHEMA, read_manifest, write_manifest

RELEASED = rf"this one reads {SCHEMA}\); evaluate again with --update, or delete it\."


@pytest.fixture
def path(tmp_path, make_manifest):
    manifest = make_manifest({"training": (2, 1)}, {"loss.a": "float"}, notices=("naïve 🐱",))
    write_manifest(tmp_path / "run" / "manifest.json", manifest)
    return tmp_path / "run" / "manifest.json"


def test_manifest_comes_back_as_it_went(path, make_manifest):
    assert read_manifest(path) == make_manifest({"training": (2, 1)}, {"loss.a": "float"}, notices=("naïve 🐱",))
    text = path.read_text()
    assert text.startswith('{\n  "schema": 2,\n  "identity": "one",\n'), "a person reads it, line by line"
    assert text.endswith("\n}\n")
    assert json.loads(text)["parts"][1] == {"number": 1, "state": "training", "start": 2, "stop": 3}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": SCHEMA - 1}, rf" was written by an older version of leaplab \(schema {SCHEMA - 1}, {RELEASED}$"),
        ({"schema": SCHEMA + 1}, rf" was written by another version of leaplab \(schema {SCHEMA + 1}, {RELEASED}$"),
        ({"schema": None}, rf" was written by another version of leaplab \(schema None, {RELEASED}$"),
        ({"parts": "none"}, r"manifest\.json is damaged \(.+\); delete .+ and evaluate again\.$"),
        ({"columns": {"loss.a": {}}}, r"manifest\.json is damaged \(.+\); delete .+ and evaluate again\.$"),
    ],
)
def test_manifest_of_another_schema_or_shape_is_told(path, change, told):
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(LeaplabError, match=told) as error:
        read_manifest(path)
    assert str(error.value).startswith(str(path.parent))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null"])
def test_manifest_that_is_no_manifest_is_told(path, content):
    path.write_bytes(content)

    told = r"manifest\.json cannot be read \(.+\); delete .+ and evaluate again\.$|another version .+ \(schema None"
    with pytest.raises(LeaplabError, match=told):
        read_manifest(path)


def test_folder_without_a_manifest_is_no_run(tmp_path):
    with pytest.raises(LeaplabError, match="holds no manifest.json, so it is no run"):
        read_manifest(tmp_path / "manifest.json")
