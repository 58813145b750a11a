"""Errors a user can mend: every class here ends a command with one message and exit code 2."""


class InputError(Exception):
    """Something the user gave cannot be used.

    The message says what is wrong, where, and what to do: "<subject> must be <rule>, not <value> (<where>)", then the
    likely fix. Several reasons at once are joined by newlines.
    """


class ConfigurationError(InputError):
    """An accelerator, technology or workload field holds a value the machine cannot have."""
