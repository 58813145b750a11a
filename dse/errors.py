"""Errors of the command line; `costmodels.errors.InputError` is the base of everything a user can mend."""

from costmodels.errors import InputError


class DataError(InputError):
    """A data file is missing, truncated, corrupt or not what its name says."""


class StudyError(InputError):
    """A study folder is missing, foreign, corrupt, newer than this version, or in use."""
