import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_bahdanau.training.array_file import DamagedFile, check_arrays, read_arrays, write_arrays

ARRAYS = {
    "matrix": np.arange(6, dtype="float32").reshape(2, 3),
    "number": np.array(7, dtype="int64"),
    "nothing": np.zeros((0, 4), "float32"),
    "transposed": np.arange(6).reshape(2, 3).T,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("arrays") / "a.npz"
    write_arrays(path, ARRAYS.items(), size=100)
    return path


def test_arrays_come_back_in_their_order(whole):
    check_arrays(whole)
    received = list(read_arrays(whole))
    assert [name for name, _ in received] == list(ARRAYS)
    for name, array in received:
        np.testing.assert_array_equal(array, ARRAYS[name])
        assert array.dtype == ARRAYS[name].dtype


def test_numpy_reads_the_file_too(whole):
    with np.load(whole, allow_pickle=False) as arrays:
        assert arrays.files == list(ARRAYS)
        np.testing.assert_array_equal(arrays["matrix"], ARRAYS["matrix"])


def test_equal_arrays_give_equal_files(whole, tmp_path):
    write_arrays(tmp_path / "a.npz", ARRAYS.items(), size=100)
    assert (tmp_path / "a.npz").read_bytes() == whole.read_bytes()


@given(data=st.data())
def test_every_other_byte_and_every_cut_is_noticed(whole, tmp_path_factory, data):
    content = bytearray(whole.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:position]
    else:
        content[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "a.npz"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=rf"a\.npz, whose checksum is wrong \({len(content):,} b"):
        check_arrays(path)


@pytest.mark.parametrize("addition", [b"\0", b"0" * 64])
def test_more_bytes_are_noticed(whole, tmp_path, addition):
    (tmp_path / "a.npz").write_bytes(whole.read_bytes() + addition)
    with pytest.raises(DamagedFile, match="whose checksum is wrong"):
        check_arrays(tmp_path / "a.npz")


def test_what_cannot_be_read_is_damaged(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    for name, reason in (("absent.npz", "No such file"), ("folder.npz", "Is a directory")):
        with pytest.raises(DamagedFile, match=f"{name}, which cannot be read: {reason}"):
            check_arrays(tmp_path / name)


def test_objects_are_neither_written_nor_read(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle=False"):
        write_arrays(tmp_path / "a.npz", [("object", np.array([{}]))], size=0)
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "b.npz", object=np.array([{}]))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        list(read_arrays(tmp_path / "b.npz"))
