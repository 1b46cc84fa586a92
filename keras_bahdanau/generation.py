"""Source ids in, translations out: the search joined to the model.

Everything here is `keras.ops` on tensors, so the same functions run eagerly, compiled, and inside
an exported SavedModel.
"""

from keras import ops

from keras_bahdanau.search import SearchResult, beam_search

# Tokens allowed beyond twice the source length, so that a short source may have a longer target.
EXTRA_LENGTH = 10


def target_limits(source_ids, *, pad_id, max_target_length):
    """How many tokens each translation may have at most: 2 * source_length + 10, up to a limit.

    Args:
        source_ids: integer tensor of shape `(batch_size, source_length)`, the end token included.
        pad_id: the id of padding.
        max_target_length: the limit for every translation.

    Returns:
        int32 tensor of shape `(batch_size,)`. A blank source is bounded like any other.
    """
    lengths = ops.sum(ops.cast(ops.not_equal(source_ids, pad_id), "int32"), axis=1)
    return ops.minimum(2 * lengths + EXTRA_LENGTH, max_target_length)


def generate(
    model,
    source_ids,
    *,
    special_ids,
    max_target_length,
    beam_width=5,
    n_best=1,
    min_length=0,
    length_penalty=1.0,
    return_attention_scores=True,
) -> SearchResult:
    """Translates a batch of token ids.

    Args:
        model: a `TranslationModel`.
        source_ids: int32 tensor of shape `(batch_size, source_length)`, each row its pieces, the
            end token and padding.
        special_ids: dict of `pad_id`, `unknown_id`, `start_id` and `end_id`.
        max_target_length: the limit for every translation, in tokens, the end token included.
        beam_width: number of hypotheses kept; 1 is greedy search.
        n_best: number of translations returned for each source, at most `beam_width`.
        min_length: number of tokens before the end token is allowed.
        length_penalty: exponent of the length that divides a log-probability: a number, or a
            scalar tensor.
        return_attention_scores: whether to keep the attention weights, of every hypothesis at
            every step: much memory and some time where sources are long.

    Returns:
        A `SearchResult`.
    """
    encoded = model.encoder(source_ids, training=False)
    start = model.decoder.start(encoded["memory"], encoded["encoder_state"])
    constants = {
        "memory": encoded["memory"],
        "memory_mask": encoded["memory_mask"],
        "keys": start["keys"],
    }

    def step(token_ids, states, constants):
        logits, states, attention_scores = model.decoder.step(token_ids, states, **constants)
        return logits, states, attention_scores if return_attention_scores else None

    pad_id, start_id = special_ids["pad_id"], special_ids["start_id"]
    limits = target_limits(source_ids, pad_id=pad_id, max_target_length=max_target_length)
    width = source_ids.shape[1]
    longest = None if width is None else min(2 * width + EXTRA_LENGTH, max_target_length)
    return beam_search(
        step,
        start["initial_state"],
        constants,
        beam_width=beam_width,
        n_best=n_best,
        length_penalty=length_penalty,
        start_id=start_id,
        end_id=special_ids["end_id"],
        pad_id=pad_id,
        max_length=limits,
        longest=longest,
        min_length=min_length,
        suppressed_ids=(pad_id, special_ids["unknown_id"], start_id),
    )


def score(model, source_ids, target_in_ids, target_out_ids, *, pad_id):
    """Log-probability of given translations by teacher forcing.

    Args:
        model: a `TranslationModel`.
        source_ids: int32 tensor of shape `(batch_size, source_length)`.
        target_in_ids: int32 tensor of shape `(batch_size, target_length)`: the start token, then
            the pieces.
        target_out_ids: int32 tensor of the same shape: the pieces, then the end token.
        pad_id: the id of padding, which does not count.

    Returns:
        float32 tensor of shape `(batch_size,)`: sum of the natural logarithms of the
        probabilities of the target's tokens, the end token included.
    """
    logits = model({"source_ids": source_ids, "target_in_ids": target_in_ids}, training=False)
    target_logits = ops.take_along_axis(logits, ops.expand_dims(target_out_ids, -1), axis=-1)
    log_probabilities = target_logits[..., 0] - ops.logsumexp(logits, axis=-1)
    kept = ops.not_equal(target_out_ids, pad_id)
    return ops.sum(ops.where(kept, log_probabilities, 0.0), axis=1)
