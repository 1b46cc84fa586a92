"""What options of a search do to generation."""

import numpy as np
import pytest
from generation_case import (
    END,
    MODELS,
    PAD,
    SOURCE_IDS,
    UNKNOWN,
    check_scores,
    search,
    searched_model,
)
from on_backend import cases, long_on


@pytest.fixture(scope="module", params=cases(MODELS, most=1))
def model(request):
    return searched_model(**request.param)


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, [20, 16, 12, 10]),
        ({"max_length": 30}, [22, 16, 12, 10]),
        ({"max_length_ratio": 0.5}, [13, 11, 10, 10]),
        ({"max_length": 3, "max_length_ratio": 0.0}, [3, 3, 3, 3]),
    ],
)
def test_greatest_lengths(model, options, expected):
    # No translation ends before its limit.
    options = {"min_length": 99, "max_target_length": 20, **options}
    assert search(model, beam_width=1, n_best=1, **options).lengths[:, 0].tolist() == expected


def test_least_lengths(model):
    result = search(model, min_length_ratio=1.5, min_length=2, length_penalty=0.0)
    for row, least in enumerate([9, 4, 2, 2]):
        for tokens, length in zip(result.token_ids[row], result.lengths[row], strict=True):
            assert length > least
            assert END not in tokens[:least]


def test_prefix_is_kept_and_scored(model):
    prefix_ids = np.array([[9, 5], [11, PAD], [PAD, PAD], [4, 4]], dtype="int32")
    result = search(model, prefix_ids=prefix_ids)
    for tokens, prefix in zip(result.token_ids, prefix_ids, strict=True):
        given = np.count_nonzero(prefix)
        assert (tokens[:, :given] == prefix[:given]).all()
    check_scores([model], result)
    without = search(model)
    np.testing.assert_array_equal(result.token_ids[2], without.token_ids[2])


@long_on(["jax"])
def test_prefix_beyond_every_limit_is_kept(model):
    prefix_ids = np.full((4, 15), 6, dtype="int32")
    result = search(model, prefix_ids=prefix_ids, max_target_length=5)
    assert (result.token_ids[:, :, :15] == 6).all()
    assert (result.lengths == 16).all()


def test_samples_are_scored_and_follow_their_noise(model):
    noise = np.random.default_rng(0).random((4, 3, 26)).astype("float32")
    options = {"sample": True, "noise": noise, "temperature": 1.5, "top_k": 6}
    result = search(model, **options)
    check_scores([model], result)
    again = search(model, SOURCE_IDS[[1]], **{**options, "noise": noise[[1]]})
    time = min(again.token_ids.shape[2], result.token_ids.shape[2])
    np.testing.assert_array_equal(again.token_ids[0, :, :time], result.token_ids[1, :, :time])


def test_banned_tokens_never_appear(model):
    banned = int(search(model).token_ids[0, 0, 0])
    assert banned != END
    assert not (search(model, banned_ids=(banned,)).token_ids == banned).any()


@long_on(["jax"])
def test_unknown_token_where_it_is_allowed(model):
    noise = np.random.default_rng(1).random((4, 3, 26)).astype("float32")
    # So hot a draw is an even one, over all that is allowed.
    options = {"sample": True, "noise": noise, "temperature": 1000.0}
    assert (search(model, allow_unknown=True, **options).token_ids == UNKNOWN).any()
    assert not (search(model, **options).token_ids == UNKNOWN).any()


def test_no_translation_is_longer_than_its_limit(model):
    for limit in (1, 3):
        assert search(model, max_target_length=limit).lengths.max() <= limit
