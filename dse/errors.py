"""Errors of the command line; `costmodels.errors.InputError` is the base of everything a user can mend."""

from costmodels.errors import InputError


class DataError(InputError):
    """A data file is missing, truncated, corrupt or not what its name says."""


class StudyError(InputError):
    """A study folder is missing, foreign, corrupt, newer than this version, or in use."""


class RunError(Exception):
    """Nothing given is wrong, but work cannot go on: the disk is full, a worker does not start, a scheduler is gone.

    Ends a command with one message and exit code 1; what was kept stays, and the message says how to go on.
    """
