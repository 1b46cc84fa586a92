"""`keras-bahdanau translate --server`."""

from keras_bahdanau import loading


def test_a_server_in_place_of_a_model(command, loaded, monkeypatch):
    asked = []

    class Served:
        max_length = None

        def translate_n_best(self, texts, **options):
            asked.append((texts, options))
            return loaded.translate_n_best(texts)

    monkeypatch.setattr(loading, "open_server", lambda server, name: asked.append(name) or Served())
    outcome = command("translate", "--server", "localhost:8500", "the dog", "the cat")
    assert outcome.code == 0
    assert outcome.output == loaded.translate(["the dog", "the cat"])
    name, (texts, options) = asked
    assert (name, texts) == ("translator", ["the dog", "the cat"])
    assert options == {"batch_size": 64, "return_alignments": False}


def test_neither_a_model_nor_a_server(command):
    outcome = command("translate")
    assert outcome.code == 2
    assert outcome.errors == ["error: Expected a MODEL or --server. Received: neither"]


def test_a_search_that_a_server_cannot_change(command):
    outcome = command("translate", "--server", "localhost:1", "--beam-width", "3", "the dog")
    assert outcome.code == 2
    assert outcome.errors[0].endswith("Received: beam_width")


def test_a_server_that_is_not_there(command):
    outcome = command("translate", "--server", "127.0.0.1:1", "the dog")
    assert outcome.code == 1
    assert outcome.errors[0].startswith("error: unavailable: 127.0.0.1:1: translator: ")
    assert len(outcome.errors) == 1


def test_an_address_in_place_of_a_model_directory(command):
    outcome = command("translate", "127.0.0.1:1", "the dog", "--model-name", "other")
    assert outcome.code == 1
    assert outcome.errors[0].startswith("error: unavailable: 127.0.0.1:1: other: ")


def test_no_ensemble_with_a_server(command, tmp_path):
    outcome = command("translate", "127.0.0.1:1", "the dog", "--ensemble", tmp_path)
    assert outcome.code == 2
    assert outcome.errors[0].endswith("in an ensemble. Received: 127.0.0.1:1, an export")
    outcome = command("translate", "--server", "127.0.0.1:1", "the dog", "--ensemble", tmp_path)
    assert outcome.code == 2
    assert outcome.errors == ["error: Expected --server or --ensemble. Received: both"]
