from leaplab.protocol.script_failure import LONGEST, script_failure

TRACEBACK = """Something went wrong. DataError('no data.\\nPut it there.') in file data.py, line_number: 7
Stacktrace:
Traceback (most recent call last):
  File "data.py", line 7, in load
    raise DataError(text)
data.DataError: no data.
Put it there.

The above exception was the direct cause of the following exception:

code_loader.contract.exceptions.DatasetScriptException: """


def test_a_message_of_several_lines_is_told_whole_in_one() -> None:
    said = "DataError: no data.\nPut it there\n(or elsewhere). (raised at data.py, line 7)\n"
    expected = "DataError: no data. Put it there (or elsewhere). (raised at data.py, line 7)"
    assert script_failure(TRACEBACK + said) == expected


def test_without_code_loaders_own_exception_the_last_line_is_told() -> None:
    assert script_failure("Traceback:\n  File x\nKeyError: 'a'\n") == "KeyError: 'a'"
    assert script_failure("KeyError: 'a'") == "KeyError: 'a'"


def test_there_is_always_a_reason_and_never_a_page_of_it() -> None:
    assert script_failure("") == script_failure(TRACEBACK) == "no reason given"
    told = script_failure(TRACEBACK + "word " * 1000)
    assert len(told) == LONGEST
    assert told.endswith("...")
