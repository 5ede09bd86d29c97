"""The explorer's server under many requests, and its memory while a person goes on using the page."""

import http.client
import os
import random
import statistics
import threading
import time
from urllib.parse import quote, urlsplit

import numpy as np
import psutil
from playwright.sync_api import Page

from benchmarks.measuring import Figure
from benchmarks.runs import MNIST, RUNS, evaluated
from tests.browser import chromium_browser, open_page, served_run, wait_until

RATE = 200
"""Requests a second."""
SECONDS = 20
CLIENTS = 16
PICTURES = 300
"""Thumbnails that are asked for again and again."""
MINUTES = float(os.environ.get("PAGE_MINUTES", "2"))
"""How long the page is used; what a server loses of its memory shows the better the longer."""
COLUMNS = ("loss.cross_entropy", "metadata.label", "metadata.brightness", "input.sharpness")


def run() -> list[Figure]:
    """Latencies of what is cached, asked for at a steady rate, and memory before and after the page was used."""
    evaluated(MNIST)
    with served_run(RUNS, MNIST) as address:
        paths = [
            "/api/v1/run",
            "/api/v1/headline",
            *(f"/api/v1/columns/codes?name={quote(name)}" for name in COLUMNS),
            *(f"/api/v1/columns/summary?name={quote(name)}" for name in COLUMNS),
            *(f"/api/v1/samples/{row}" for row in range(0, 60_000, 1_000)),
            *(f"/api/v1/samples/{row}/thumbnail" for row in range(PICTURES)),
        ]
        for path in paths:
            _ask(http.client.HTTPConnection(urlsplit(address).netloc), path)
        latencies, failed = _steady(urlsplit(address).netloc, paths)
        with chromium_browser() as browser:
            page = open_page(browser, viewport={"width": 1280, "height": 800})
            page.goto(address)
            wait_until(page, "window.explorer && window.explorer.samples > 0", 120)
            page.evaluate("window.explorer.ready")
            sizes = _used(page)
    first, last = statistics.median(sizes[: len(sizes) // 4]), statistics.median(sizes[-(len(sizes) // 4) :])
    return [
        Figure(
            f"99th percentile at {RATE} cached requests a second", 1000 * float(np.percentile(latencies, 99)), "ms", 100
        ),
        Figure("the same, median", 1000 * statistics.median(latencies), "ms"),
        Figure("the same, requests that failed", failed, "", 1),
        Figure(
            f"memory of the server in {MINUTES:g} minutes of use, the last quarter's of the first's",
            last / first,
            "",
            1.1,
        ),
    ]


def _ask(connection: http.client.HTTPConnection, path: str) -> bool:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def _steady(host: str, paths: list[str]) -> tuple[list[float], int]:
    """Seconds from when each request was due to its whole answer, and how many failed."""
    choice = random.Random(0)
    asked = [choice.choice(paths) for _ in range(RATE * SECONDS)]
    latencies: list[float] = []
    failed = [0]
    started = time.perf_counter() + 0.5

    def client(number: int) -> None:
        connection = http.client.HTTPConnection(host, timeout=30)
        for place in range(number, len(asked), CLIENTS):
            due = started + place / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                failed[0] += not _ask(connection, asked[place])
            except OSError:
                failed[0] += 1
                connection.close()
            latencies.append(time.perf_counter() - due)

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    return latencies, failed[0]


def _used(page: Page) -> list[int]:
    """Resident bytes of the server and its workers, once a round of what a person does."""
    choice = random.Random(1)
    until = time.monotonic() + 60 * MINUTES
    sizes = []
    while time.monotonic() < until:
        for _ in range(5):
            page.evaluate(f"window.explorer.select({choice.randrange(70_000)})")
            page.wait_for_timeout(300)
        page.evaluate("window.explorer.select(null)")
        page.get_by_test_id("colour-select").select_option(choice.choice(COLUMNS))
        page.locator(".gallery-view").evaluate(f"(view) => {{ view.scrollTop = {choice.randrange(100_000)}; }}")
        page.evaluate("window.explorer.ready")
        page.wait_for_timeout(500)
        sizes.append(_resident())
    return sizes


def _resident() -> int:
    """Of all that this process has started, but the browser."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        try:
            if "python" in child.name():
                total += child.memory_info().rss
        except psutil.Error:  # it has ended meanwhile
            continue
    return total
