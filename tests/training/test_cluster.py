import json

import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.cluster import is_chief, place_in_cluster


def cluster(process):
    task = {"type": "worker", "index": process}
    return json.dumps({"cluster": {"worker": ["host-0:2222", "host-1:2222"]}, "task": task})


def test_the_place_in_a_cluster(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", cluster(1))
    assert place_in_cluster() == (1, 2)
    assert not is_chief()
    monkeypatch.delenv("TF_CONFIG")
    assert place_in_cluster() == (0, 1)
    assert is_chief()


@pytest.mark.parametrize(
    "text",
    [
        "host:2222",
        "[]",
        "{}",
        cluster(2),
        cluster(-1),
        cluster(0).replace("worker", "chief"),
        cluster(0).replace('"type": "worker"', '"type": "evaluator"'),
        cluster(0).replace('"worker": [', '"chief": ["h:1"], "worker": ['),
    ],
)
def test_a_wrong_description_of_the_cluster(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match="Expected TF_CONFIG such as"):
        place_in_cluster()
