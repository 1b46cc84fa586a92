"""Dataclasses of options: fields with a default, a range and a help text."""

import dataclasses
import math

from keras_bahdanau.errors import InputError


def option(default, description, choices=None, least=None, most=None, below=None):
    """A field of a dataclass of options.

    Args:
        default: its default value.
        description: its help text on the command line.
        choices: tuple of the allowed values, or `None`.
        least, most: inclusive range of a number, or `None`.
        below: exclusive upper bound of a number, or `None`.
    """
    metadata = {"help": description, "choices": choices}
    metadata |= {"least": least, "most": most, "below": below}
    return dataclasses.field(default=default, metadata=metadata)


def check_options(options):
    """Raises InputError if a field of a dataclass of options is out of its range."""
    for field in dataclasses.fields(options):
        value, metadata = getattr(options, field.name), field.metadata
        if value is None or isinstance(value, (bool, tuple)):
            continue
        choices, least, most = (metadata[name] for name in ("choices", "least", "most"))
        if choices and value not in choices:
            raise InputError(f"Expected {field.name} among {choices}. Received: {value}")
        if isinstance(value, str):
            continue
        least, below = -math.inf if least is None else least, metadata["below"]
        is_too_large = (most is not None and value > most) or (below is not None and value >= below)
        # Comparisons with NaN are false, so this refuses it too.
        if not least <= value < math.inf or is_too_large:
            limit = f"of at least {least}" if most is None else f"from {least} to {most}"
            limit = limit if below is None else f"in [{least}, {below})"
            raise InputError(f"Expected {field.name} {limit}. Received: {value}")
