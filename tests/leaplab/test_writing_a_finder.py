"""The finder of docs/writing-a-finder.md, installed as a package would install it."""

import json
import re
import sys
from typing import Any

import numpy as np
import pytest

from tests.leaplab.runs_by_hand import write_run

COUNT = 400


@pytest.fixture
def installed(repository, tmp_path, monkeypatch):
    """The page's function and entry point as a package on the path."""
    text = (repository / "docs" / "writing-a-finder.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    ((name, value),) = re.findall(r'\[project\.entry-points\."leaplab\.insights"\]\n(\w+) = "([\w.:]+)"', text)
    package, module = value.partition(":")[0].split(".")
    site = tmp_path / "site"
    (site / package).mkdir(parents=True)
    (site / package / "__init__.py").write_text("")
    (site / package / f"{module}.py").write_text(code)
    information = site / f"{package}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[leaplab.insights]\n{name} = {value}\n")
    monkeypatch.syspath_prepend(site)
    yield name, code
    for module_name in [each for each in sys.modules if each.partition(".")[0] == package]:
        del sys.modules[module_name]


def written(path, worse) -> Any:
    generator = np.random.default_rng(0)
    border = np.where(np.arange(COUNT) % 4 == 0, 0.3, 0.05)
    loss = generator.exponential(size=COUNT) + worse * (border > 0.2)
    columns = {"input.border_share": ("float", border.tolist()), "loss.a": ("float", loss.tolist())}
    return write_run(path, ["validation"] * COUNT, columns, generator.normal(size=(COUNT, 4))), loss


def test_it_finds_what_it_says(installed, command, tmp_path):
    name, _ = installed
    path, loss = written(tmp_path / "bordered", worse=2)
    told = json.loads(command("insights", path, "--kind", name, "--members", "all", "--json").out)

    first = told["insights"][0]
    assert (first["kind"], first["title"], first["state"]) == (name, "wide borders", "validation")
    scores = [member["score"] for member in first["members"]]
    assert scores == sorted(loss[::4].tolist(), reverse=True)
    assert first["differences"][0]["column"] == "input.border_share"
    wins = (loss[::4][:, None] > np.delete(loss, np.s_[::4])[None]).mean()
    assert first["severity"] == pytest.approx(2 * wins - 1)


def test_it_is_silent_with_a_reason(installed, command, tmp_path):
    name, _ = installed
    path, _ = written(tmp_path / "bordered", worse=0)
    told = json.loads(command("insights", path, "--kind", name, "--json").out)

    assert told["insights"] == []
    assert told["silent"] == [{"kind": name, "reason": "No state does worse on borders of more than 20%."}]


def test_an_edited_finder_is_asked_again(installed, command, tmp_path):
    name, _ = installed
    path, _ = written(tmp_path / "bordered", worse=0)
    command("insights", path, "--kind", name, "--json")
    (file,) = (tmp_path / "site").rglob("borders.py")
    file.write_text(file.read_text().replace("No state does worse", "No state at all does worse"))
    for module_name in [each for each in sys.modules if each.partition(".")[0] == file.parent.name]:
        del sys.modules[module_name]
    told = json.loads(command("insights", path, "--kind", name, "--json").out)

    assert told["silent"][0]["reason"].startswith("No state at all")


def test_it_has_about_thirty_lines(installed):
    _, code = installed
    function = code[code.index("def find") :]

    assert len(function.strip().splitlines()) <= 30
