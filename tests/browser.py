"""A browser, and a run for it to look at: for the tests of the page and for the figures of the READMEs."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Software rendering, on machines that do much besides.
expect.set_options(timeout=30_000)
# WebGL in software, and nothing that asks the network for anything.
FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Path of a browser that Playwright can drive."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


@contextmanager
def chromium_browser() -> Iterator[Browser]:
    """A headless Chromium that draws WebGL."""
    executable = chromium()
    assert executable, f"none of {', '.join(BROWSERS)} is on the PATH"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


def open_page(browser: Browser, **options: Any) -> Page:
    """A page of somebody who has taken the tour before."""
    page = browser.new_page(**options)
    page.add_init_script(
        "try { localStorage.setItem('leaplab.tour', 'seen') } catch { /* about:blank keeps nothing */ }"
    )
    return page


@contextmanager
def served_run(runs: Path, name: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of `leaplab explore`, which serves a run while the block lasts, with more in its environment."""
    command = [sys.executable, "-m", "leaplab", "explore", name, "--runs", str(runs), "--no-browser", "--port", "0"]
    whole = {**os.environ, "COLUMNS": "300", "PYTHONUNBUFFERED": "1", **(environment or {})}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=whole)
    assert server.stderr is not None
    try:
        line = server.stderr.readline()
        found = re.search(r"http://[\d.]+:\d+/", line)
        assert found, f"leaplab explore said: {line}"
        yield found.group()
    finally:
        server.terminate()
        server.wait(timeout=10)


def await_map(address: str) -> None:
    """Wait until the map of a run's own latent space is computed: until then the page shows another one."""
    with urlopen(f"{address}api/v1/map?space=model&method=pacmap", timeout=120) as answer:
        assert answer.read()


def wait_until(page: Page, expression: str, seconds: float = 60.0) -> None:
    """Wait until a script's expression is true.

    `wait_for_function` builds code of text, which the page's policy forbids.

    Raises:
        TimeoutError: it never was.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(f"Boolean({expression})"):
        if time.monotonic() > end:
            raise TimeoutError(f"{expression} has not become true within {seconds:g} s")
        time.sleep(0.02)
