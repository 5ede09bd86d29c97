"""The one error that a command shows to a person instead of a traceback."""


class LeaplabError(Exception):
    """Something that the user can mend.

    The message is one sentence, or two, that names the file, sample or handler and says what to do. Commands print
    it and end with exit code 2.
    """
