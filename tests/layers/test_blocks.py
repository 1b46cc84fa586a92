import numpy as np
import pytest
from attention_oracle import arrays_of
from keras import ops

from keras_bahdanau.layers.additive_scores import over_blocks

RANDOM = np.random.default_rng(7)
QUERIES = RANDOM.normal(size=(5, 7, 2)).astype("float32")
SENTENCES = RANDOM.normal(size=(5, 3)).astype("float32")


def sums(by_query, by_sentence, seen):
    """Per query its products with the sentence's numbers, and the same summed over queries."""
    seen.append(tuple(by_query["queries"].shape[:2]))
    products = ops.einsum("bid,bk->bidk", by_query["queries"], by_sentence["numbers"])
    return {"products": products, "sums": ops.sum(products, axis=1)}


def run(seen):
    return arrays_of(
        over_blocks(
            lambda *groups: sums(*groups, seen),
            by_query={"queries": ops.convert_to_tensor(QUERIES)},
            by_sentence={"numbers": ops.convert_to_tensor(SENTENCES)},
            pair_elements=10,
            written={"products": (2, 3)},
            summed={"sums": (2, 3)},
            dtype="float32",
        )
    )


@pytest.mark.parametrize(
    "elements, block",
    [
        (10**6, (5, 7)),
        (350, (5, 7)),
        # Two sentences at a time, and the last one with one of zeros.
        (349, (4, 7)),
        (140, (2, 7)),
        (70, (1, 7)),
        # A sentence in two blocks of four queries, the last one of zeros.
        (40, (1, 4)),
        (10, (1, 1)),
        (1, (1, 1)),
    ],
)
def test_every_size_of_blocks_gives_the_whole(elements, block, monkeypatch):
    monkeypatch.setattr("keras_bahdanau.layers.additive_scores.BLOCK_ELEMENTS", elements)
    seen = []
    results = run(seen)
    products = np.einsum("bid,bk->bidk", QUERIES, SENTENCES)
    np.testing.assert_allclose(results["products"], products, rtol=1e-6)
    np.testing.assert_allclose(results["sums"], products.sum(1), rtol=1e-4, atol=1e-6)
    assert set(seen) == {block}


def test_a_block_is_no_larger_than_it_may_be(monkeypatch):
    for elements in (10, 25, 69, 140, 200, 349):
        monkeypatch.setattr("keras_bahdanau.layers.additive_scores.BLOCK_ELEMENTS", elements)
        seen = []
        run(seen)
        assert all(10 * np.prod(block) <= elements for block in seen)
