"""Errors that a person can mend."""


class DataError(Exception):
    """Data that is missing, damaged or out of reach.

    The message is one or two full sentences that name the file and say what to do, so a command prints it as
    it is, without a traceback.
    """


class SettingsError(DataError):
    """A settings file that is missing, cannot be parsed, or holds a key or value that does not fit."""
