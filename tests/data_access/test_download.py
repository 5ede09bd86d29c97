import fcntl
import hashlib
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import data_access
from data_access import DataError, RemoteFile, download, fetch, verify

BODY = random.Random(0).randbytes(600_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
HALF = len(BODY) // 2


class Handler(BaseHTTPRequestHandler):
    """Serves BODY in the manner that the path names, and notes every request."""

    server: "Host"

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.requests.append((self.path, wanted))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        getattr(self, "serve_" + self.path.strip("/").replace("-", "_"))(start)

    def head(self, status: int, length: int | None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def serve_whole(self, start: int, pieces: int = 1, share: float = 1.0) -> None:
        if start >= len(BODY):
            self.head(416, 0, Content_Range=f"bytes */{len(BODY)}")
            return
        rest = BODY[start:]
        if start:
            self.head(206, len(rest), Content_Range=f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        else:
            self.head(200, len(rest))
        rest = rest[: int(len(rest) * share)]
        size = -(-len(rest) // pieces)
        for place in range(0, len(rest), size):
            self.wfile.write(rest[place : place + size])
            if pieces > 1:
                time.sleep(0.06)

    def serve_slow(self, start: int) -> None:
        self.serve_whole(start, pieces=20)

    def serve_drop(self, start: int) -> None:
        self.serve_whole(start, share=0.5)

    def serve_no_range(self, start: int) -> None:
        self.serve_whole(0)

    def serve_other_range(self, start: int) -> None:
        self.head(206, 10, Content_Range=f"bytes {start + 5}-{start + 14}/{len(BODY)}")
        self.wfile.write(BODY[start + 5 : start + 15])

    def serve_earlier_range(self, start: int) -> None:
        self.head(206, len(BODY) - start + 7, Content_Range=f"bytes {start - 7}-{len(BODY) - 1}/{len(BODY)}")
        self.wfile.write(BODY[start - 7 :])

    def serve_unsized(self, start: int) -> None:
        self.head(200, None)
        self.wfile.write(BODY)

    def serve_unsized_drop(self, start: int) -> None:
        self.head(200, None)
        self.wfile.write(BODY[:HALF])

    def serve_endless(self, start: int) -> None:
        self.head(200, None)
        try:
            for _ in range(1000):
                self.wfile.write(BODY)
        except OSError:
            self.server.hung_up.set()

    def serve_named_gzip(self, start: int) -> None:
        # Some servers label a file that is a .gz as an encoding of the transfer.
        self.head(200, len(BODY), Content_Encoding="gzip")
        self.wfile.write(BODY)

    def serve_other_content(self, start: int) -> None:
        self.head(200, len(BODY))
        self.wfile.write(bytes(len(BODY)))

    def serve_login_page(self, start: int) -> None:
        page = b"<html>Please log in</html>"
        self.head(200, len(page))
        self.wfile.write(page)

    def serve_missing(self, start: int) -> None:
        self.head(404, 0)

    def serve_broken(self, start: int) -> None:
        self.head(503, 0)

    def serve_silent(self, start: int) -> None:
        self.server.closing.wait(10)

    def serve_cut_silence(self, start: int) -> None:
        self.head(200, len(BODY))
        self.wfile.write(BODY[:HALF])
        self.wfile.flush()
        self.server.closing.wait(10)

    def serve_closed(self, start: int) -> None:
        self.close_connection = True

    def serve_unsatisfiable(self, start: int) -> None:
        self.head(416, 0)

    def serve_slow_no_range(self, start: int) -> None:
        self.serve_whole(0, pieces=20)

    def serve_moved(self, start: int) -> None:
        self.head(302, 0, Location="/whole")

    def log_message(self, format: str, *args: object) -> None:
        pass


class Host(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str | None]] = []
        self.closing = threading.Event()
        self.hung_up = threading.Event()

    def file(self, *paths: str, size: int | None = len(BODY), sha256: str = SHA256) -> RemoteFile:
        return RemoteFile(tuple(f"http://127.0.0.1:{self.server_port}/{path}" for path in paths), sha256, size)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that hangs up is what several of these tests are about.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Host() as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield served
        served.closing.set()
        served.shutdown()
        thread.join()


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "set/data.bin"


def beside(destination: Path) -> set[str]:
    return {path.name for path in destination.parent.iterdir()}


def left_half(destination: Path, content: bytes = BODY[:HALF]) -> None:
    destination.parent.mkdir()
    destination.with_name("data.bin.part").write_bytes(content)


def failure(file: RemoteFile, destination: Path, timeout: float = 60.0) -> str:
    with pytest.raises(DataError) as caught:
        fetch(file, destination, timeout=timeout)
    assert not destination.exists()
    return str(caught.value)


@pytest.mark.parametrize("path", ["whole", "no-range", "unsized", "named-gzip", "moved"])
@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_missing_file_is_downloaded(path: str, size: int | None, host: Host, destination: Path) -> None:
    assert fetch(host.file(path, size=size), destination) == destination
    assert destination.read_bytes() == BODY
    assert beside(destination) == {"data.bin"}


def test_a_file_that_exists_is_neither_asked_for_nor_touched(host: Host, destination: Path) -> None:
    destination.parent.mkdir()
    destination.write_text("put there by hand")
    # Nothing at all is written: the folder may be one that cannot be.
    os.utime(destination.parent, ns=(0, 0))
    assert fetch(host.file("whole"), destination) == destination
    assert destination.read_text() == "put there by hand"
    assert destination.parent.stat().st_mtime_ns == 0
    assert host.requests == []
    assert beside(destination) == {"data.bin"}


@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_partial_file_is_resumed(size: int | None, host: Host, destination: Path) -> None:
    left_half(destination)
    fetch(host.file("whole", size=size), destination)
    assert host.requests == [("/whole", f"bytes={HALF}-")]
    assert destination.read_bytes() == BODY
    assert beside(destination) == {"data.bin"}


def test_a_server_that_ignores_ranges_starts_over(host: Host, destination: Path) -> None:
    left_half(destination)
    fetch(host.file("no-range"), destination)
    assert host.requests == [("/no-range", f"bytes={HALF}-")]
    assert destination.read_bytes() == BODY


def test_starting_over_leaves_nothing_of_a_longer_old_file(host: Host, destination: Path) -> None:
    left_half(destination, BODY + b"old")
    fetch(host.file("no-range", size=None), destination)
    assert len(host.requests) == 1
    assert destination.read_bytes() == BODY


def test_a_server_that_answers_an_earlier_range_is_understood(host: Host, destination: Path) -> None:
    left_half(destination)
    fetch(host.file("earlier-range"), destination)
    assert destination.read_bytes() == BODY


def test_a_gap_is_never_left(host: Host, destination: Path) -> None:
    left_half(destination)
    assert "another range" in failure(host.file("other-range"), destination)


def test_a_partial_file_that_is_complete_is_only_checked(host: Host, destination: Path) -> None:
    left_half(destination, BODY)
    fetch(host.file("whole"), destination)
    assert host.requests == []
    assert destination.read_bytes() == BODY


def test_nothing_left_to_send_is_no_error(host: Host, destination: Path) -> None:
    left_half(destination, BODY)
    fetch(host.file("whole", size=None), destination)
    assert host.requests == [("/whole", f"bytes={len(BODY)}-")]
    assert destination.read_bytes() == BODY


@pytest.mark.parametrize("old", [bytes(HALF), bytes(len(BODY)), bytes(len(BODY) + 9)])
@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_partial_file_of_another_version_is_replaced(
    old: bytes, size: int | None, host: Host, destination: Path
) -> None:
    left_half(destination, old)
    fetch(host.file("whole", size=size), destination)
    assert host.requests[-1] == ("/whole", None)
    assert destination.read_bytes() == BODY
    if size is not None and len(old) >= size:
        assert len(host.requests) == 1, "nothing follows a file that is whole or too long"


@pytest.mark.parametrize("path", ["drop", "unsized-drop"])
def test_a_dropped_connection_leaves_a_start_for_the_next_call(path: str, host: Host, destination: Path) -> None:
    assert "broke off" in failure(host.file(path), destination)
    assert destination.with_name("data.bin.part").read_bytes() == BODY[:HALF]
    fetch(host.file("whole"), destination)
    assert host.requests == [(f"/{path}", None), ("/whole", f"bytes={HALF}-")]
    assert destination.read_bytes() == BODY


def test_a_server_that_has_nothing_at_all_is_no_end_of_the_file(host: Host, destination: Path) -> None:
    assert "(HTTP 416 Requested Range Not Satisfiable)" in failure(host.file("unsatisfiable"), destination)
    fetch(host.file("unsatisfiable", "whole"), destination)
    assert destination.read_bytes() == BODY


def test_mirrors_are_tried_in_order(host: Host, destination: Path) -> None:
    fetch(host.file("missing", "broken", "closed", "login-page", "other-content", "whole", "drop"), destination)
    assert [path for path, _ in host.requests] == [
        *("/missing", "/broken", "/closed", "/login-page", "/other-content", "/whole")
    ]
    assert destination.read_bytes() == BODY


def test_a_mirror_goes_on_where_another_broke_off(host: Host, destination: Path) -> None:
    fetch(host.file("drop", "whole"), destination)
    assert host.requests == [("/drop", None), ("/whole", f"bytes={HALF}-")]
    assert destination.read_bytes() == BODY


@pytest.mark.parametrize("size", [len(BODY), None])
def test_wrong_content_is_thrown_away(size: int | None, host: Host, destination: Path) -> None:
    message = failure(host.file("other-content", size=size), destination)
    assert f"wrong content, sha256 {hashlib.sha256(bytes(len(BODY))).hexdigest()}" in message
    assert f"(expected sha256: {SHA256})" in message
    assert not destination.with_name("data.bin.part").exists()


def test_a_login_page_does_not_cost_what_has_arrived(host: Host, destination: Path) -> None:
    left_half(destination)
    assert f"offers 26 bytes where {len(BODY)} are expected" in failure(host.file("login-page"), destination)
    assert destination.with_name("data.bin.part").read_bytes() == BODY[:HALF]


def test_more_than_the_expected_size_is_not_taken(host: Host, destination: Path) -> None:
    message = failure(host.file("endless"), destination)
    assert f"(sends more than the {len(BODY)} bytes that are expected at most)" in message
    assert host.hung_up.wait(5)
    assert beside(destination) == {"data.bin.lock"}


def test_a_file_of_unknown_size_has_an_end_too(host: Host, destination: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MOST_UNSTATED", len(BODY))
    assert f"more than the {len(BODY)} bytes" in failure(host.file("endless", size=None), destination)
    assert host.hung_up.wait(5)
    assert beside(destination) == {"data.bin.lock"}
    # As large as that it may be.
    fetch(host.file("unsized", size=None), destination)
    assert destination.read_bytes() == BODY


def test_a_size_that_is_announced_is_judged_before_a_byte_is_taken(
    host: Host, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST_UNSTATED", len(BODY) - 1)
    left_half(destination)
    message = failure(host.file("whole", size=None), destination)
    assert f"offers {len(BODY)} bytes where at most {len(BODY) - 1} are expected" in message
    assert destination.with_name("data.bin.part").read_bytes() == BODY[:HALF]


def test_the_bytes_are_on_the_disk_before_the_file_has_its_name(
    host: Host, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def note(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        # What the process still holds back would be lost with it.
        synced.append((path.name, path.read_bytes() == BODY, destination.exists()))

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(download, "_CHUNK_BYTES", 1000)
    fetch(host.file("whole"), destination)
    assert synced == [("data.bin.part", True, False)]


def test_the_message_tells_every_address_and_where_to_put_the_file(host: Host, destination: Path) -> None:
    file = host.file("missing", "broken", "closed")
    lines = failure(file, destination).splitlines()
    missing, broken, closed = file.urls
    assert lines == [
        f"data.bin could not be downloaded: {missing} (HTTP 404 Not Found); "
        f"{broken} (HTTP 503 Service Unavailable); {closed} (the connection broke off).",
        f"Start again when the network is back, or put the file by hand at {destination}",
        f"(expected sha256: {SHA256}).",
    ]


def test_an_offline_machine_fails_fast(destination: Path, host: Host) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/data.bin"
    began = time.monotonic()
    try:
        raise FileNotFoundError(2, "a reason of the caller's own")
    except FileNotFoundError:
        message = failure(RemoteFile((url,), SHA256), destination)
    assert time.monotonic() - began < 5
    assert f"{url} (no connection: Connection refused)" in message
    assert str(destination) in message
    assert len(message.splitlines()) <= 3


@pytest.mark.parametrize("path", ["silent", "cut-silence"])
def test_a_silent_server_is_given_up(path: str, host: Host, destination: Path) -> None:
    began = time.monotonic()
    assert "no answer in time" in failure(host.file(path), destination, timeout=0.3)
    assert time.monotonic() - began < 5


def test_an_address_that_is_none_is_said(destination: Path) -> None:
    assert "No connection adapters" in failure(RemoteFile(("ftp://host/x",), SHA256), destination)


# A shell starts a command in the background with Ctrl-C ignored, and what that command starts inherits it.
WORKER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from data_access import RemoteFile, fetch
fetch(RemoteFile((sys.argv[1],), sys.argv[2], int(sys.argv[3])), Path(sys.argv[4]))
"""


def worker(file: RemoteFile, destination: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, file.urls[0], file.sha256, str(file.size), str(destination)],
        env={**os.environ, "PYTHONPATH": str(Path(data_access.__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_processes_download_once(host: Host, destination: Path) -> None:
    both = [worker(host.file("slow"), destination) for _ in range(2)]
    for process in both:
        said = process.communicate()[1]
        assert process.returncode == 0
        assert not said or said.startswith("Waiting for another process")  # on a busy machine, with which it is slow
    assert host.requests == [("/slow", None)]
    assert destination.read_bytes() == BODY
    assert beside(destination) == {"data.bin"}


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_process_leaves_a_start_and_no_lock(stop: signal.Signals, host: Host, destination: Path) -> None:
    process = worker(host.file("slow"), destination)
    part = destination.with_name("data.bin.part")
    until(lambda: part.exists() and part.stat().st_size > 100_000)
    process.send_signal(stop)
    process.communicate()
    assert process.returncode != 0
    assert not destination.exists()
    arrived = part.read_bytes()
    assert 100_000 < len(arrived) < len(BODY)
    assert arrived == BODY[: len(arrived)]
    fetch(host.file("whole"), destination)
    assert host.requests[1:] == [("/whole", f"bytes={len(arrived)}-")]
    assert destination.read_bytes() == BODY


def test_waiting_for_another_process_is_said(
    host: Host, destination: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(download, "_QUIET_S", 0.05)
    destination.parent.mkdir()
    with destination.with_name("data.bin.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(0.4, fcntl.flock, (lock.fileno(), fcntl.LOCK_UN)).start()
        fetch(host.file("whole"), destination)
    assert f"Waiting for another process that is downloading {destination}" in capsys.readouterr().err


def test_a_short_download_prints_nothing(host: Host, destination: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch(host.file("whole"), destination)
    assert capsys.readouterr() == ("", "")


def test_a_long_download_shows_its_progress(
    host: Host, destination: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(download, "_QUIET_S", 0.1)
    left_half(destination)
    fetch(host.file("slow"), destination)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "data.bin: 100%" in printed.err
    assert "600k/600k" in printed.err


def test_progress_starts_over_where_the_server_does(
    host: Host, destination: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(download, "_QUIET_S", 0.1)
    left_half(destination)
    fetch(host.file("slow-no-range"), destination)
    last = capsys.readouterr().err.split("\r")[-1]
    assert "100%" in last
    assert "600k/600k" in last


def test_a_terminal_shows_progress_at_once(
    host: Host, destination: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fetch(host.file("whole"), destination)
    assert "data.bin: " in capsys.readouterr().err


def test_a_full_disk_is_said_and_leaves_a_start(host: Host, destination: Path) -> None:
    # A limit on the size of files fails a write as a full disk does.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        message = failure(host.file("whole"), destination)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert message.startswith(f"{destination} cannot be written: File too large.\nMake room")
    fetch(host.file("whole"), destination)
    assert host.requests[1][1] is not None
    assert destination.read_bytes() == BODY


def test_a_folder_that_cannot_be_made_is_said(host: Host, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written: .*\n.*LEAP_DATA_ROOT"):
        fetch(host.file("whole"), tmp_path / "file/data.bin")
    with pytest.raises(DataError, match="is a folder where a file belongs"):
        fetch(host.file("whole"), tmp_path)
    assert host.requests == []


def test_the_checksum_may_be_written_in_capitals(host: Host, destination: Path) -> None:
    fetch(host.file("whole", sha256=SHA256.upper()), destination)
    verify(destination, SHA256.upper())


def test_verify_names_both_checksums(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(BODY)
    verify(path, SHA256)
    path.write_bytes(BODY[1:])
    with pytest.raises(DataError) as caught:
        verify(path, SHA256)
    for said in (str(path), SHA256, hashlib.sha256(BODY[1:]).hexdigest(), "Delete the file and start again"):
        assert said in str(caught.value)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        verify(tmp_path / "gone", SHA256)


@pytest.mark.parametrize(("urls", "sha256"), [((), SHA256), (("http://host/x",), "abc"), (("u",), "g" * 64)])
def test_a_remote_file_needs_an_address_and_a_checksum(urls: tuple[str, ...], sha256: str) -> None:
    with pytest.raises(ValueError, match=r"at least one URL|64 hexadecimal digits"):
        RemoteFile(urls, sha256)
