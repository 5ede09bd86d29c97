"""The conversation with the child process, and its end in good and bad ways."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from leaplab.environments.choosing import choose_interpreter
from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.protocol import operations
from leaplab.protocol.binding import BindOrder
from leaplab.protocol.model import LoadOrder
from leaplab.protocol.operations import DESCRIBE, EVALUATE, PLAN, PROBE, EvaluateOrder, Operation, Stream
from leaplab.protocol.plan import Plan, PlanOrder
from leaplab.session.child_process import ChildSession
from leaplab.session.opening import Session, open_session
from leaplab.worker.operations import FUNCTIONS

START = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nHERE = Path("
"""An integration that starts a process at import."""
IMAGE = "    return image\n"


def children() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def of(plan: Plan, parts: int | None = None) -> EvaluateOrder:
    return EvaluateOrder(plan, plan.parts[:parts], LoadOrder())


def small_parts(session: Session) -> Plan:
    return session.call(PLAN, PlanOrder(batch_size=3, part_size=3))


def test_calls_and_streams_answer_one_after_another(tiny):
    with open_session(find_project(tiny)) as session:
        plan = small_parts(session)
        results = list(session.stream(EVALUATE, of(plan, 3)))
        again = session.call(DESCRIBE)

    assert [result.ids for result in results] == [
        [f"training-{number:02d}" for number in range(start, start + 3)] for start in (0, 3, 6)
    ]
    assert again.states == {"training": 25, "validation": 25}
    assert children() == []


def test_session_goes_on_after_a_failed_call_and_tells_whose_fault_it_was(tiny):
    with open_session(find_project(tiny)) as session:
        with pytest.raises(LeaplabError, match="no state 'nowhere'"):
            session.call(PLAN, PlanOrder(("nowhere",)))
        with pytest.raises(RuntimeError, match=r"KeyError(.|\n)*Traceback"):  # leaplab's own: with a traceback
            session.call(Operation("no such operation"))
        assert session.call(DESCRIBE).inputs


def test_child_is_alone_with_the_terminal_s_signals_and_says_nothing(tiny):
    with open_session(find_project(tiny)) as session:
        (child,) = children()
        assert os.getpgid(child.pid) != os.getpgid(0)  # Ctrl-C does not reach it
        assert child.environ()["TL_DISABLE_ANALYTICS"] == "true"
        assert session.notices() == []


def test_abandoned_stream_leaves_no_process_behind(make_project):
    stuck = f"    if sample_id == 'training-07':\n        import time\n        time.sleep(60)\n{IMAGE}"
    root = make_project(changes={"leap_binder.py": (IMAGE, stuck)})
    start = time.monotonic()
    with open_session(find_project(root)) as session:
        plan = small_parts(session)
        next(session.stream(EVALUATE, of(plan)))

    assert children() == []
    assert time.monotonic() - start < 20


def test_killed_child_is_one_sentence_that_names_the_signal(make_project):
    slow = f"    import time\n    time.sleep(0.02)\n{IMAGE}"
    root = make_project(changes={"leap_binder.py": (IMAGE, slow)})
    with open_session(find_project(root)) as session:
        plan = small_parts(session)
        results = session.stream(EVALUATE, of(plan))
        next(results)
        children()[0].send_signal(signal.SIGKILL)

        with pytest.raises(LeaplabError, match="was ended by SIGKILL in the middle of its work"):
            list(results)
        with pytest.raises(LeaplabError, match="was ended by SIGKILL"):
            session.call(DESCRIBE)


def test_last_words_of_a_dying_child_are_shown(make_project):
    end = "import os; print('out of frames', flush=True); os._exit(9)"
    last = f"    if sample_id == 'training-07':\n        {end}\n{IMAGE}"
    root = make_project(changes={"leap_binder.py": (IMAGE, last)})
    with open_session(find_project(root)) as session:
        plan = small_parts(session)
        with pytest.raises(LeaplabError, match="ended with exit code 9 .* It last printed: out of frames"):
            list(session.stream(EVALUATE, of(plan)))


def test_megabytes_of_output_block_nothing_and_the_first_lines_are_notices(make_project):
    talk = (
        "import os, sys\nprint('The data is a substitute.')\nprint('Beware.', file=sys.stderr)\n"
        "for line in range(20_000):\n    print(line, 'x' * 100)\nos.write(2, b'y' * 3_000_000)\nHERE = Path("
    )
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", talk)})
    encoder = f"    print('z' * 200_000)\n{IMAGE}"
    (root / "leap_binder.py").write_text((root / "leap_binder.py").read_text().replace(IMAGE, encoder))
    with open_session(find_project(root)) as session:
        plan = small_parts(session)
        results = list(session.stream(EVALUATE, of(plan, 4)))
        notices = session.notices()

    assert len(results) == 4
    assert "Beware." in notices[0]
    assert len(notices) == 6
    assert re.fullmatch(r"The integration printed (19,99|20,00)\d more lines\.", notices[5])


def test_notices_hold_what_was_printed_to_either_stream_while_binding(make_project):
    talk = "import sys\nprint('The data is a substitute.')\nprint('Beware.', file=sys.stderr)\nHERE = Path("
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", talk)})
    with open_session(find_project(root)) as session:
        assert sorted(session.notices()) == ["Beware.", "The data is a substitute."]


def test_model_that_does_not_exist_is_told(tiny, evaluated, tmp_path):
    with pytest.raises(LeaplabError, match=r"nowhere.onnx does not exist; correct --model"):
        evaluated(tmp_path, tiny, model=tmp_path / "nowhere.onnx")


def test_integration_without_one_model_function_asks_for_a_model(make_project, evaluated, tmp_path):
    several = "@tensorleap_load_model()\ndef load_other() -> Any: ...\n\n\n@tensorleap_integration_test()"
    root = make_project(changes={"leap_binder.py": ("@tensorleap_integration_test()", several)})

    with pytest.raises(LeaplabError, match="decorates 2 functions with tensorleap_load_model; name a model by --model"):
        evaluated(tmp_path, root)
    assert evaluated(tmp_path, root, model=root / "tiny.onnx").samples == 50


def test_failing_model_function_is_one_sentence(make_project, evaluated, tmp_path):
    root = make_project()
    (root / "tiny.onnx").unlink()

    with pytest.raises(LeaplabError, match=r"Loading the model by 'load_model': \w+: .*\(leap_binder.py, line"):
        evaluated(tmp_path, root)


def test_death_is_noticed_while_a_grandchild_holds_on(make_project):
    fork = (
        "    if sample_id == 'training-07':\n        import os, time\n"
        f"        if os.fork() == 0:\n            time.sleep(60)\n            os._exit(0)\n        os._exit(5)\n{IMAGE}"
    )
    root = make_project(changes={"leap_binder.py": (IMAGE, fork)})
    with open_session(find_project(root)) as session:
        plan = small_parts(session)
        begun = time.monotonic()
        with pytest.raises(LeaplabError, match="ended with exit code 5 in the middle of its work"):
            list(session.stream(EVALUATE, of(plan)))

        assert time.monotonic() - begun < 20  # not the grandchild's 60
    wait_until(lambda: not processes_of(root))


def test_everything_that_an_integration_has_started_ends_with_its_session(make_project):
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", START)})
    with open_session(find_project(root)) as session:
        session.call(DESCRIBE)
        assert len(processes_of(root)) == 2

    wait_until(lambda: not processes_of(root))


def test_integration_whose_lab_has_died_ends_with_what_it_has_started(make_project):
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", START)})
    lab = (
        "import sys, time\nfrom pathlib import Path\nfrom leaplab.project.locate import find_project\n"
        "from leaplab.session.opening import open_session\n"
        "session = open_session(find_project(Path(sys.argv[1])))\nprint('bound', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", lab, root], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"bound\n"
        assert len(processes_of(root)) == 2
        process.kill()

    wait_until(lambda: not processes_of(root))


def test_import_that_hangs_is_one_sentence_that_names_the_line(make_project):
    hang = "def wait():\n    import time\n    time.sleep(60)\n\n\nwait()\nHERE = Path("
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", hang)})
    order = BindOrder(str(root), "leap_binder.py")

    with pytest.raises(LeaplabError) as error:
        ChildSession(order, choose_interpreter(root), import_limit=5)

    line = (root / "leap_binder.py").read_text().splitlines().index("    time.sleep(60)") + 1
    assert "leap_binder.py has not been imported after 5 s" in str(error.value)
    assert f"It is at leap_binder.py, line {line}, in wait." in str(error.value)
    assert children() == []


def test_data_may_take_longer_than_an_import(make_project):
    drawn = "    drawn = {state: samples.draw("
    slow = f"    import time\n    time.sleep(4)\n{drawn}"
    root = make_project(changes={"leap_binder.py": (drawn, slow)})

    with ChildSession(BindOrder(str(root), "leap_binder.py"), choose_interpreter(root), import_limit=3) as session:
        assert session.call(DESCRIBE).states == {"training": 25, "validation": 25}


def test_call_beyond_its_time_limit_is_one_sentence_that_names_the_line(make_project):
    hang = f"    if sample_id == 'validation-24':\n        import time\n        time.sleep(60)\n{IMAGE}"
    root = make_project(changes={"leap_binder.py": (IMAGE, hang)})
    with (
        open_session(find_project(root)) as session,
        pytest.raises(
            LeaplabError,
            match=r"did not come to an end within 6 s\. It is at leap_binder.py, line \d+, in encode_image\.",
        ),
    ):
        session.call(PROBE, time_limit=6)


def test_platform_s_rules_are_not_those_of_a_session(make_project, monkeypatch):
    # Under them code-loader refuses what has no integration test.
    monkeypatch.setenv("IS_TENSORLEAP_PLATFORM", "true")

    with open_session(find_project(make_project("plain"))) as session:
        assert session.call(DESCRIBE).states == {"training": 20, "validation": 12}


NUMPYS = "max(pool['num_threads'] for pool in threadpoolctl.threadpool_info() if pool['user_api'] == 'blas')"


@pytest.mark.parametrize(("told", "threads"), [(None, 1), ("2", 2)], ids=["by itself", "as the user says"])
@pytest.mark.parametrize(
    ("variable", "module", "count"),
    [
        ("OPENBLAS_NUM_THREADS", "numpy, threadpoolctl", NUMPYS),
        ("OPENCV_FOR_THREADS_NUM", "cv2", "cv2.getNumThreads()"),
    ],
)
def test_handlers_have_one_thread_beside_the_model_s(make_project, monkeypatch, variable, module, count, told, threads):
    for each in ("OMP_NUM_THREADS", variable):
        monkeypatch.delenv(each, raising=False)
    if told is not None:
        monkeypatch.setenv(variable, told)
    root = make_project("plain")
    with (root / "leap_binder.py").open("a", encoding="utf-8") as binder:
        binder.write(f"\nimport pathlib, {module}\npathlib.Path('threads').write_text(str({count}))\n")

    with open_session(find_project(root)) as session:
        session.call(DESCRIBE)

    assert int((root / "threads").read_text()) == threads


def test_operations_of_both_sides_are_the_same():
    asked = {found.name for found in vars(operations).values() if isinstance(found, Operation | Stream)}

    assert asked == set(FUNCTIONS)


def processes_of(root) -> list[psutil.Process]:
    """Processes that work in an integration's folder."""
    found = []
    for process in psutil.process_iter():
        # psutil itself raises FileNotFoundError for one that ends while its folder is read.
        with suppress(psutil.Error, FileNotFoundError):
            if process.cwd() == str(root) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def wait_until(true, seconds=10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)
