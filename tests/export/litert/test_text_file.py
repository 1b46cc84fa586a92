"""The LiteRT file from text to text against the runtime's translations."""

import io
import json
import runpy
import sys

import numpy as np
import pytest
import sentencepiece
import tensorflow_text
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, InterpreterWithCustomOps
from checkout import EXAMPLES
from small_translator import ENGLISH, SPANISH

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.litert import export_litert
from keras_bahdanau.export.litert.artifacts import SAMPLE_TEXTS
from keras_bahdanau.export.litert.conversion import operator_names
from keras_bahdanau.export.litert.text_file import TEXT_OPERATORS, _check_tokenizer
from keras_bahdanau.export.litert.tokenizer_file import tokenizer_description
from keras_bahdanau.export.runtime import LiteTranslator

EXAMPLE = EXAMPLES / "text_to_text.py"
TEXTS = [
    *SAMPLE_TEXTS,
    *(f"{first} {second}" for first in ENGLISH.split() for second in SPANISH.split()),
    "",
    "   ",
    " \t\u3000",
    "\u200b",
    "\x00",
    "\u2581 the \u2581",
    "\ufb01\u00bd\u2460\ufdfa",
    "a\u0301\u0323 \U0001f468\u200d\U0001f469",
]


@pytest.fixture(scope="module")
def directory(untrained, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "litert"
    return export_litert(untrained, path, beam_width=4, text=True)


@pytest.fixture(scope="module")
def translator(directory):
    return LiteTranslator(directory)


def interpreter(directory):
    return InterpreterWithCustomOps(
        model_path=str(directory / "translator_text.tflite"),
        custom_op_registerers=tensorflow_text.tflite_registrar.SELECT_TFTEXT_OPS,
    )


@pytest.fixture(scope="module")
def run(directory):
    """Function `(text, signature) -> translation`."""
    file = interpreter(directory)
    runners = {name: file.get_signature_runner(name) for name in file.get_signature_list()}

    def translate(text, signature):
        found = runners[signature](text=np.array([text.encode()], "object"))["translation"]
        assert found.shape == (1,)
        return found[0].decode()

    return translate


@pytest.mark.parametrize(("signature", "beam_width"), [("translate", 1), ("translate_beam", 4)])
def test_it_translates_as_the_runtime_does(run, translator, signature, beam_width):
    texts = [text for text in TEXTS if translator.source_length(text) <= translator.max_length]
    assert len(texts) > 100
    found = [run(text, signature) for text in texts]
    assert found == translator.translate(texts, beam_width)
    assert len(set(found)) > 60 and "" in found


def test_the_operators_cut_every_character_as_sentencepiece_does(translator, untrained):
    tokenize = tensorflow_text.FastSentencepieceTokenizer(untrained.tokenizer.model_bytes).tokenize
    characters = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    texts = [f"{character} a{character}{character}the" for character in characters]
    expected = [ids[:-1] for ids in map(translator.source_ids, texts)]
    assert tokenize(texts).to_list() == expected


@pytest.mark.parametrize(("signature", "beam_width"), [("translate", 1), ("translate_beam", 4)])
def test_a_text_beyond_the_limit_is_cut_off(run, translator, signature, beam_width):
    text = "the red dog sleeps " * 20
    *ids, end_id = translator.source_ids(text)
    cut = [*ids[: translator.max_length - 1], end_id]
    expected = translator.search(cut, beam_width)["token_ids"]
    assert run(text, signature) == translator.tokenizer.Decode(expected)


def test_only_tensorflow_texts_operators_are_added(directory):
    names = operator_names((directory / "translator_text.tflite").read_bytes())
    custom = {name for name in names if name.startswith("custom:")}
    assert custom == {f"custom:{name}" for name in TEXT_OPERATORS}
    plain = operator_names((directory / "translator.tflite").read_bytes())
    assert not any(name.startswith("custom:") for name in plain)


def test_the_manifest_and_the_file_say_what_it_needs(directory):
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    described = manifest["text_file"]
    assert described["name"] in manifest["files"]
    assert described["needs"] == "tensorflow-text"
    signatures = interpreter(directory).get_signature_list()
    assert signatures == {
        name: {side: list(tensors) for side, tensors in signature.items()}
        for name, signature in described["signatures"].items()
    }
    content = (directory / described["name"]).read_bytes()
    assert b"tensorflow-text" in schema.Model.GetRootAsModel(content, 0).Description()


def test_a_plain_interpreter_refuses_it(directory):
    file = Interpreter(str(directory / "translator_text.tflite"))
    with pytest.raises(RuntimeError, match="custom op: TFText>FastSentencepieceTokenize"):
        file.get_signature_runner("translate")(text=np.array([b"the dog"], "object"))


def test_without_the_option_there_is_no_such_file(untrained_litert):
    assert not list(untrained_litert.glob("*text*"))
    assert "text_file" not in json.loads((untrained_litert / "manifest.json").read_text("utf-8"))


@pytest.mark.slow
def test_with_other_options_it_does_as_well(untrained, tmp_path):
    directory = export_litert(
        untrained,
        tmp_path / "litert",
        quantization="int8",
        beam_width=2,
        attention=True,
        shortlist=[SPANISH],
        text=True,
    )
    translator = LiteTranslator(directory)
    translate = interpreter(directory).get_signature_runner("translate_beam")
    for line in translator.golden_lines():
        found = translate(text=np.array([line["text"].encode()], "object"))["translation"]
        assert found[0].decode() == line["beam"]["translation"]


@pytest.mark.parametrize(
    ("change", "received"),
    [
        ({"model_type": "bpe"}, "one of the type bpe"),
        ({"normalization_rule_name": "identity"}, "one without normalization"),
        ({"remove_extra_whitespaces": False}, "one that keeps extra spaces"),
        ({"byte_fallback": True}, "one with pieces of the type byte"),
        ({"user_defined_symbols": ["<x>"]}, "one with pieces of the type user_defined"),
    ],
)
def test_a_tokenizer_that_the_operators_do_not_know_is_refused(change, received, tmp_path):
    (tmp_path / "texts").write_text(f"{ENGLISH}\n{SPANISH}\n" * 9, encoding="utf-8")
    sentencepiece.SentencePieceTrainer.Train(
        input=str(tmp_path / "texts"),
        model_prefix=str(tmp_path / "model"),
        hard_vocab_limit=False,
        vocab_size=320 if "byte_fallback" in change else 40,
        minloglevel=2,
        **change,
    )
    description = tokenizer_description((tmp_path / "model.model").read_bytes())
    with pytest.raises(InputError, match=f"from text to text. Received: {received}"):
        _check_tokenizer(description)


def test_the_example_prints_a_line_for_each_text(directory, translator, monkeypatch, capsys):
    main = runpy.run_path(EXAMPLE)["main"]
    file, texts = str(directory / "translator_text.tflite"), ["the red house", "", "ñandú 12"]
    main([file, *texts])
    assert capsys.readouterr().out.split("\n") == [*translator.translate(texts), ""]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{text}\n" for text in texts)))
    main([file, "--greedy"])
    assert capsys.readouterr().out.split("\n") == [*translator.translate(texts, beam_width=1), ""]
