"""Options as fields of a dataclass: each with a default, a range and a line of help."""

import dataclasses
import math

from keras_bahdanau.errors import InputError


def option(default, description, choices=None, least=None, most=None):
    """A field of a dataclass of options.

    Args:
        default: its default.
        description: its help.
        choices: tuple of all values that it may have, or `None`.
        least, most: the range of a number, both included, or `None`.
    """
    metadata = {"help": description, "choices": choices, "least": least, "most": most}
    return dataclasses.field(default=default, metadata=metadata)


def check_options(options):
    """Raises InputError unless each field of a dataclass of options is in its range."""
    for field in dataclasses.fields(options):
        value, metadata = getattr(options, field.name), field.metadata
        if value is None or isinstance(value, (bool, tuple)):
            continue
        choices, least, most = (metadata[name] for name in ("choices", "least", "most"))
        if choices and value not in choices:
            raise InputError(f"Expected {field.name} among {choices}. Received: {value}")
        if isinstance(value, str):
            continue
        least = -math.inf if least is None else least
        # Written so that NaN is refused too.
        if not least <= value < math.inf or (most is not None and value > most):
            limit = f"from {least} on" if most is None else f"from {least} to {most}"
            raise InputError(f"Expected {field.name} {limit}. Received: {value}")
