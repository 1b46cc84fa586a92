"""The page in examples/web/ in a real browser."""

import json
import random
import shutil
from pathlib import Path

import pytest
from small_translator import ENGLISH, SPANISH
from test_web_translations import change
from web_example import answer_of, browser, run_node, web_example

from keras_bahdanau.export.runtime import LiteTranslator

SENTENCES = 200
BEAM_SENTENCES = 20
TEXT = "the red house. a cat sleeps"

pytestmark = pytest.mark.ports


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    browser()
    return web_example(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def directory(untrained_litert):
    return untrained_litert


@pytest.fixture(scope="module")
def translator(directory):
    return LiteTranslator(directory)


def seen(example, scenario, **question):
    """What a scenario of `web_page.mjs` saw. No error may be on the page's console."""
    question = {"browser": browser(), "scenario": scenario, **question}
    answer = answer_of(example, "web_page.mjs", question)
    assert answer["troubles"] == []
    return answer["found"]


def test_typed_sentences_are_translated_as_in_python(example, directory, translator):
    draw = random.Random(5)
    words = [*ENGLISH.split(), *SPANISH.split(), "snow", "\u4f60\u597d"]
    texts = [" ".join(draw.choices(words, k=draw.randint(1, 9))) for _ in range(SENTENCES - 4)]
    texts += ["  ", "the dog sleeps! a house. " * 9, "casa" * 40, "\u0645\u0631\u062d \U0001f600"]
    sentences = {"greedy": texts, "beam": texts[-BEAM_SENTENCES:]}
    found = seen(example, "translations", exported=str(directory), sentences=sentences)
    expected = translator.translate(texts, beam_width=1)
    assert [each["finished"] for each in found["greedy"]] == expected
    # What is drawn word by word says the same.
    shown = [each["shown"].split() for each in found["greedy"]]
    assert shown == [text.split() for text in expected]
    expected_beam = translator.translate(sentences["beam"])
    assert [each["finished"] for each in found["beam"]] == expected_beam
    assert len(set(expected)) > 60


def test_the_keyboard_is_enough(example, directory, translator):
    found = seen(example, "keyboard", exported=str(directory), text=TEXT)
    assert [found["translation"]] == translator.translate([TEXT], beam_width=1)
    count = len(found["translation"].split())
    *stops, in_source, first, after = found["stops"]
    assert stops == ["beam", "BUTTON", "target 0", "target 1", f"target {count - 1}"]
    assert in_source.startswith("source ")
    assert first == "source 0"
    assert after == "BODY"
    assert found["linked"] > 0
    assert found["says"].startswith("the was looked at by ")
    assert found["marked"] == 0
    for name in ('textbox "Text to translate"', 'button "Translate"', 'checkbox "Beam search'):
        assert name in found["outline"]
    assert f"status: {found['translation']}" in found["outline"]


def test_it_works_offline_and_takes_up_a_new_export(example, directory, translator, tmp_path):
    later = Path(shutil.copytree(directory, tmp_path / "later"))
    change(later, "tokenizer.json", {"note": "the same tokenizer in another file"})
    change(later, "manifest.json", {"max_target_length": 5})
    broken = Path(shutil.copytree(later, tmp_path / "broken"))
    change(broken, "tokenizer.json", {"note": "damaged behind the manifest's back"})
    (broken / "tokenizer.json").write_text("{", encoding="utf-8")
    paths = {"exported": str(directory), "next": str(later), "broken": str(broken)}
    found = seen(example, "offline", text=TEXT, **paths)
    expected = translator.translate([TEXT], beam_width=1)
    assert [found["first"]["finished"]] == [found["offline"]["finished"]] == expected
    assert "works without a network" in found["offlineStatus"]
    shorter = LiteTranslator(later).translate([TEXT], beam_width=1)
    assert shorter != expected
    for visit in ("next", "nextOffline", "broken"):
        assert [found[visit]["finished"]] == shorter
    assert found["problem"].startswith("The model of before is used.")
    assert "tokenizer.json" in found["problem"]
    files = json.loads((later / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert sorted(found["kept"]) == [
        "manifest.json",
        f"tokenizer.json?sha256={files['tokenizer.json']['sha256']}",
        f"translator.tflite?sha256={files['translator.tflite']['sha256']}",
    ]


def test_broken_models_are_named_on_the_page(example, directory, tmp_path):
    broken = []
    for name in ("translator.tflite", "tokenizer.json", "manifest.json"):
        copied = Path(shutil.copytree(directory, tmp_path / name))
        content = (copied / name).read_bytes()
        (copied / name).write_bytes(content[: len(content) // 2])
        broken.append(copied)
    absent = tmp_path / "absent"
    found = seen(
        example,
        "broken",
        broken=[str(path) for path in [*broken, absent]],
        exported=str(directory),
    )
    *damaged, unread, nothing = found
    for directory, said in zip(broken, damaged, strict=True):
        assert directory.name in said and "damaged" in said
    assert "manifest.json, which cannot be read (HTTP status 404)" in unread
    assert nothing == ""


def test_nothing_is_wider_than_the_window(example, directory):
    widths = [320, 390, 768, 1280]
    text = "casa" * 30 + " the dog " * 8
    found = seen(example, "widths", exported=str(directory), text=text, widths=widths)
    assert found == widths


def test_the_written_site_has_all_that_is_served(example, directory, tmp_path):
    site = tmp_path / "site"
    run_node(example, "build.mjs", directory, site)
    model = (directory / "translator.tflite").read_bytes()
    assert (site / "model" / "translator.tflite").read_bytes() == model
    for name in ("index.html", "litert/core.js", "litert/wasm/litert_wasm_internal.wasm"):
        assert (site / name).stat().st_size > 0
    said = run_node(example, "build.mjs", directory, site, code=2).stderr
    assert "Expected a new or empty folder" in said
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
