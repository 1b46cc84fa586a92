import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.training.corpora import examination
from keras_bahdanau.training.corpora.examination import Column, repeated

# Few values, of both ends and of the middle of the range.
HASHES = st.lists(st.sampled_from([0, 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1]))


@given(parts=st.lists(HASHES), chunk=st.integers(1, 9), at_once=st.integers(1, 9))
def test_repeated_hashes_are_found_however_few_are_sorted_at_a_time(tmp_path_factory, **case):
    parts, at_once = case["parts"], case["at_once"]
    with (
        pytest.MonkeyPatch.context() as patch,
        Column("<u8", tmp_path_factory.mktemp("c")) as column,
    ):
        patch.setattr(examination, "CHUNK", case["chunk"])
        for part in parts:
            column.append(np.array(part, dtype=np.uint64))
        hashes = [value for part in parts for value in part]
        assert column.read().tolist() == hashes
        expected = [value in hashes[:index] for index, value in enumerate(hashes)]
        assert repeated(column, at_once).tolist() == expected


def test_a_column_leaves_no_file(tmp_path):
    with Column("u1", tmp_path) as column:
        column.append([1, 2])
        for _ in range(2):
            ((where, values),) = column.chunks()
            assert (where, values.tolist()) == (slice(0, 2), [1, 2])
    assert list(tmp_path.iterdir()) == []
