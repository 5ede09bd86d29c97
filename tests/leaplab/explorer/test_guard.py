"""Who may ask the server, and what a browser may do with its answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from leaplab.explorer.application import make_application
from leaplab.explorer.serving import address_of, is_loopback
from leaplab.store.run import RunStore
from tests.leaplab.runs_by_hand import write_run

SELECT = "/api/v1/select"


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., TestClient]:
    """`opened(token=.., base_url=..)`: the explorer of a run of three samples."""
    run = write_run(tmp_path / "run", ["training"] * 3, {"loss.a": ("float", [1.0, 2.0, 3.0])})
    (tmp_path / "index.html").write_text("<p>the page</p>")

    def make(token: str | None = None, base_url: str = "http://127.0.0.1:8765", **options: Any) -> TestClient:
        application = make_application(RunStore.open(run), tmp_path, token=token, **options)
        return TestClient(application, base_url=base_url)

    return make


@pytest.mark.parametrize("address", ["http://127.0.0.1:8765", "http://localhost:8765", "http://[::1]:8765"])
def test_this_machine_s_own_names_are_let_through(opened: Callable[..., TestClient], address: str) -> None:
    assert opened(base_url=address).get("/api/v1/run").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[::1", "[fe80::1]"]
)
def test_a_name_of_somebody_else_s_is_not(opened: Callable[..., TestClient], host: str) -> None:
    answer = opened().get("/api/v1/run", headers={"host": host})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_answer_says_what_a_browser_may_do_with_it(opened: Callable[..., TestClient]) -> None:
    client = opened()
    for path in ("/", "/api/v1/run", "/api/v1/samples/9", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "http://127.0.0.1"])
def test_another_page_can_send_nothing(opened: Callable[..., TestClient], origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    assert opened().post(SELECT, json={}, headers=headers).status_code == 403


def test_its_own_page_can(opened: Callable[..., TestClient]) -> None:
    answer = opened().post(SELECT, json={}, headers={"origin": "http://127.0.0.1:8765"})
    assert answer.status_code == 200
    assert answer.json()["count"] == 3


def test_with_a_token_only_who_came_by_the_link_is_let_through(opened: Callable[..., TestClient]) -> None:
    client = opened(token="s3cret-Token", base_url="http://lab-machine:8765")
    assert client.get("/api/v1/run").status_code == 401
    assert client.get("/?token=wrong", follow_redirects=False).status_code == 401
    arrived = client.get("/?token=s3cret-Token&a=b", follow_redirects=False)
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/?a=b")
    cookie = arrived.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/api/v1/run").status_code == 200
    client.cookies.clear()
    assert client.get("/api/v1/run", headers={"cookie": "leaplab_token=s3cret-Toke"}).status_code == 401


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.168.1.7", False), ("lab-machine", False)],
)  # fmt: skip
def test_whether_others_can_reach_the_server(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


def test_the_address_is_one_to_open() -> None:
    assert address_of("127.0.0.1", 8765, None) == "http://127.0.0.1:8765/"
    assert address_of("::1", 8765, None) == "http://[::1]:8765/"
    assert address_of("192.168.1.7", 1, "abc") == "http://192.168.1.7:1/?token=abc"
    assert "0.0.0.0" not in address_of("0.0.0.0", 1, "abc")
