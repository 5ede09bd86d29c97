import os
import time
from pathlib import Path

from leaplab.environments.limited_process import run_limited


def test_lines_are_told_while_the_command_runs():
    told = []
    command = ["sh", "-c", "echo one; printf two >&2; sleep 1; echo ' and more'; echo three; exit 3"]

    ended = run_limited(command, Path("/"), dict(os.environ), 20, lambda line: told.append((line, time.monotonic())))

    lines, moments = zip(*told, strict=True)
    assert lines == ("one", "two and more", "three")
    assert moments[1] - moments[0] > 0.4
    assert (ended.how, ended.output) == ("ended with exit code 3", "one\ntwo and more\nthree\n")


def test_a_command_that_goes_on_printing_is_ended_in_time():
    begun = time.monotonic()

    ended = run_limited(["sh", "-c", "while :; do echo on; sleep 0.1; done"], Path("/"), {}, 1, lambda line: None)

    assert ended.how == "did not end within 1 s"
    assert time.monotonic() - begun < 10
