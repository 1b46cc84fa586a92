import json
import subprocess
import sys

import pytest

from keras_bahdanau import loading
from keras_bahdanau.command_line.main import SUBCOMMANDS
from keras_bahdanau.errors import InputError
from keras_bahdanau.version import __version__

LIST_IMPORTS = """
import contextlib, io, json, sys
from keras_bahdanau.command_line import main
found = {}
for arguments in json.loads(sys.argv[1]):
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        main([*arguments, "--help"])
    found[" ".join(arguments)] = output.getvalue()
heavy = ["keras", "tensorflow", "numpy", "sentencepiece", "matplotlib", "sacrebleu", "tensorboard"]
print(json.dumps([found, [name for name in heavy if name in sys.modules]]))
"""
BLANK_TRANSLATIONS = """
import sys
from keras_bahdanau import loading
from keras_bahdanau.command_line import main
from keras_bahdanau.translation.result import BLANK

class BlankTranslator:
    def translate_n_best(self, texts, **options):
        return [[BLANK]] * len(texts), 0

loading.open_translator = lambda *arguments, **options: BlankTranslator()
sys.exit(main(["translate", "model"]))
"""


@pytest.fixture(scope="module")
def helps():
    """The help of every subcommand, and which heavy packages were imported for it."""
    arguments = [[], *([name] for name in SUBCOMMANDS)]
    process = subprocess.run(
        [sys.executable, "-c", LIST_IMPORTS, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def test_help_imports_nothing_heavy(helps):
    assert helps[1] == []


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_teaches(helps, name):
    text = helps[0][name]
    assert text.startswith(f"usage: keras-bahdanau {name} ")
    assert f"  keras-bahdanau {name} " in text.partition("example")[2]
    # Every option says what it is for.
    options = text[text.index("\noptions:") :].splitlines()
    for line, following in zip(options, [*options[1:], ""], strict=True):
        if line.startswith("  --"):
            assert "  " in line.strip() or following.startswith(" " * 20), line


def test_the_first_help_names_the_subcommands(helps):
    for name, summary in SUBCOMMANDS.items():
        assert name in helps[0][""]
        assert summary.split()[0] in helps[0][""]
    assert "keras-bahdanau demo --output" in helps[0][""]


def test_python_m_is_the_command():
    process = subprocess.run(
        [sys.executable, "-m", "keras_bahdanau", "--version"], capture_output=True, text=True
    )
    assert process.returncode == 0
    assert process.stdout == f"keras-bahdanau {__version__}\n"
    assert process.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: SUBCOMMAND"),
        (["nosuch"], "invalid choice: 'nosuch'"),
        (["--colour"], "SUBCOMMAND"),
        (["evaluate"], "required: MODEL"),
        (["translate", "m", "--colour", "a"], "unrecognized arguments: --colour"),
        (["translate", "m", "--beam-width", "wide"], "invalid int value: 'wide'"),
        (["translate", "m", "--batch-size", "1.5"], "at least 1, received 1.5"),
        (["evaluate", "m", "--source", "a"], "required: --reference"),
        (["score", "m"], "required: --source, --target"),
        (["score", "m", "more", "--source", "a", "--target", "b"], "unrecognized arguments: more"),
        (["export", "m", "--format", "onnx", "--output", "x"], "invalid choice: 'onnx'"),
        (["export", "m", "--format", "litert"], "required: --output"),
        (["train", "--train", "a.tsv"], "required: --output"),
        (["train", "--output", "m", "--epochs", "many"], "invalid int value: 'many'"),
        (["train", "--output", "m", "--cell", "rnn"], "invalid choice: 'rnn'"),
        (["train", "--output", "m", "--preset", "huge"], "invalid choice: 'huge'"),
        (["train", "--output", "m", "--corpus", "wmt"], "invalid choice: 'wmt'"),
        (["demo"], "required: --output"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(command, arguments, message):
    outcome = command(*arguments)
    assert (outcome.code, outcome.output) == (2, [])
    (line,) = outcome.errors
    assert line.startswith("error: ")
    assert message in line
    assert "--help)" in line


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("two\nlines"), 2, "error: two lines"),
        (ModuleNotFoundError(name="tensorflow"), 1, "error: the package tensorflow is not"),
        (KeyboardInterrupt(), 1, "interrupted"),
        (FloatingPointError("The loss became nan"), 1, "error: The loss became nan"),
        (PermissionError(13, "Permission denied", "x"), 1, "error: [Errno 13] Permission denied"),
    ],
)
def test_errors_become_exit_codes(command, monkeypatch, error, code, line):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(loading, "open_translator", fail)
    outcome = command("translate", "model", "text")
    assert (outcome.code, outcome.output) == (code, [])
    assert len(outcome.errors) == 1
    assert outcome.errors[0].startswith(line)


def test_a_bug_shows_where_it_is(command, monkeypatch):
    monkeypatch.setattr(loading, "open_translator", lambda *arguments, **options: 1 / 0)
    outcome = command("translate", "model", "text")
    assert outcome.code == 1
    assert outcome.errors[0].startswith("Traceback")
    assert outcome.errors[-1] == "ZeroDivisionError: division by zero"


def test_a_reader_that_goes_away_gets_no_complaint():
    process = subprocess.Popen(
        [sys.executable, "-c", BLANK_TRANSLATIONS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    _, errors = process.communicate(b"\n" * 5000)
    assert process.returncode == 1
    assert errors == b""
