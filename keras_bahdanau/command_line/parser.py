"""The argument parser, and arguments from the fields of dataclasses of options."""

import argparse
import dataclasses
import sys
import typing

from keras_bahdanau.translation.search_options import SearchOptions


class OneLineParser(argparse.ArgumentParser):
    """A parser that reports an error in one line and exits with code 2.

    Attributes:
        open_positional: name of a positional argument with `nargs="*"` whose values may also come
            after an option, as in `translate MODEL --n-best 2 TEXT`, which argparse does not parse
            before Python 3.13.
    """

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("formatter_class", HelpFormatter)
        super().__init__(*args, allow_abbrev=False, **kwargs)
        self.open_positional = None

    def parse_known_args(self, args=None, namespace=None):
        namespace, unknown = super().parse_known_args(args, namespace)
        if not self.open_positional:
            return namespace, unknown
        end = unknown.index("--") if "--" in unknown else len(unknown)
        before, after = unknown[:end], unknown[end + 1 :]
        values = [text for text in before if not text.startswith("-")] + after
        getattr(namespace, self.open_positional).extend(values)
        return namespace, [text for text in before if text.startswith("-")]

    def error(self, message):
        message = " ".join(message.split())
        print(f"error: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps line breaks of descriptions, and shows the default of each option."""

    def _get_help_string(self, action):
        text = action.help or ""
        if action.default in (None, False, argparse.SUPPRESS) or "%(default)" in text:
            return text
        if isinstance(action.default, (list, tuple)):
            shown = " ".join(map(str, action.default))
            return f"{text} (default: {shown})" if shown else text
        return f"{text} (default: %(default)s)"


def positive_integer(text: str) -> int:
    """Argument type: an integer of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, received {text}")
    return value


def add_option_arguments(parser, options, note):
    """Adds an argument for each field of a dataclass of options; its default is `None`.

    Args:
        parser: a parser or an argument group.
        options: the dataclass.
        note: function of a field that returns the end of its help, which names its default.
    """
    for field in dataclasses.fields(options):
        kinds = typing.get_args(field.type) or (field.type,)
        kind, choices = kinds[0], field.metadata["choices"]
        if typing.get_origin(field.type) is tuple:
            given = {"action": "append", "metavar": "PIECE"}
        elif kind is bool:
            given = {"action": argparse.BooleanOptionalAction}
        else:
            given = {"type": kind, "choices": choices, "metavar": None if choices else "N"}
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            default=None,
            help=f"{field.metadata['help']}{note(field)}",
            **given,
        )


def given_options(arguments, options) -> dict:
    """The given fields of a dataclass of options, as keyword arguments."""
    values = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(options)}
    return {name: value for name, value in values.items() if value is not None}


def add_search_arguments(parser):
    """Adds the arguments of the subcommands that translate."""
    parser.add_argument("--batch-size", type=positive_integer, default=64, help="texts in a batch")
    parser.add_argument(
        "--ensemble",
        metavar="DIR",
        action="append",
        help="another trained model directory with the same tokenizer: averages log-probabilities; "
        "may be repeated",
    )
    add_search_options(parser, "search", "fixed in an export")


def add_search_options(parser, title, description):
    """Adds a group with the fields of `SearchOptions`."""
    add_option_arguments(parser.add_argument_group(title, description), SearchOptions, _default)


def search_options(arguments) -> dict:
    """The given fields of `SearchOptions`, checked, as keyword arguments."""
    given = given_options(arguments, SearchOptions)
    # An export has another beam width than the default, so it checks `n_best` itself.
    SearchOptions(**{**given, "n_best": 1})
    return given


def _default(field):
    return "" if field.default in (None, False, ()) else f" (default: {field.default})"
