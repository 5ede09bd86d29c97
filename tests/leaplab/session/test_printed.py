"""What an integration prints: what becomes a notice, and what does not."""

import pytest

from leaplab.project.locate import find_project
from leaplab.session.opening import open_session
from leaplab.session.printed import notices_of

LOGS = [
    "2026-11-01 10:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.",
    "2026-11-01 10:00:00.123456: E external/local_xla/xla/stream_executor/cuda/cuda_fft.cc:467] Unable to register",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow with the flags.",
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "E0000 00:00:1730000000.123456   4711 cuda_dnn.cc:8310] Unable to register cuDNN factory",
    "I0000 00:00:1730000000.123456   4711 gpu_device.cc:2022] Created device",
    "W1101 10:00:00.123456 140001 graph.cc:12] something of glog's",
    "Skipping registering GPU devices...",
    "\x1b[0;93m2026-11-01 10:00:00.123456789 [W:onnxruntime:, graph.cc:4285 CleanUnused] Removing initializer\x1b[m",
    "[W:onnxruntime:Default, cpuid_info.cc:91] Unknown CPU vendor",
    "WARNING:absl:Compiled the loaded model, but the compiled metrics have yet to be built.",
    "WARNING:tensorflow:From /usr/lib/keras/losses.py:2976: a name is deprecated.",
    "/venv/lib/python3.9/site-packages/flatbuffers/compat.py:19: DeprecationWarning: the imp module is deprecated",
    "  import imp",
    "Tensorleap Warning: no return type hint for function bars. Please configure the right return type.",
]
WRITTEN = [
    "The data is a substitute.",
    "2026-11-01: 40 images were added",
    "I read 12 files",
    "WARNING: the labels are guesses",
    "data.py:7: UserWarning: 3 files are missing",
    "  warnings.warn('3 files are missing')",
]


def test_log_lines_of_libraries_are_no_notices_and_what_a_person_wrote_is():
    assert notices_of(LOGS) == []
    mixed = [line for pair in zip(WRITTEN[:5], LOGS, strict=False) for line in pair]
    assert notices_of(mixed) == WRITTEN[:5]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (WRITTEN, [*WRITTEN[:5], "The integration printed 1 more line."]),
        (["hello"] * 2005, [*["hello"] * 5, "The integration printed 2,000 more lines."]),
        (["", "  ", "hello", ""], ["hello"]),
        ([], []),
    ],
)
def test_first_lines_are_notices_and_the_rest_is_counted(lines, told):
    assert notices_of(lines) == told


def test_leaplab_s_own_notice_is_not_lost_behind_what_is_printed(make_project):
    talk = "for line in range(7):\n    print('hello', line)\n"
    talk += f"import sys\nfor line in {LOGS!r}:\n    print(line, file=sys.stderr)\nHERE = Path("
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", talk)})
    binder = root / "leap_binder.py"
    binder.write_text(binder.read_text().replace("sample_ids=list(ids)", "sample_ids=[*ids, list(ids)[3]]"))

    with open_session(find_project(root)) as session:
        assert session.notices() == [
            *(
                f"2 samples of {state} have the id '{state}-03', and cannot be told apart; give each its own."
                for state in ("training", "validation")
            ),
            *(f"hello {line}" for line in range(5)),
            "The integration printed 2 more lines.",
        ]
