from collections.abc import Iterator

import pytest

from data_access import notices
from data_access.notices import notice


@pytest.fixture(autouse=True)
def nothing_told() -> Iterator[None]:
    """A process that has told nothing yet, and tells of no test afterwards."""

    def forget() -> None:
        notice.cache_clear()
        notices._counts.clear()

    forget()
    yield
    forget()


def test_a_notice_is_a_line_on_the_error_output_and_comes_once(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("a.json: one", "b.json: one", "a.json: one"):
        notice(text)
    assert capsys.readouterr() == ("", "a.json: one\nb.json: one\n")


def test_of_a_kind_that_a_hundred_thousand_files_have_ten_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1000):
        notice(f"{number}.txt: a row twice", "rows")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        *(f"{number}.txt: a row twice" for number in range(9)),
        "9.txt: a row twice There may be more of this kind, which are not told.",
    ]
    notice("another", "columns")
    notice("of no kind")
    assert capsys.readouterr().err == "another\nof no kind\n"
