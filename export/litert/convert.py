"""From a SavedModel to the bytes of a checked LiteRT file."""

import re

import tensorflow as tf

from keras_bahdanau.export.litert.compact import compact
from keras_bahdanau.export.litert.flatbuffer import UnsupportedOperatorError, check_operators

QUANTIZATIONS = ("float32", "int8", "int4")
_REFUSED = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")


def convert(
    saved_model, signature_names, quantization="float32", *, custom_operators=(), description=None
):
    """Converts signatures of a SavedModel into one LiteRT file with shared weights.

    Args:
        saved_model: path of the SavedModel's directory.
        signature_names: list of `str`.
        quantization: `"float32"`; `"int8"` for int8 weights and products computed in int8
            ("dynamic range"); or `"int4"` for the same with matrices of four bits, where they are
            what `round_weights` left.
        custom_operators: names of the operators besides LiteRT's own that the file may need.
        description: what the file says of itself, the converter's words by default.

    Returns: `bytes` of the file.

    Raises:
        UnsupportedOperatorError: when the graph needs more than stateless builtin operators and
            `custom_operators`.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(saved_model), signature_keys=list(signature_names)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    converter.allow_custom_ops = bool(custom_operators)
    if quantization != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    try:
        content = converter.convert()
    except Exception as error:
        message = str(error)
        operators = sorted(set(_REFUSED.findall(message)))
        raise UnsupportedOperatorError(
            "Expected a graph that LiteRT's builtin operators can express. "
            f"Received one that needs: {', '.join(operators) or ' '.join(message.split())[:300]}"
        ) from error
    content = compact(content, description, four_bits=quantization == "int4")
    check_operators(content, custom_operators)
    return content
