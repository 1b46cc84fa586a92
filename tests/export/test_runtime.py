import ast
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keras_bahdanau.export import runtime
from keras_bahdanau.export.runtime import LiteTranslator, split_at_sentences

STRANGE = [
    "\x00",
    "the\x00dog",
    "\u2028",
    "\ufdfa" * 2,  # One character that NFKC writes as 18.
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    "\u0645\u0631\u062d\u0628\u0627",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a\u0301" * 40,
    "\U0010ffff\ufffe",
    "x" * 5000,
]
TEXTS = ["the red house", "", "el perro corre. a cat sleeps", " \t ", "ñandú 12 ¿qué? \U0001f600"]


@pytest.fixture(scope="module")
def directory(untrained_litert):
    return untrained_litert


@pytest.fixture(scope="module", params=["interpreter", "compiled-model"])
def translator(directory, request):
    return LiteTranslator(directory, api=request.param)


def test_it_imports_nothing_of_this_package_nor_tensorflow():
    tree = ast.parse(Path(runtime.__file__).read_text(encoding="utf-8"))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert modules - set(sys.stdlib_module_names) == {"numpy", "sentencepiece", "ai_edge_litert"}


def test_the_file_alone_translates_in_a_process_without_tensorflow(directory, translator, tmp_path):
    shutil.copy(runtime.__file__, tmp_path / "lite_runtime.py")
    program = (
        "import json, sys\n"
        "from lite_runtime import LiteTranslator\n"
        "texts = json.loads(sys.argv[2])\n"
        "print(json.dumps(LiteTranslator(sys.argv[1]).translate(texts)))\n"
        "assert not {'tensorflow', 'keras', 'keras_bahdanau'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(directory), json.dumps(TEXTS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == translator.translate(TEXTS)


def test_the_path_of_the_file_does_as_well(directory, translator):
    beside = LiteTranslator(directory / "translator.tflite")
    assert beside.translate(TEXTS, beam_width=1) == translator.translate(TEXTS, beam_width=1)


def test_it_reproduces_the_golden_lines(directory, translator):
    text = (directory / "golden.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert translator.source_ids(line["text"]) == line["source_ids"]
        for name, beam_width in (("greedy", 1), ("beam", None)):
            found = translator.search(line["source_ids"], beam_width)
            assert found["token_ids"] == line[name]["token_ids"]
            assert translator.translate([line["text"]], beam_width) == [line[name]["translation"]]
        assert "".join(translator.stream(line["text"])) == line["greedy"]["translation"]
    assert translator.check_golden() == len(lines) > 10


def test_both_apis_give_the_same_on_texts_of_every_kind(directory):
    apis = [LiteTranslator(directory, api=api) for api in ("interpreter", "compiled-model")]
    texts = [*TEXTS, *STRANGE]
    for beam_width in (1, None):
        first, second = (api.translate(texts, beam_width) for api in apis)
        assert first == second


def test_blank_texts_stay_blank(translator):
    assert translator.translate(["", "   ", "\n"]) == ["", "", ""]
    assert list(translator.stream("  ")) == []


@pytest.mark.parametrize("text", [*TEXTS, "a cat runs. the dog sleeps! " * 8, "gato" * 40])
def test_a_stream_is_the_greedy_translation_bit_by_bit(translator, text):
    bits = list(translator.stream(text))
    assert "".join(bits) == translator.translate([text], beam_width=1)[0]
    assert all(bits)


def test_other_beam_widths_are_refused(translator):
    with pytest.raises(ValueError, match="beam_width 1 .* or 5 .*Received: beam_width=3"):
        translator.translate(["the dog"], beam_width=3)


def test_one_string_is_refused(translator):
    with pytest.raises(TypeError, match="list of texts"):
        translator.translate("the dog")


@pytest.mark.parametrize(
    ("source_ids", "message"),
    [
        ([5] * 25, "1 to 24 source ids. Received: 25"),
        ([], "1 to 24 source ids. Received: 0"),
        ([5, 48, 3], "from 0 to 47. Received: 48"),
        ([-1, 3], "from 0 to 47. Received: -1"),
    ],
)
def test_ids_that_no_text_has_are_refused(translator, source_ids, message):
    for beam_width in (1, None):
        with pytest.raises(ValueError, match=message):
            translator.search(source_ids, beam_width)


@pytest.mark.parametrize("text", STRANGE)
def test_strange_texts_are_translated_in_parts_that_fit(translator, text):
    parts = translator.parts(text)
    (translation,) = translator.translate([text], beam_width=1)
    assert bool(parts) == bool(translation)
    assert "".join(translator.stream(text)) == translation


@pytest.mark.parametrize("text", ["\ud800", "the dog\udc80"])
def test_lone_surrogates_are_refused(translator, text):
    for run in (lambda: translator.translate([text]), lambda: list(translator.stream(text))):
        with pytest.raises(ValueError, match=r"lone surrogate '\\ud[8c][08]0' at character [07]"):
            run()


@pytest.mark.parametrize("text", [b"the dog", None, 3])
def test_what_is_no_text_is_refused(translator, text):
    with pytest.raises(TypeError, match=f"Received: {type(text).__name__}"):
        translator.translate([text])


def test_threads_do_not_disturb_each_other(translator):
    texts = [*TEXTS, *STRANGE] * 4
    expected = translator.translate(texts)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: translator.translate([text])[0], texts))
    assert found == expected


def test_another_api_is_refused(directory):
    with pytest.raises(ValueError, match="'compiled-model'.*Received: api='gpu'"):
        LiteTranslator(directory, api="gpu")


def test_long_texts_are_cut_at_sentence_ends():
    text = "One two. Three four five! Six? Seven eight nine ten eleven"
    parts = split_at_sentences(text, lambda part: len(part.split()), 5)
    assert parts == ["One two. Three four five!", "Six?", "Seven eight nine ten eleven"]


def test_a_long_sentence_is_cut_at_spaces_and_a_long_word_in_halves():
    parts = split_at_sentences("a bb ccc dddddddd", len, 4)
    assert parts == ["a bb", "ccc", "dddd", "dddd"]


def test_all_parts_fit_the_model(translator):
    text = "the dog sleeps. " * 5 + "casa" * 60 + " el perro" * 20
    parts = translator.parts(text)
    assert len(parts) > 2
    assert max(map(translator.source_length, parts)) <= translator.max_length
    assert "".join("".join(parts).split()) == "".join(text.split())
