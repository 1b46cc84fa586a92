"""Argument checks of layers and their calls; each error says what was expected and received."""

import math

import keras


def check_positive_integer(name, value):
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(f"Argument `{name}` must be a positive integer. Received: {name}={value}")
    return value


def check_positive_number(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ValueError(f"Argument `{name}` must be a positive number. Received: {name}={value}")
    return value


def check_non_negative_number(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(
            f"Argument `{name}` must be a number of at least 0. Received: {name}={value}"
        )
    return value


def check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"Argument `{name}` must be one of {choices}. Received: {name}={value!r}")
    return value


def check_rate(name, value):
    if not 0 <= value < 1:
        raise ValueError(f"Argument `{name}` must be in the range [0, 1). Received: {name}={value}")
    return value


def check_attention_shapes(query_shape, value_shape, key_shape=None):
    """Raises ValueError unless query, value and key have shapes that fit together."""
    received = f"Received: query.shape={tuple(query_shape)}, value.shape={tuple(value_shape)}"
    if len(query_shape) not in (2, 3):
        raise ValueError(
            "Expected `query` of shape (batch_size, query_dim) or "
            f"(batch_size, query_length, query_dim). {received}"
        )
    if len(value_shape) != 3:
        raise ValueError(
            f"Expected `value` of shape (batch_size, value_length, value_dim). {received}"
        )
    if query_shape[-1] is None or value_shape[-1] is None:
        raise ValueError(f"The last dimension of `query` and `value` must be known. {received}")
    if not same_size(query_shape[0], value_shape[0]):
        raise ValueError(f"`query` and `value` must have the same batch size. {received}")
    if key_shape is not None:
        fits = len(key_shape) == 3 and all(
            same_size(key_shape[axis], value_shape[axis]) for axis in (0, 1)
        )
        if not fits:
            raise ValueError(
                "Expected `key` of shape (batch_size, value_length, key_dim). "
                f"{received}, key.shape={tuple(key_shape)}"
            )


def check_attention_call(layer, query, value, key, keys, query_mask, value_mask, attention_state):
    """Raises ValueError unless the arguments of an attention layer's call fit together."""
    if key is not None and keys is not None:
        raise ValueError(
            "Expected either `key` (to be projected) or `keys` (from `project_keys`). "
            "Received both."
        )
    check_attention_shapes(query.shape, value.shape, None if key is None else key.shape)
    _check_width(layer, "query", query.shape, layer.query_kernel.shape[0])
    if keys is not None:
        check_keys_shape(keys.shape, value.shape, layer.keys_dim)
    elif key is not None:
        _check_width(layer, "key", key.shape, layer.key_kernel.shape[0])
    else:
        _check_width(layer, "value", value.shape, layer.key_kernel.shape[0])
    check_mask("query_mask", query_mask, query.shape[:-1])
    check_mask("value_mask", value_mask, value.shape[:-1])
    if attention_state is not None:
        check_attention_state(attention_state, layer.state_names, value.shape)


def _check_width(layer, name, shape, width):
    if shape[-1] != width:
        raise ValueError(
            f"Layer '{layer.name}' was built for `{name}` of width {width}. "
            f"Received: {name}.shape={tuple(shape)}"
        )


def check_attention_state(attention_state, state_names, value_shape):
    """Raises ValueError unless an attention state has the names and shapes of `state_names`."""
    received = attention_state
    if isinstance(attention_state, dict):
        received = {name: tuple(state.shape) for name, state in attention_state.items()}
    expected = {name: tuple(value_shape[:2]) for name in state_names}
    fits = isinstance(received, dict) and received.keys() == expected.keys()
    if not fits or not all(
        len(shape) == 2 and all(map(same_size, shape, value_shape)) for shape in received.values()
    ):
        raise ValueError(
            "Expected `attention_state` to be what this layer returned for this memory: a dict "
            f"of tensors of shapes {expected}. Received: {received}"
        )


def check_keys_shape(keys_shape, value_shape, keys_dim):
    """Raises ValueError unless projected keys belong to the value and to this layer."""
    expected = (*value_shape[:2], keys_dim)
    if len(keys_shape) != 3 or not all(map(same_size, keys_shape, expected)):
        raise ValueError(
            f"Expected `keys` of shape {expected} (batch_size, value_length, keys_dim). "
            f"Received: keys.shape={tuple(keys_shape)}"
        )


def check_mask(name, mask, shape):
    """Raises ValueError unless `mask` is None or a bool tensor of the shape `shape`."""
    if mask is None:
        return
    dtype = keras.backend.standardize_dtype(mask.dtype)
    fits = len(mask.shape) == len(shape) and all(map(same_size, mask.shape, shape))
    if dtype != "bool" or not fits:
        raise ValueError(
            f"Expected `{name}` to be a bool tensor of shape {tuple(shape)}. "
            f"Received: dtype={dtype}, shape={tuple(mask.shape)}"
        )


def same_size(first, second):
    """Whether two dimensions are equal, or one of them is not known statically."""
    return not isinstance(first, int) or not isinstance(second, int) or first == second
