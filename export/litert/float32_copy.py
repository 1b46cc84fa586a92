"""A copy of a model that computes in float32."""

import keras


def float32_copy(model):
    """Rebuilds a model under the float32 policy, with the same weights.

    Exporting works on a copy: a model trained in mixed precision computes in float16 or bfloat16,
    which LiteRT runs slower or not at all, and the caller's layers stay free of the exported
    graph's nodes.

    Args:
        model: a built `keras.Model` whose `get_config` rebuilds it.

    Returns: a model of the same class.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        copy = type(model).from_config(model.get_config())
    finally:
        keras.config.set_dtype_policy(policy)
    copy.set_weights([weight.astype("float32") for weight in model.get_weights()])
    return copy
