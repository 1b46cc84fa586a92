"""The argument parser: help that teaches, and errors of one line."""

import argparse
import math
import sys

# Of a trained model directory; an export has its own.
BEAM_WIDTH, LENGTH_PENALTY = 5, 1.0


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line with exit code 2.

    Attributes:
        open_positional: name of a positional argument with `nargs="*"` whose values may also
            stand after an option, as in `translate MODEL --n-best 2 TEXT`; Python below 3.13
            would not know what to do with them.
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
    """Keeps the examples as they are written, and shows each option's default."""

    def _get_help_string(self, action):
        text = action.help or ""
        if action.default in (None, False, argparse.SUPPRESS) or "%(default)" in text:
            return text
        return f"{text} (default: %(default)s)"


def positive_integer(text: str) -> int:
    """The type of counts."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, received {text}")
    return value


def finite_number(text: str) -> float:
    """The type of exponents: a finite number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, received {text}")
    return value


def add_search_arguments(parser):
    """The options of everything that translates."""
    parser.add_argument(
        "--beam-width",
        type=positive_integer,
        help=f"hypotheses kept; 1 is greedy (default: {BEAM_WIDTH}, or as exported)",
    )
    parser.add_argument(
        "--length-penalty",
        type=finite_number,
        help="exponent of the length that divides a log-probability "
        f"(default: {LENGTH_PENALTY}, or as exported)",
    )
    parser.add_argument(
        "--batch-size", type=positive_integer, default=64, help="texts translated at once"
    )


def search_options(arguments, translator) -> dict:
    """The options of `add_search_arguments` as arguments of `translate_n_best`.

    What was not given is as the translator's export fixed it, where it is one.
    """
    defaults = {"beam_width": BEAM_WIDTH, "length_penalty": LENGTH_PENALTY}
    options = {"batch_size": arguments.batch_size}
    for name, default in defaults.items():
        given = getattr(arguments, name)
        options[name] = getattr(translator, name, default) if given is None else given
    return options
