"""The argument parser: help that teaches, and errors of one line."""

import argparse
import sys


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line with exit code 2."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("formatter_class", HelpFormatter)
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def error(self, message):
        message = " ".join(message.split())
        print(f"error: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples as they are written, and shows each option's default."""

    def _get_help_string(self, action):
        text = action.help or ""
        if action.default in (None, False, argparse.SUPPRESS) or "%(default)" in text:
            return text
        return f"{text} (default: %(default)s)"


def positive_integer(text: str) -> int:
    """The type of counts."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, received {value}")
    return value


def add_search_arguments(parser):
    """The options of everything that translates."""
    parser.add_argument(
        "--beam-width", type=positive_integer, default=5, help="hypotheses kept; 1 is greedy"
    )
    parser.add_argument(
        "--length-penalty",
        type=float,
        default=1.0,
        help="exponent of the length that divides a log-probability",
    )
    parser.add_argument(
        "--batch-size", type=positive_integer, default=64, help="texts translated at once"
    )


def search_options(arguments) -> dict:
    """The options of `add_search_arguments` as arguments of `translate_n_best`."""
    return {
        "beam_width": arguments.beam_width,
        "length_penalty": arguments.length_penalty,
        "batch_size": arguments.batch_size,
    }
