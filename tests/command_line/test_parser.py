import argparse
import re

import pytest

from keras_bahdanau.command_line.main import build_parser
from keras_bahdanau.command_line.parser import positive_integer, search_options
from keras_bahdanau.errors import InputError


def test_positive_integers():
    assert positive_integer("12") == 12
    for text in ("0", "-3", "abc", "1.5", "", "nan"):
        with pytest.raises(argparse.ArgumentTypeError, match=f"at least 1, received {text}"):
            positive_integer(text)


def test_search_options_are_those_given():
    def given(*arguments):
        return search_options(build_parser().parse_args(["translate", "model", *arguments]))

    assert given() == {}
    assert given("--beam-width", "3", "--length-penalty=0.5", "--allow-unknown", "--no-sample") == {
        "beam_width": 3,
        "length_penalty": 0.5,
        "allow_unknown": True,
        "sample": False,
    }
    assert given("--banned-pieces", "a", "--banned-pieces", "b", "c") == {
        "banned_pieces": ["a", "b"]
    }
    # More than the default width has: an export may be wider.
    assert given("--n-best", "9") == {"n_best": 9}


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("beam-width", "0", "Expected beam_width of at least 1. Received: 0"),
        ("length-penalty", "-1", "Expected length_penalty of at least 0. Received: -1.0"),
        ("length-penalty", "nan", "Expected length_penalty of at least 0. Received: nan"),
        ("coverage-penalty", "inf", "Expected coverage_penalty of at least 0. Received: inf"),
        ("top-p", "1.5", "Expected top_p from 1e-06 to 1. Received: 1.5"),
        ("temperature", "0", "Expected temperature of at least 0.001. Received: 0.0"),
    ],
)
def test_search_options_out_of_range(name, value, message):
    arguments = build_parser().parse_args(["translate", "model", f"--{name}={value}"])
    with pytest.raises(InputError, match=re.escape(message)):
        search_options(arguments)


def test_search_options_that_are_no_numbers(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["translate", "model", "--beam-width", "x"])
    assert "argument --beam-width: invalid int value: 'x'" in capsys.readouterr().err


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
