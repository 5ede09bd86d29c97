"""The one error that a command shows to a person instead of a traceback."""


class LeaplabError(Exception):
    """Something that the user can mend.

    The message is one sentence, or two, that names the file, sample or handler and says what to do. Commands print
    it and end with exit code 2.
    """


class MissingError(LeaplabError):
    """What was asked for is not there: no such run, sample, column, space."""


class QuestionError(LeaplabError):
    """What was asked makes no sense: a condition that is none, an option that does not exist."""


class IntegrationError(LeaplabError):
    """The integration does not answer: it cannot be bound, or its process has ended."""
