"""The conversation with the child process, and its end in good and bad ways."""

import operator
import os
import signal
import time

import psutil
import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.session.session import Session, describe, open_session
from leaplab.worker.pipeline import evaluate
from leaplab.worker.planning import Plan, make_plan

IMAGE = "    return image\n"


def children() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def small_parts(session: Session) -> Plan:
    return session.call(make_plan, None, None, 3, 3)


def test_calls_and_streams_answer_one_after_another(tiny):
    with open_session(find_project(tiny)) as session:
        plan = small_parts(session)
        results = list(session.stream(evaluate, plan, plan.parts[:3]))
        again = session.call(describe)

    assert [result.ids for result in results] == [
        [f"training-{number:02d}" for number in range(start, start + 3)] for start in (0, 3, 6)
    ]
    assert again.states == {"training": 25, "validation": 25}
    assert children() == []


def test_session_goes_on_after_a_failed_call_and_tells_whose_fault_it_was(tiny):
    with open_session(find_project(tiny)) as session:
        with pytest.raises(LeaplabError, match="no state 'nowhere'"):
            session.call(make_plan, ["nowhere"])
        with pytest.raises(RuntimeError, match=r"AttributeError(.|\n)*Traceback"):  # leaplab's own: with a traceback
            session.call(operator.attrgetter("no_such_attribute"))
        assert session.call(describe).inputs


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
        next(session.stream(evaluate, plan, plan.parts))

    assert children() == []
    assert time.monotonic() - start < 20


def test_killed_child_is_one_sentence_that_names_the_signal(make_project):
    slow = f"    import time\n    time.sleep(0.02)\n{IMAGE}"
    root = make_project(changes={"leap_binder.py": (IMAGE, slow)})
    with open_session(find_project(root)) as session:
        plan = small_parts(session)
        results = session.stream(evaluate, plan, plan.parts)
        next(results)
        children()[0].send_signal(signal.SIGKILL)

        with pytest.raises(LeaplabError, match="was ended by SIGKILL in the middle of its work"):
            list(results)
        with pytest.raises(LeaplabError, match="was ended by SIGKILL"):
            session.call(describe)


def test_last_words_of_a_dying_child_are_shown(make_project):
    end = "import os; print('out of frames', flush=True); os._exit(9)"
    last = f"    if sample_id == 'training-07':\n        {end}\n{IMAGE}"
    root = make_project(changes={"leap_binder.py": (IMAGE, last)})
    with open_session(find_project(root)) as session:
        plan = small_parts(session)
        with pytest.raises(LeaplabError, match="ended with exit code 9 .* It last printed: out of frames"):
            list(session.stream(evaluate, plan, plan.parts))


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
        results = list(session.stream(evaluate, plan, plan.parts[:4]))
        notices = session.notices()

    assert len(results) == 4
    assert "Beware." in notices[0]
    assert len(notices) <= 5


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
