import argparse

import pytest

from keras_bahdanau.command_line.main import build_parser
from keras_bahdanau.command_line.parser import finite_number, positive_integer


def test_positive_integers():
    assert positive_integer("12") == 12
    for text in ("0", "-3", "abc", "1.5", "", "nan"):
        with pytest.raises(argparse.ArgumentTypeError, match=f"at least 1, received {text}"):
            positive_integer(text)


def test_finite_numbers():
    assert finite_number("0") == 0
    assert finite_number("0.6") == 0.6
    for text in ("-1", "nan", "inf", "abc", ""):
        with pytest.raises(argparse.ArgumentTypeError, match=f"at least 0, received {text}"):
            finite_number(text)


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ([], []),
        (["a", "b"], ["a", "b"]),
        (["--n-best", "2", "a", "b"], ["a", "b"]),
        (["a", "--n-best", "2", "b"], ["a", "b"]),
        (["--n-best=2", "a", "--beam-width", "3", "b", "c"], ["a", "b", "c"]),
        (["--n-best", "2", "--", "-a", "--n-best", "--"], ["-a", "--n-best", "--"]),
        (["a", "--", "-b"], ["a", "-b"]),
        ([""], [""]),
    ],
)
def test_texts_stand_before_and_after_options(arguments, texts):
    parsed = build_parser().parse_args(["translate", "model", *arguments])
    assert parsed.model == "model"
    assert parsed.texts == texts


def test_an_unknown_option_among_texts_is_named(capsys):
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(["translate", "model", "--n-best", "2", "a", "--colour", "b"])
    assert end.value.code == 2
    assert "unrecognized arguments: --colour (see" in capsys.readouterr().err


def test_options_are_not_abbreviated(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["translate", "model", "--beam", "2"])
    assert "--beam" in capsys.readouterr().err
