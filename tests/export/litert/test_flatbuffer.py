import pytest
import tensorflow as tf

from keras_bahdanau.export.litert.conversion import (
    UnsupportedOperatorError,
    check_operators,
    operator_names,
)


def converted(function, *specifications, **options):
    graph = tf.function(function, input_signature=specifications).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module())
    for name, value in options.items():
        setattr(converter, name, value)
    return converter


VECTOR = tf.TensorSpec((4,), tf.float32)


def test_builtin_operators_pass_and_are_named():
    content = converted(lambda x: tf.tanh(x) + 1.0, VECTOR).convert()
    assert check_operators(content) == operator_names(content) == ["ADD", "TANH"]


def test_operators_inside_loops_are_seen():
    def loop(x):
        return tf.while_loop(lambda x: x[0] < 9.0, lambda x: [tf.tanh(x) + 1.0], [x])

    names = operator_names(converted(loop, VECTOR).convert())
    assert {"WHILE", "LESS", "TANH"} <= set(names)


def test_a_flex_operator_is_refused():
    converter = converted(tf.linalg.det, tf.TensorSpec((3, 3), tf.float32))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
    with pytest.raises(UnsupportedOperatorError, match="custom:FlexMatrixDeterminant"):
        check_operators(converter.convert())


def test_a_custom_operator_is_refused():
    converter = converted(tf.math.bessel_i0, VECTOR, allow_custom_ops=True)
    with pytest.raises(UnsupportedOperatorError, match="custom:BesselI0"):
        check_operators(converter.convert())


def test_a_custom_operator_that_is_named_passes():
    content = converted(
        lambda x: tf.math.bessel_i0(tf.math.bessel_i1(x)), VECTOR, allow_custom_ops=True
    ).convert()
    names = ["BesselI0", "BesselI1"]
    assert check_operators(content, names) == [f"custom:{name}" for name in names]
    with pytest.raises(UnsupportedOperatorError, match="needs: custom:BesselI0$"):
        check_operators(content, names[1:])


def test_a_variable_is_refused():
    module = tf.Module()
    module.total = tf.Variable(tf.zeros((4,)))
    graph = tf.function(module.total.assign_add, input_signature=[VECTOR]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], module)
    converter.experimental_enable_resource_variables = True
    with pytest.raises(UnsupportedOperatorError, match="READ_VARIABLE"):
        check_operators(converter.convert())
