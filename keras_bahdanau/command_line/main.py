"""Parses the command line, runs one subcommand, and turns errors into exit codes."""

import gc
import importlib
import os
import sys
import traceback
import warnings

from keras_bahdanau.command_line.parser import OneLineParser
from keras_bahdanau.errors import InputError
from keras_bahdanau.version import __version__

DESCRIPTION = """\
Train a translator with Bahdanau attention on your own parallel text, look at what it attends to,
and export it to TensorFlow Serving and to LiteRT.

Start here:
  keras-bahdanau demo --output my-demo
"""
SUBCOMMANDS = {
    "demo": "train, evaluate, export and translate on the built-in corpus, in minutes",
    "train": "train a translator on your own parallel text",
    "translate": "translate texts or lines, with pictures of the attention on request",
    "evaluate": "translate a test set and print its scores as JSON",
    "score": "print the log-probability of given translations",
    "export": "write a SavedModel for TensorFlow Serving or a LiteRT file for devices",
    "benchmark": "measure exported LiteRT files on this machine: latency, memory, size",
}


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: the arguments, `sys.argv[1:]` unless given.

    Returns:
        The exit code: 0 done; 2 the call or the input is wrong; 1 anything else.
    """
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        return arguments.run(arguments) or 0
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"error: Expected the package {error.name}. Received: it is not installed; "
            "try pip install 'keras-bahdanau[translation,litert]'",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has gone; Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (FloatingPointError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1


def program() -> int:
    """The command as a process of its own: its exit code."""
    code = main()
    # Python would search all objects for cycles once more, which takes long after a long run.
    gc.freeze()
    return code


def build_parser() -> OneLineParser:
    """The parser of all subcommands."""
    parser = OneLineParser(prog="keras-bahdanau", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"keras-bahdanau {__version__}")
    subparsers = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True)
    for name, summary in SUBCOMMANDS.items():
        module = importlib.import_module(f"keras_bahdanau.command_line.{name}")
        subparser = subparsers.add_parser(
            name, help=summary, description=module.DESCRIPTION, epilog=module.EPILOG
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    return parser
