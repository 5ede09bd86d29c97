import os
import time
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("is_inheritable", [False, True])
def test_a_command_holds_the_files_that_it_is_given_and_no_others(tmp_path, is_inheritable):
    with (tmp_path / "given").open("w") as given, (tmp_path / "other").open("w") as other:
        for file in (given, other):
            os.set_inheritable(file.fileno(), is_inheritable)
        command = ["sh", "-c", 'for one; do [ -e "/dev/fd/$one" ] && echo "$one"; done', "sh"]
        command += [str(given.fileno()), str(other.fileno())]

        ended = run_limited(command, tmp_path, dict(os.environ), 20, inherits=[given.fileno()])

        assert ended.output == f"{given.fileno()}\n"
