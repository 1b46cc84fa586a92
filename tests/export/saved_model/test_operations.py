import pytest
import tensorflow as tf

from keras_bahdanau.errors import InputError
from keras_bahdanau.export.saved_model.operations import SERVING_VERSIONS, check_operations


def save(directory, function, **arguments):
    """Writes a SavedModel of a function of one float32 number."""
    module = tf.Module()
    module.call = tf.function(function, **arguments)
    call = module.call.get_concrete_function(tf.TensorSpec([], tf.float32, name="x"))
    tf.saved_model.save(module, str(directory), signatures=call)
    return directory


def test_accepts_plain_computation(tmp_path):
    check_operations(save(tmp_path / "1", lambda x: tf.tanh(x) + 1.0))


def test_refuses_a_python_function(tmp_path):
    directory = save(tmp_path / "1", lambda x: tf.py_function(lambda y: y, [x], tf.float32))
    with pytest.raises(InputError, match="EagerPyFunc in the function .*Where: .*1$"):
        check_operations(directory)


def test_refuses_an_operation_inside_a_loop(tmp_path):
    def loop(x):
        return tf.while_loop(lambda y: y < 9.0, lambda y: tf.raw_ops.Betainc(a=y, b=y, x=y), [x])

    with pytest.raises(InputError, match="Betainc in the function while_body"):
        check_operations(save(tmp_path / "1", loop))


def test_refuses_files(tmp_path):
    directory = save(tmp_path / "1", lambda x: tf.io.read_file(tf.strings.as_string(x)))
    with pytest.raises(InputError, match="ReadFile in"):
        check_operations(directory)


def test_refuses_xla(tmp_path):
    directory = save(tmp_path / "1", lambda x: tf.tanh(x), jit_compile=True)
    with pytest.raises(InputError, match="jit_compile=True in the function"):
        check_operations(directory)


def test_refuses_what_is_no_saved_model(tmp_path):
    with pytest.raises(InputError, match="Expected a SavedModel directory, found no .*pb"):
        check_operations(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 20)
    with pytest.raises(InputError, match="cannot be read as one"):
        check_operations(tmp_path)


def test_an_operation_that_older_servers_lack(tmp_path, monkeypatch):
    directory = save(tmp_path / "1", lambda x: tf.raw_ops.Betainc(a=x, b=x, x=x))
    newer = SERVING_VERSIONS["2.20"] | {"Betainc"}
    monkeypatch.setitem(SERVING_VERSIONS, "2.20", newer)
    check_operations(directory, "2.20")
    with pytest.raises(InputError, match="TensorFlow Serving 2.15 has, received Betainc"):
        check_operations(directory, "2.15")


def test_newer_servers_have_what_older_ones_have():
    lists = [SERVING_VERSIONS[version] for version in sorted(SERVING_VERSIONS)]
    assert all(older < newer for older, newer in zip(lists, lists[1:], strict=False))
