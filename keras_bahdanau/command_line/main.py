"""Entry point: parses the command line, runs a subcommand, turns errors into exit codes."""

import gc
import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Iterable

from keras_bahdanau.command_line.parser import OneLineParser
from keras_bahdanau.errors import InputError
from keras_bahdanau.version import __version__

DESCRIPTION = """\
Train a translator with Bahdanau attention on your own parallel text, draw its attention, and
export it to TensorFlow Serving and to LiteRT.

Start here:
  keras-bahdanau demo --output my-demo
"""
SUBCOMMANDS = {
    "demo": "train, evaluate, export and translate on the built-in corpus, in minutes",
    "train": "train a translator on your own parallel text",
    "translate": "translate texts or lines, and draw the attention",
    "evaluate": "translate a test set and print BLEU and chrF as JSON",
    "score": "print the log-probability of given translations",
    "export": "write a SavedModel for TensorFlow Serving or a LiteRT file for devices",
    "benchmark": "measure latency, memory and size of exported LiteRT files on this machine",
}


def main(argv: list[str] | None = None) -> int:
    """Runs the command in this process.

    Args:
        argv: the arguments, `sys.argv[1:]` by default.

    Returns:
        The exit code: 0 done; 2 the call or the input is wrong; 1 anything else.
    """
    argv = sys.argv[1:] if argv is None else argv
    # Only the subcommand that runs is imported.
    parser = build_parser([name for name in SUBCOMMANDS if name in argv[:1]])
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
            f"error: the package {error.name} is not installed: "
            "pip install 'keras-bahdanau[translation,litert]'",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of a pipe has exited; without this, Python would report it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (FloatingPointError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1


def program(*subcommand: str) -> int:
    """Runs the command as the whole process.

    Args:
        *subcommand: arguments that come before those of the process.

    Returns:
        The exit code.
    """
    code = main([*subcommand, *sys.argv[1:]])
    # Skips Python's last garbage collection at exit, which takes long after a long run.
    gc.freeze()
    return code


def build_parser(complete: Iterable[str] = SUBCOMMANDS) -> OneLineParser:
    """The parser of the command.

    Args:
        complete: the subcommands that get their arguments. The others are names with a line of
            help, and their modules are not imported.
    """
    parser = OneLineParser(prog="keras-bahdanau", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"keras-bahdanau {__version__}")
    subparsers = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True)
    for name, summary in SUBCOMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary)
        if name in complete:
            module = importlib.import_module(f"keras_bahdanau.command_line.{name}")
            subparser.description, subparser.epilog = module.DESCRIPTION, module.EPILOG
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser
