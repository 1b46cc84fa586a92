"""What clients may send by mistake or on purpose, to every signature, through the C++ loader."""

import base64
import math

import pytest
from cpp_answers import run_cpp_loader

NEIGHBOURS = ["the dog runs", "el gato corre"]
BAD = {
    "not UTF-8": {"b64": base64.b64encode(b"the \xff\xfe dog").decode()},
    "half a character": {"b64": base64.b64encode("ñ".encode()[:1]).decode()},
    "NUL": "the\0dog\0",
    "nothing but NUL": "\0\0\0",
    "100,000 characters": "the dog " * 12_500,
    "one word of 100,000 characters": "x" * 100_000,
    "blank": " \t\n\u3000\u200b ",
    "empty": "",
    "control tokens": "<s> </s> <pad> <unk> ▁the </s>",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f\ufeff",
    "right to left": "\u202ethe\u202c שלום\u0301\u0301\u0301",
    "no scalar values": {"b64": base64.b64encode(b"\xed\xa0\x80\xf4\x90\x80\x80").decode()},
}
MISTAKES = {
    "no such signature": ("translate", {"text": ["the dog"]}),
    "no such input": ("serving_default", {"texts": ["the dog"]}),
    "fewer targets than sources": ("score", {"source": NEIGHBOURS, "target": NEIGHBOURS[:1]}),
}


def request(signature, texts):
    if signature == "score":
        return signature, {"source": texts, "target": ["el perro"] * len(texts)}
    return signature, {"text": texts}


SIGNATURES = ("serving_default", "translate_n_best", "score")


@pytest.fixture(scope="module")
def translator(untrained):
    return untrained


@pytest.fixture(scope="module")
def answers(untrained_saved_model):
    """Those of one process, in which each request came after all before it."""
    requests = dict(MISTAKES)
    for signature in SIGNATURES:
        requests[signature, "neighbours"] = request(signature, NEIGHBOURS)
        for name, bad in BAD.items():
            requests[signature, name] = request(signature, [NEIGHBOURS[0], bad, NEIGHBOURS[1]])
    requests["targets"] = (
        "score",
        {"source": ["the dog"] * len(BAD), "target": list(BAD.values())},
    )
    requests["after all"] = request("serving_default", NEIGHBOURS)
    report = run_cpp_loader(untrained_saved_model, requests.values())
    return dict(zip(requests, report["answers"], strict=True))


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("name", BAD)
def test_the_neighbours_get_their_own_answers(answers, signature, name):
    answer, expected = answers[signature, name], answers[signature, "neighbours"]
    assert "error" not in answer
    for output in {"translation", "is_cut", "target_length"} & expected.keys():
        assert answer[output][::2] == expected[output]
    if signature == "translate_n_best":
        scores = [*answer["log_probability"][0], *answer["log_probability"][2]]
        assert scores == pytest.approx(sum(expected["log_probability"], []), rel=1e-5)
    else:
        assert answer["log_probability"][::2] == pytest.approx(
            expected["log_probability"], rel=1e-5
        )


@pytest.mark.parametrize("name", BAD)
def test_the_bad_text_gets_a_defined_answer(answers, translator, name):
    best = answers["serving_default", name]
    assert isinstance(best["translation"][1], str)
    assert -math.inf < best["log_probability"][1] <= 0
    ranked = answers["translate_n_best", name]["translation"][1]
    assert ranked[0] == best["translation"][1]
    assert all(-math.inf < score <= 0 for score in answers["score", name]["log_probability"])
    is_long = is_over(translator.max_length, BAD[name], translator)
    assert best["is_cut"] == answers["translate_n_best", name]["is_cut"] == [False, is_long, False]
    if name in ("blank", "empty"):
        assert best["translation"][1] == "" and best["log_probability"][1] == 0


def is_over(limit, text, translator):
    if isinstance(text, dict):
        text = base64.b64decode(text["b64"]).decode(errors="replace")
    return len(translator.tokenizer.encode(text)) + 1 > limit


def test_targets_may_be_bad_as_well(answers, translator):
    assert all(-math.inf < score <= 0 for score in answers["targets"]["log_probability"])
    limit = translator.config["max_target_length"]
    is_cut = [is_over(limit, bad, translator) for bad in BAD.values()]
    assert answers["targets"]["is_cut"] == is_cut
    assert any(is_cut) and not all(is_cut)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_call_is_an_error(answers, name):
    assert answers[name].keys() == {"error"}
    if name == "fewer targets than sources":
        assert "Expected as many targets as sources" in answers[name]["error"]


def test_the_process_still_answers(answers):
    assert answers["after all"] == answers["serving_default", "neighbours"]
