import json
import shutil
import subprocess
import sys

import pytest

from keras_bahdanau import loading
from keras_bahdanau.text.tokenizer import Tokenizer
from keras_bahdanau.translation.result import Translation

ODD_LINES = [
    "the dog runs",
    "",
    "   ",
    "\t",
    "the dog " * 1_250,
    "🙂 👩\u200d👩\u200d👧 dog",
    "שלום עולם",
    "e\u0301 n\u0303 q\u0323\u0307",
    "nul \0 here",
    "<s>",
    "</s> the [START] dog <pad> <unk>",
    "漢字かな",
    "a\u2028b",
    "a\u0085b",
    "a\vb",
    "a\fb",
    "a\rb",
    "a\x1cb",
    "the cat",
]


def test_odd_lines_of_standard_input(command, untrained, untrained_directory):
    outcome = command("translate", untrained_directory, stdin="\n".join(ODD_LINES).encode())
    assert outcome.code == 0
    assert outcome.output == untrained.translate(ODD_LINES)
    assert outcome.errors == [
        "note: lines longer than the model's limit of 24 pieces, translated in parts: 1"
    ]
    blank = [not line.strip() for line in ODD_LINES]
    assert [line == "" for line in outcome.output] == blank


def test_texts_of_the_command_line(command, loaded):
    outcome = command("translate", "m", "the dog", "", "--beam-width", "2", "a\ncat")
    assert outcome.code == 0
    assert outcome.output == loaded.translate(["the dog", "", "a\ncat"], beam_width=2)
    assert outcome.errors == []


@pytest.mark.parametrize(
    ("stdin", "texts"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"the dog", ["the dog"]),
        (b"the dog\r\nthe cat\r\n", ["the dog", "the cat"]),
        (b"\n\nthe dog\n\n", ["", "", "the dog", ""]),
        (b"\xef\xbb\xbfthe dog\n", ["the dog"]),
    ],
)
def test_a_line_out_for_each_line_in(command, loaded, stdin, texts):
    outcome = command("translate", "m", stdin=stdin)
    assert (outcome.code, outcome.errors) == (0, [])
    assert outcome.output == loaded.translate(texts)


def test_more_lines_than_are_read_at_once(command, loaded, monkeypatch):
    monkeypatch.setattr("keras_bahdanau.command_line.translate.BLOCK", 2)
    texts = ["the dog", "a", "el gato", "", "casa"]
    outcome = command("translate", "m", stdin="\n".join(texts).encode())
    assert outcome.output == loaded.translate(texts)


def test_n_best_translations_stand_on_one_line(command, loaded):
    outcome = command("translate", "m", "--n-best", "3", "the dog", "", "cat")
    expected = loaded.translate(["the dog", "", "cat"], n_best=3)
    assert [line.split("\t") for line in outcome.output] == expected
    assert [len(ranked) for ranked in expected] == [3, 1, 3]


def test_more_than_the_beam_holds_is_refused(command, loaded):
    outcome = command("translate", "m", "--n-best", "6", "a")
    assert outcome.code == 2
    assert outcome.errors == [
        "error: Expected n_best of at most beam_width. Received: n_best=6, beam_width=5"
    ]


def test_bytes_that_are_not_utf_8(command, loaded):
    outcome = command("translate", "m", stdin=b"good\nb\xe4d\n")
    assert outcome.code == 2
    assert outcome.errors == [
        "error: Expected UTF-8. Received: byte 0xe4 in line 2 of standard input"
    ]
    outcome = command("translate", "m", b"\xff".decode("utf-8", "surrogateescape"))
    assert outcome.code == 2
    assert outcome.errors == ["error: Expected UTF-8. Received: invalid bytes in text 1"]


def test_alignments_as_a_page(command, loaded, tmp_path):
    path = tmp_path / "attention.html"
    outcome = command("translate", "m", "--alignments", path, "the dog", "", "<s>")
    assert outcome.code == 0
    assert outcome.errors == [f"alignments: {path}"]
    page = path.read_text(encoding="utf-8")
    assert "dog" in page


def test_alignments_as_a_heat_map(command, loaded, tmp_path):
    path = tmp_path / "attention.png"
    outcome = command("translate", "m", "--alignments", path, stdin="the dog\n\nשלום 漢\n".encode())
    assert outcome.code == 0
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["attention.gif", "attention", ".png"])
def test_another_kind_of_picture_is_refused_before_anything_is_loaded(command, monkeypatch, name):
    monkeypatch.setattr(
        loading, "open_translator", lambda *arguments, **options: pytest.fail("loaded")
    )
    outcome = command("translate", "m", "--alignments", name, "a")
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert "must end in .png (heat map) or .html (page)" in outcome.errors[0]


class Exported:
    """An export that gives no attention weights."""

    max_length = 24

    def translate_n_best(self, texts, **options):
        self.options = options
        return [[Translation("x\ty", -1.0)] for _ in texts], 0


@pytest.fixture
def exported(monkeypatch):
    translator = Exported()
    monkeypatch.setattr(loading, "open_translator", lambda *arguments, **options: translator)
    return translator


def test_only_what_is_given_is_asked_of_an_export(command, exported):
    assert command("translate", "m", "a", "b").output == ["x y", "x y"]
    assert exported.options == {"batch_size": 64, "return_alignments": False}
    command("translate", "m", "--length-penalty=0", "--beam-width=1", "--batch-size=3", "a")
    assert exported.options == {
        "length_penalty": 0,
        "beam_width": 1,
        "batch_size": 3,
        "return_alignments": False,
    }


def test_target_prefixes_go_line_by_line(command, exported, tmp_path):
    path = tmp_path / "prefixes.txt"
    path.write_text("Ein\n\n", encoding="utf-8")
    assert command("translate", "m", "--target-prefixes", path, "a", "b").code == 0
    assert exported.options["prefixes"] == ["Ein", ""]
    outcome = command("translate", "m", "--target-prefixes", path, "a")
    assert outcome.code == 2
    assert outcome.errors == [f"error: Expected as many lines as texts. Received: more in {path}"]


def test_alignments_of_what_gives_none(command, untrained_litert, tmp_path):
    outcome = command("translate", untrained_litert, "--alignments", tmp_path / "a.png", "a")
    assert (outcome.code, outcome.output) == (2, [])
    (line,) = outcome.errors
    assert line.endswith("Received: a LiteRT file, which gives no attention weights")
    assert not (tmp_path / "a.png").exists()


@pytest.fixture
def directory(untrained_directory, tmp_path):
    return shutil.copytree(untrained_directory, tmp_path / "model")


def truncate(path):
    path.write_bytes(path.read_bytes()[:1000])


def to_newer(path):
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 99}))


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("model.keras", truncate, "Expected a Keras model. Received: "),
        ("model.keras", lambda path: path.unlink(), "an unfinished model directory at "),
        ("tokenizer.model", lambda path: path.write_bytes(b"x"), "Expected a SentencePiece model"),
        (
            "tokenizer.model",
            lambda path: Tokenizer.train(["a b"], 9).save(path),
            "Expected the tokenizer of the model",
        ),
        ("config.json", lambda path: path.write_text("{"), "Expected JSON. Received: "),
        ("config.json", to_newer, "of format 99 (keras-bahdanau "),
    ],
)
@pytest.mark.parametrize("subcommand", ["translate", "score"])
def test_a_damaged_directory_is_one_line(command, directory, subcommand, name, damage, message):
    damage(directory / name)
    text = directory / "text"
    text.write_text("a\n")
    rest = ["a"] if subcommand == "translate" else [f"--source={text}", f"--target={text}"]
    outcome = command(subcommand, directory, *rest)
    assert (outcome.code, outcome.output) == (2, [])
    (line,) = outcome.errors
    assert message in line
    assert str(directory) in line


@pytest.mark.parametrize("name", ["nosuch", "file.txt", "empty", "model.tflite", "saved"])
def test_what_is_no_model_is_one_line(command, tmp_path, name):
    (tmp_path / "file.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.tflite").write_bytes(b"TFL3")
    (tmp_path / "saved" / "1").mkdir(parents=True)
    (tmp_path / "saved" / "1" / "saved_model.pb").write_bytes(b"garbage")
    outcome = command("translate", tmp_path / name, "a")
    assert (outcome.code, outcome.output) == (2, [])
    (line,) = outcome.errors
    assert line.startswith("error: Expected ")
    assert str(tmp_path) in line


@pytest.mark.slow
def test_standard_error_is_clean(trained_run):
    process = subprocess.run(
        [sys.executable, "-m", "keras_bahdanau", "translate", trained_run.directory],
        input=b"sun moon\n\nstar\n",
        capture_output=True,
    )
    assert process.returncode == 0
    assert process.stderr == b""
    assert process.stdout == b"nus noom\n\nrats\n"


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_alignments_behind_the_translations(command, loaded, kind):
    outcome = command(
        "translate", "m", "the dog runs", "", "--with-alignments", kind, "--n-best", "2"
    )
    assert outcome.code == 0
    ranked, blank = loaded.translate(["the dog runs", ""], n_best=2, return_alignments=True)
    shown = []
    for each in ranked:
        alignment = each.word_alignment()
        links = alignment.pharaoh() if kind == "hard" else alignment.soft()
        shown.append(f"{each.text} ||| {links}")
    assert outcome.output == ["\t".join(shown), "\t".join([" ||| "] * len(blank))]
