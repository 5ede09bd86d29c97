"""What doublestar v4 matches: its documentation, and the corner cases that its own tests settle."""

import pytest

from leaplab.bundle.globs import BadPatternError, Globs, as_cli_pattern, as_include_pattern, matches
from leaplab.errors import LeaplabError

MATCH = [
    # names
    ("leap_binder.py", "leap_binder.py", True),
    ("leap_binder.py", "sub/leap_binder.py", False),
    ("mnist", "mnist/encoders.py", False),
    ("mnist/", "mnist/encoders.py", False),
    ("mnist/", "mnist", False),
    ("a/b/c", "a/b//c", False),
    ("Mnist.py", "mnist.py", False),
    ("a+b(c).$py^", "a+b(c).$py^", True),
    ("", "", True),
    # * stays within a segment
    ("*", "leap.yaml", True),
    ("*", "mnist/config.py", False),
    ("*", "", True),
    ("*", ".env", True),
    (".*", ".env", True),
    ("*.py", ".py", True),
    ("*.py", "train.py", True),
    ("*.py", "train.pyc", False),
    ("*.py", "mnist/train.py", False),
    ("mnist/*.py", "mnist/train.py", True),
    ("mnist/*.py", "mnist/data/preprocess.py", False),
    ("*/*/*.py", "mnist/data/preprocess.py", True),
    ("*/*", "a", False),
    ("m*t/c*g.py", "mnist/config.py", True),
    ("m*n*s*t", "mnist", True),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True),
    ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", False),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("a*b?c*x", "abxbbxdbxebxczzy", False),
    ("a*b", "a/b", False),
    ("/*", "/", True),
    ("*", "/", False),
    # ** as a whole segment
    ("**", "leap.yaml", True),
    ("**", "a/b/c/d.py", True),
    ("**", ".git/config", True),
    ("**", "", True),
    ("mnist/**", "mnist/encoders.py", True),
    ("mnist/**", "mnist/data/.hidden/x", True),
    ("mnist/**", "mnist", True),
    ("mnist/**", "mnist/", True),
    ("mnist/**", "mnist2/encoders.py", False),
    ("mnist/**/", "mnist", True),
    ("mnist/**/", "mnist/encoders.py", False),
    ("**/encoders.py", "encoders.py", True),
    ("**/encoders.py", "a/b/encoders.py", True),
    ("**/encoders.py", "a/my_encoders.py", False),
    ("**/c", "a/b", False),
    ("**/*.py", "train.py", True),
    ("**/*.py", "a/b/train.py", True),
    ("**/*.py", "a/b/train.txt", False),
    ("mnist/**/*.py", "mnist/train.py", True),
    ("mnist/**/*.py", "mnist/a/b/train.py", True),
    ("mnist/**/*.py", "vision/mnist/train.py", False),
    ("**/__pycache__/**", "__pycache__/a.pyc", True),
    ("**/__pycache__/**", "mnist/data/__pycache__/a.pyc", True),
    ("**/__pycache__/**", "mnist/my__pycache__/a.pyc", False),
    ("__pycache__", "mnist/__pycache__/a.pyc", False),
    ("__pycache__/**", "mnist/__pycache__/a.pyc", False),
    ("a/**/b/**/c", "a/b/c", True),
    ("a/**/b/**/c", "a/x/b/y/z/c", True),
    ("a/**/b/**/c", "a/x/c", False),
    ("**/**/x", "x", True),
    ("**/b/*/d", "a/b/b/c/d", True),
    # ** elsewhere is a *
    ("mnist/**.py", "mnist/train.py", True),
    ("mnist/**.py", "mnist/data/train.py", False),
    ("mnist**", "mnist2", True),
    ("mnist**", "mnist/train.py", False),
    ("**mnist", "my_mnist", True),
    ("**mnist", "a/mnist", False),
    ("**.py", "train.py", True),
    ("**.py", "mnist/train.py", False),
    ("a/***", "a/b", True),
    ("a/***", "a/b/c", False),
    ("a**/b", "axx/b", True),
    ("a**/b", "a/x/b", False),
    # ?
    ("?.py", "a.py", True),
    ("?.py", ".py", False),
    ("?env", ".env", True),
    ("a?b", "a/b", False),
    ("a?b", "a☺b", True),
    ("a???b", "a☺b", False),
    # classes
    ("ab[c]", "abc", True),
    ("ab[b-d]", "abc", True),
    ("ab[e-g]", "abc", False),
    ("ab[^c]", "abc", False),
    ("ab[!c]", "abd", True),
    ("ab[!b-d]", "abe", True),
    ("ab[^e-g]", "abc", True),
    ("a[!a]b", "a☺b", True),
    ("[a-ζ]*", "α", True),
    ("*[a-ζ]", "A", False),
    ("[a-z0-9]", "1", True),
    ("[x-]", "-", True),
    ("[-x]", "-", True),
    ("[-x]", "a", False),
    ("[a-b-d]", "b", True),
    ("[a-b-d]", "-", True),
    ("[a-b-d]", "c", False),
    ("[a-b-x]", "x", True),
    ("[z-a]", "m", False),
    ("[\\]a]", "]", True),
    ("[x\\-z]", "-", True),
    ("[x\\-z]", "y", False),
    ("[a-\\]]", "a", False),
    ("[*?]", "*", True),
    ("[*?]", "a", False),
    ("[{]", "{", True),
    ("[.]py", "xpy", False),
    ("[&&a]", "a", True),
    ("a]", "a]", True),
    ("data[!_]*/x", "data/x", False),
    # alternatives
    ("{mnist,vision}/**", "vision/boxes.py", True),
    ("{mnist,vision}/**", "tasks/boxes.py", False),
    ("*.{py,yaml}", "leap.yaml", True),
    ("*.{py,yaml}", "leap.yml", False),
    ("a{,bc}", "a", True),
    ("a{,bc}", "abc", True),
    ("a/{b/c,c/b}", "a/c/b", True),
    ("{a/{b,c},abc}", "a/c", True),
    ("{a/{b,c},abc}", "abc", True),
    ("{a/{b,c},abc}", "a/b/c", False),
    ("{a,b}{1,2}", "b1", True),
    ("{**/,}x.py", "a/b/x.py", True),
    ("ab{c,d,*}", "abcde", True),
    ("{one}", "one", True),
    ("a,b", "a,b", True),
    ("e/**/{z,other}", "e/x/y/z", True),
    # escapes
    ("a\\*b", "a*b", True),
    ("a\\*b", "ab", False),
    ("\\{a,b\\}", "{a,b}", True),
    ("\\{a,b\\}", "a", False),
    ("{\\*,\\?}", "?", True),
    ("{a\\,b,c}", "a,b", True),
    ("\\[a]", "[a]", True),
    ("a/\\**", "a/b", False),
    ("a/\\**", "a/*b", True),
    ("a\\\\b", "a\\b", True),
    ("\\a", "a", True),
    ("*\\}", "}", True),
]


@pytest.mark.parametrize(("pattern", "path", "matched"), MATCH)
def test_matches(pattern, path, matched):
    assert matches(pattern, path) is matched


def test_the_table_is_long():
    assert len(set(MATCH)) == len(MATCH) >= 80


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("[", "never closes a ["),
        ("a[", "never closes a ["),
        ("[^", "never closes a ["),
        ("[^bc", "never closes a ["),
        ("[a\\", "never closes a ["),
        ("[a/b]", "never closes a [ in one segment"),
        ("[]a]", "holds an empty class"),
        ("[!]a]", "holds an empty class"),
        ("ab{c,d}[", "never closes a ["),
        ("{a,b", "never closes a brace"),
        ("{a,{b,c}", "never closes a brace"),
        ("a}", "closes a brace that it never opens"),
        ("{a}}", "closes a brace that it never opens"),
        ("a\\", "ends in a backslash"),
    ],
)
def test_a_pattern_that_doublestar_refuses_is_told(pattern, told):
    with pytest.raises(BadPatternError) as error:
        matches(pattern, "whatever")

    assert told in str(error.value)
    assert f"'{pattern}'" in str(error.value)


def test_alternatives_without_end_are_refused():
    with pytest.raises(BadPatternError, match="more than 10,000 alternatives"):
        matches("{a,b}" * 40, "a")


def test_stars_without_end_take_no_time():
    assert not matches("**/" * 30 + "x", "/".join("a" * 200))
    assert not matches("*a" * 20, "a" * 60 + "b")
    assert matches("*a" * 20 + "*", "a" * 60 + "b")
    assert not matches("{*a,*a*}" * 8, "a" * 7)


@pytest.mark.parametrize(
    ("pattern", "understood"),
    [
        ("mnist\\data\\*.py", "mnist/data\\*.py"),
        ("mnist\\**", "mnist\\**"),
        ("mnist\\data", "mnist/data"),
        ("\\{a\\}", "\\{a\\}"),
        ("a\\\\b", "a\\\\b"),
        ("a\\", "a/"),
    ],
)
def test_a_backslash_is_an_escape_only_before_a_special_character(pattern, understood):
    assert as_cli_pattern(pattern) == understood


@pytest.mark.parametrize(
    ("pattern", "understood"),
    [
        ("./mnist/*.py", "mnist/*.py"),
        ("mnist//a", "mnist/a"),
        ("mnist/../tasks/**/", "tasks/**"),
        ("/leap.yaml", "leap.yaml"),
        ("", ""),
        (".", ""),
    ],
)
def test_an_include_pattern_is_cleaned_as_a_path(pattern, understood):
    assert as_include_pattern(pattern) == understood


@pytest.mark.parametrize("pattern", ["..", "../x", "a/../../x", "..\\x"])
def test_an_include_pattern_that_leads_outside_is_refused(pattern):
    with pytest.raises(LeaplabError, match="leads outside the folder"):
        as_include_pattern(pattern)


def test_walking_tells_which_patterns_select_a_file_and_where_nothing_can_match():
    globs = Globs(["mnist/**/*.py", "tasks/*/a.py", "mnist/**", "{x,y}/z"])
    mnist = globs.step(globs.start, "mnist")

    assert globs.leads_on(mnist)
    assert globs.selected(mnist) == set()  # a file of that name is not below itself
    assert globs.selected(globs.step(mnist, "b.py")) == {0, 2}
    assert globs.selected(globs.step(mnist, "b.txt")) == {2}
    assert globs.selected(globs.step(globs.step(mnist, "deep"), "b.py")) == {0, 2}
    assert not globs.leads_on(globs.step(globs.start, ".venv"))
    x = globs.step(globs.start, "x")
    assert globs.leads_on(x)
    assert not globs.leads_on(globs.step(x, "z"))
    tasks = globs.step(globs.step(globs.start, "tasks"), "any")
    assert globs.selected(globs.step(tasks, "a.py")) == {1}
    assert not globs.leads_on(globs.step(tasks, "deeper"))
