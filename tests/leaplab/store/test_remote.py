"""Runs at a URL: read from memory and from servers of HTTP and S3, and written there."""

import functools
import http.server
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaplab import open_run
from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.session.opening import open_session
from leaplab.store.catalog import catalog, delete_run, verify_run
from leaplab.store.remote import run_folder, runs_folder
from leaplab.store.run import RunStore

pytestmark = pytest.mark.installed("fsspec")
numbers = count()
ONE_MORE = "scores.cross_entropy(truth, guess)", "scores.cross_entropy(truth, guess) + 1"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder."""
    monkeypatch.setenv("LEAPLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def url() -> Iterator[str]:
    """A folder of runs in memory."""
    import fsspec

    url = f"memory://bucket{next(numbers)}/runs"
    yield url
    fsspec.filesystem("memory").rm(url, recursive=True) if objects(url) else None


@pytest.fixture(scope="module")
def run(tiny: Path, evaluated: Callable[..., RunStore], tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """A run of several parts in a folder."""
    with open_session(find_project(tiny)) as session:
        return evaluated(tmp_path_factory.mktemp("runs"), tiny, 7, session=session)


def upload(run: Path, url: str, name: str | None = None) -> str:
    """Put a run's folder at a URL without leaplab; the run's URL."""
    import fsspec

    system = fsspec.filesystem(url.partition(":")[0])
    target = f"{url}/{name or run.name}"
    for file in files_of(run):
        system.pipe_file(f"{target}/{file}", (run / file).read_bytes())
    return target


def files_of(run: Path) -> list[str]:
    found = [path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()]
    return sorted(path for path in found if not path.startswith((".", "derived/")))


def objects(url: str) -> dict[str, bytes]:
    """Every file below a URL, read without leaplab; of the manifest all but the time of its writing."""
    import fsspec

    system, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    found = {path[len(root) + 1 :]: system.cat_file(path) for path in system.find(root)}
    return {path: timeless(path, content) for path, content in found.items()}


def contents(run: Path) -> dict[str, bytes]:
    return {path: timeless(path, (run / path).read_bytes()) for path in files_of(run)}


def timeless(path: str, content: bytes) -> bytes:
    if not path.endswith("manifest.json"):
        return content
    manifest = json.loads(content)
    for written in (manifest, *manifest["updates"]):
        del written["created"]
    return json.dumps(manifest).encode()


@pytest.mark.parametrize("relative", [True, False], ids=["upwards", "absolute"])
def test_an_entry_that_leads_out_of_the_run_is_none(run, url, tmp_path, relative):
    import fsspec

    target = upload(run.path, url)
    open_run(target)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    path = os.path.relpath(precious, run_folder(target)) if relative else str(precious)
    system, root = fsspec.core.url_to_fs(target)
    entry = json.loads(system.cat_file(f"{root}/parts/00000.json"))
    more = entry["files"] | {path: {"size": 4, "sha256": "0" * 64}}
    system.pipe_file(f"{root}/parts/00000.json", json.dumps(entry | {"files": more}).encode())
    with pytest.raises(LeaplabError, match="1 of 8 parts are missing or damaged"):
        open_run(target)

    system.pipe_file(f"{root}/parts/00000.json", json.dumps(entry).encode())
    assert open_run(target).ids == open_run(run.path).ids  # what a former entry had, and this one lacks, is dropped
    assert precious.read_text() == "mine"


def assert_same(one: RunStore, other: RunStore) -> None:
    """Everything that a run can be asked for."""
    assert one.states == other.states
    assert list(one.columns()) == list(other.columns())
    names = ["sample_id", "state", *one.columns()]
    for values, others in zip(one.read(names).values(), other.read(names).values(), strict=True):
        assert np.array_equal(np.asarray(values, str), np.asarray(others, str))
    assert one.row(8) == other.row(8)
    for space in one.latent_spaces():
        assert np.array_equal(one.latent(space), other.latent(space))
    for name, values in one.thumbnails().items():
        assert np.array_equal(values, other.thumbnails()[name])
    for spec in one.manifest.predictions:
        rows = [np.asarray(each.prediction(spec.name, 3)) for each in (one, other)]
        whole = [np.asarray(each.stored("predictions", spec.name)) for each in (one, other)]
        assert np.array_equal(rows[0], rows[1])
        assert np.array_equal(whole[0], whole[1])
    for column in one.confusion_metrics:
        assert np.array_equal(one.confusion(column).row, other.confusion(column).row)


def test_run_at_a_url_is_the_run_of_the_folder(run: RunStore, url: str) -> None:
    there = open_run(upload(run.path, url))
    here = open_run(run.path)

    assert_same(run, RunStore.open(there.path))
    assert there.name == here.name
    assert there.similar([here.ids[4]]).table() == here.similar([here.ids[4]]).table()
    assert [entry.name for entry in catalog(runs_folder(url))] == [run.path.name]
    assert open_run(None, url).ids == here.ids
    assert open_run(run.path.name, url + "/").ids == here.ids
    assert set(objects(url)) == {f"{run.path.name}/{file}" for file in files_of(run.path)}  # nothing is added there


def test_what_is_not_needed_is_not_fetched_and_nothing_twice(
    run: RunStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    place, asked = upload(run.path, url), list[str]()
    for name in ("cat_file", "get_file"):
        function = getattr(MemoryFileSystem, name)

        def noted(self: Any, path: str, *rest: Any, function: Any = function, **named: Any) -> Any:
            asked.append(path.partition("/runs/")[2].partition("/")[2])
            return function(self, path, *rest, **named)

        monkeypatch.setattr(MemoryFileSystem, name, noted)
    opened = open_run(place)
    assert {path.partition("/")[0] for path in asked} == {"manifest.json", "parts", "history.csv"}
    asked.clear()
    opened.read("loss.cross_entropy")
    assert sorted(set(asked)) == [f"samples/{part.number:05d}.parquet" for part in run.manifest.parts]
    asked.clear()
    open_run(place).read("loss.cross_entropy")
    assert sorted(asked) == ["history.csv", "manifest.json", "manifest.json"]


def test_run_that_was_replaced_is_read_anew(
    run: RunStore, make_project: Callable[..., Path], evaluated: Callable[..., RunStore], url: str, tmp_path: Path
) -> None:
    before = RunStore.open(run_folder(upload(run.path, url))).latent("model")
    other = evaluated(tmp_path, make_project(seed=4), 7)  # other numbers in files of the same sizes
    remove(url)
    upload(other.path, url)

    after = RunStore.open(run_folder(f"{url}/tiny"))
    assert_same(other, after)
    assert not np.allclose(after.latent("model"), before)


def remove(url: str) -> None:
    import fsspec

    fsspec.filesystem(url.partition(":")[0]).rm(url, recursive=True)


def test_damage_is_told(run: RunStore, url: str) -> None:
    import fsspec

    place = upload(run.path, url)
    file = next(path for path in files_of(run.path) if path.startswith("latent/"))
    content = (run.path / file).read_bytes()
    fsspec.filesystem("memory").pipe_file(f"{place}/{file}", content[:-1] + bytes([content[-1] ^ 1]))
    opened = RunStore.open(run_folder(place))
    with pytest.raises(LeaplabError, match="is not what was written; evaluate that run again, which mends it"):
        opened.latent("model")
    assert verify_run(run_folder(place)) == [file]
    with pytest.raises(LeaplabError, match=f"{place} is incomplete: 1 of 8 parts are missing"):
        open_run(place)


def test_run_written_to_a_url_is_that_of_a_folder(
    run: RunStore, tiny: Path, evaluated: Callable[..., RunStore], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    put_file, order = MemoryFileSystem.put_file, list[str]()

    def noted(self: Any, local: str, remote: str, *rest: Any, **named: Any) -> Any:
        order.append(remote.partition("/tiny/")[2])
        return put_file(self, local, remote, *rest, **named)

    monkeypatch.setattr(MemoryFileSystem, "put_file", noted)
    done: list[int] = []

    def stop_after_two(samples: int) -> None:
        done.append(samples)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluated(runs_folder(url), tiny, 7, progress=stop_after_two)
    with pytest.raises(LeaplabError, match=f"{url}/tiny is incomplete: 6 of 8 parts are missing"):
        open_run(f"{url}/tiny")
    first = len(order)
    store = evaluated(runs_folder(url), tiny, 7)

    assert objects(f"{url}/tiny") == contents(run.path)
    assert not [path for path in order[first:] if path.endswith(("00000.npy", "00001.npy"))]  # not done again
    assert order[0] == "manifest.json"
    for number in range(8):
        mine = [place for place, path in enumerate(order) if Path(path).stem == f"{number:05d}"]
        assert order[mine[len({order[m] for m in mine}) - 1]] == f"parts/{number:05d}.json"  # its entry comes last
    assert {path.split("/")[0] for path in files_of(store.path)} == {"manifest.json", "parts"}  # the disk is kept free
    assert_same(run, store)


def test_run_at_a_url_is_replaced_and_deleted(
    run: RunStore, tiny: Path, make_project: Callable[..., Path], evaluated: Callable[..., RunStore], url: str
) -> None:
    upload(run.path, url)
    other = make_project(changes={"leap_binder.py": ONE_MORE})
    with pytest.raises(LeaplabError, match="holds a run of another model, other code or other options"):
        evaluated(runs_folder(url), other, 9)
    evaluated(runs_folder(url), other, 9, replace="outdated")
    assert len([path for path in objects(f"{url}/tiny") if path.startswith("parts/")]) == 6

    delete_run(runs_folder(url), "tiny")
    assert not objects(url)
    with pytest.raises(LeaplabError, match=f"There is no run at {url}/tiny"):
        open_run(f"{url}/tiny")
    with pytest.raises(LeaplabError, match="There is no complete run in"):
        open_run(None, url)


def test_interrupted_while_it_is_deleted_it_is_a_run_that_lacks_parts(
    run: RunStore, tiny: Path, evaluated: Callable[..., RunStore], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    rm_file, removed = MemoryFileSystem.rm_file, list[str]()

    def stopping(self: Any, path: str) -> None:
        if len(removed) == 11:
            raise KeyboardInterrupt
        removed.append(path)
        rm_file(self, path)

    upload(run.path, url)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "rm_file", stopping)
        with pytest.raises(KeyboardInterrupt):
            delete_run(runs_folder(url), "tiny")
    with pytest.raises(LeaplabError, match="is incomplete: 8 of 8 parts are missing"):
        open_run(f"{url}/tiny")
    evaluated(runs_folder(url), tiny, 7)
    assert objects(f"{url}/tiny") == contents(run.path)


def test_what_is_no_run_is_left_alone(tiny: Path, evaluated: Callable[..., RunStore], url: str) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe_file(f"{url}/tiny/letter.txt", b"dear")
    with pytest.raises(LeaplabError, match=f"{url}/tiny holds something and is no run; choose another --name"):
        evaluated(runs_folder(url), tiny, 7)
    assert objects(url) == {"tiny/letter.txt": b"dear"}


def test_file_url_is_a_folder(run: RunStore, cache: Path) -> None:
    assert open_run(f"file://{run.path}").path == run.path
    assert not cache.exists()


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("nothing://there/run", "cannot be opened (Protocol not known: nothing); install what fsspec needs for it"),
        ("memory://run", "memory://run names no run below a folder of runs; name one, as in s3://BUCKET/RUN"),
        ("http://127.0.0.1:9/runs/tiny", "http://127.0.0.1:9/runs/tiny cannot be reached (Cannot connect to host"),
    ],
)
def test_url_that_cannot_be_opened_is_a_sentence(place: str, sentence: str) -> None:
    with pytest.raises(LeaplabError) as told:
        open_run(place)
    assert sentence in str(told.value)


def test_without_fsspec_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(LeaplabError, match=r"s3://b/runs needs fsspec, .*`pip install 'leaplab\[remote\]'`"):
        open_run("s3://b/runs/tiny")


@pytest.mark.installed("aiohttp")
@pytest.mark.parametrize("lists", [True, False])
def test_run_on_a_file_server(run: RunStore, lists: bool) -> None:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def list_directory(self, path: Any) -> Any:
            if lists:
                return super().list_directory(path)
            self.send_error(404)
            return None

    serving = functools.partial(Handler, directory=run.path.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            there = open_run(f"http://127.0.0.1:{server.server_port}/{run.path.name}")
            assert_same(run, RunStore.open(there.path))
        finally:
            server.shutdown()
            thread.join()
