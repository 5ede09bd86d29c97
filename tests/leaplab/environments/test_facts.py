import sys

import pytest

from leaplab.environments.facts import inspect_interpreter, read_facts, read_packages
from leaplab.errors import LeaplabError


def test_an_interpreter_tells_what_it_is(tmp_path, environment):
    python = environment(tmp_path / "e", sys.executable)

    facts = inspect_interpreter(python)

    assert facts.executable == python  # the link: what it points to is another environment
    assert facts.version == sys.version_info[:3]
    assert facts.prefix == tmp_path / "e"
    assert (facts.numpy, facts.code_loader) == ("1.0", "1.0")
    assert facts.makes_environments


def test_modules_and_distributions_are_looked_up(tmp_path, environment):
    packages = read_packages(environment(tmp_path / "e", sys.executable), ["json", "numpy", "no.such", "xml.dom"])

    assert packages.distributions == {"code-loader": "1.0", "numpy": "1.0"}
    assert packages.absent == {"numpy", "no.such"}


@pytest.mark.parametrize("has", [("numpy",), ("code-loader",), ()])
def test_what_lacks_code_loader_or_numpy_says_which(tmp_path, environment, has):
    python = environment(tmp_path / "e", sys.executable, has)
    lacking = " and ".join(name for name in ("code-loader", "numpy") if name not in has)

    with pytest.raises(LeaplabError, match=rf"lacks {lacking}; install {lacking} into it, .* `leaplab env PATH`\.$"):
        inspect_interpreter(python)


def test_a_source_folder_of_code_loader_does_as_well(tmp_path, environment):
    python = environment(tmp_path / "e", sys.executable, ("numpy",))
    (tmp_path / "source" / "code_loader").mkdir(parents=True)
    (packages,) = (tmp_path / "e").glob("lib/python*/site-packages")
    (packages / "code.pth").write_text(f"{tmp_path / 'source'}\n")

    assert inspect_interpreter(python).code_loader == "unknown"
    assert read_packages(python).code_loader_needs == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("true", "is no Python; name an interpreter."),
        ("echo 'version 12' >&2; exit 3", "is no Python: version 12; name an interpreter."),
        ("sleep 60", "did not end within 2 s when it was asked for its version"),
        ("kill -9 $$", "is no Python: was ended by SIGKILL"),
    ],
)
def test_what_is_no_python_is_one_sentence(script, text, told):
    with pytest.raises(LeaplabError) as raised:
        read_facts(script(text), time_limit=2)

    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_cannot_be_started_is_one_sentence(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not a program")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")

    with pytest.raises(LeaplabError, match="notes.txt is no Python: it is not executable; name an interpreter"):
        read_facts(text)
    text.chmod(0o755)
    with pytest.raises(LeaplabError, match="notes.txt is no Python: Exec format error"):
        read_facts(text)
    with pytest.raises(LeaplabError, match="nothing does not exist"):
        read_facts(tmp_path / "nothing")
    with pytest.raises(LeaplabError, match="gone is a link to nothing"):
        read_facts(tmp_path / "gone")
    with pytest.raises(LeaplabError, match="is a folder without bin/python"):
        read_facts(tmp_path)


def test_a_shim_leads_to_the_interpreter_that_it_starts(script):
    shim = script(f'echo noise; exec "{sys.executable}" "$@"')

    assert str(read_facts(shim).executable) == sys.executable


@pytest.mark.parametrize(
    "version", [pytest.param(version, marks=pytest.mark.python(version)) for version in ("3.6", "3.7")]
)
def test_a_python_that_is_too_old_still_tells_its_version(python_of, version):
    with pytest.raises(LeaplabError, match=rf"is Python {version}\.\d+; code-loader needs 3.8 or newer"):
        read_facts(python_of(version))


def test_python_2_which_knows_no_isolated_mode_tells_its_version_as_well(script):
    python_2 = script(
        "[ \"$1\" = -I ] && { echo 'Unknown option: -I' >&2; exit 2; }\n"
        '[ "$1 $2" = "-E -s" ] && echo \'{"leaplab": {"version": [2, 7, 18]}}\''
    )

    with pytest.raises(LeaplabError, match=r"is Python 2\.7\.18; code-loader needs 3.8 or newer"):
        read_facts(python_2)


@pytest.mark.parametrize(
    "version", [pytest.param(version, marks=pytest.mark.python(version)) for version in ("3.8", "3.13")]
)
def test_others_that_do_are_read(python_of, version):
    facts = read_facts(python_of(version))

    assert facts.version_text.startswith(f"{version}.")
    assert facts.lacking == ("code-loader", "numpy")
