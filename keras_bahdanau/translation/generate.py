"""Search and scoring with translation models: source ids in, target ids out.

All of it is `keras.ops` on tensors: the same functions run eagerly, compiled, and in an exported
SavedModel.
"""

from keras import ops

from keras_bahdanau.search import SearchResult, beam_search, sample
from keras_bahdanau.translation.search_options import SearchOptions

# Added to `max_length_ratio` times the source length: short sources may have longer targets.
EXTRA_LENGTH = 10


def generate(
    models,
    source_ids,
    options=None,
    *,
    special_ids,
    max_target_length,
    length_penalty=1.0,
    banned_ids=(),
    prefix_ids=None,
    noise=None,
    return_attention_scores=True,
) -> SearchResult:
    """Translates a batch of token ids, by beam search or sampling.

    Args:
        models: list of `TranslationModel` of one vocabulary. Several are an ensemble: the mean of
            their log-probabilities, and of their attention weights.
        source_ids: int32 tensor of shape `(batch_size, source_length)`: the pieces of each source,
            the end token and padding.
        options: `SearchOptions`; `None` for its defaults.
        special_ids: dict of `pad_id`, `unknown_id`, `start_id` and `end_id`.
        max_target_length: the limit of a translation in tokens, the end token included, unless the
            options have one.
        length_penalty: number or scalar tensor; overrides that of the options.
        banned_ids: sequence of int, the ids of the options' `banned_pieces`.
        prefix_ids: int32 tensor of shape `(batch_size, prefix_length)`, padded: the forced prefix
            of each translation; or `None`.
        noise: with `options.sample`, a tensor of shape `(batch_size, n_best, T)`: see
            `keras_bahdanau.search.sample`.
        return_attention_scores: whether to return attention weights. They are kept for every
            hypothesis and step: much memory and some time where sources are long.

    Returns:
        A `SearchResult`.
    """
    options = SearchOptions() if options is None else options
    needs_attention = return_attention_scores or bool(options.coverage_penalty)
    initial_states, constants = zip(*(_start(model, source_ids) for model in models), strict=True)
    pad_id, start_id = special_ids["pad_id"], special_ids["start_id"]
    suppressed = {pad_id, start_id, *banned_ids}
    if not options.allow_unknown:
        suppressed.add(special_ids["unknown_id"])
    least, limits, longest = _lengths(source_ids, pad_id, options, max_target_length, prefix_ids)
    rules = {
        "start_id": start_id,
        "end_id": special_ids["end_id"],
        "pad_id": pad_id,
        "max_length": limits,
        "longest": longest,
        "min_length": least,
        "length_penalty": length_penalty,
        "suppressed_ids": sorted(suppressed),
        "no_repeat_ngram_size": options.no_repeat_ngram_size,
        "prefix_ids": prefix_ids,
        "normalized": len(models) > 1,
    }
    step = _joint_step(models, needs_attention)
    if options.sample:
        return sample(
            step,
            initial_states,
            constants,
            noise=noise,
            temperature=options.temperature,
            top_k=options.top_k,
            top_p=options.top_p,
            **rules,
        )
    found = beam_search(
        step,
        initial_states,
        constants,
        beam_width=options.beam_width,
        n_best=options.n_best,
        length_penalty_type=options.length_penalty_type,
        coverage_penalty=options.coverage_penalty,
        **rules,
    )
    return found if return_attention_scores else found._replace(attention_scores=None)


def _start(model, source_ids):
    """Initial states of the decoder, and its inputs that are the same in every step."""
    encoded = model.encoder(source_ids, training=False)
    start = model.decoder.start(encoded["memory"], encoded["encoder_state"])
    constants = {
        "memory": encoded["memory"],
        "memory_mask": encoded["memory_mask"],
        "keys": start["keys"],
    }
    return start["initial_state"], constants


def _joint_step(models, needs_attention):
    """Step function of one model or, by the mean of log-probabilities, of an ensemble."""
    output_kernels = [model.decoder.output_kernel() for model in models]

    def step(token_ids, states, constants):
        found = [
            model.decoder.step(token_ids, state, **inputs, output_kernel=kernel)
            for model, state, inputs, kernel in zip(
                models, states, constants, output_kernels, strict=True
            )
        ]
        logits, states, attention = zip(*found, strict=True)
        if len(models) > 1:
            logits = [ops.log_softmax(each, axis=-1) for each in logits]
        logits, attention = (sum(each) / len(each) for each in (logits, attention))
        return logits, states, attention if needs_attention else None

    return step


def _lengths(source_ids, pad_id, options, max_target_length, prefix_ids):
    """Minimum and maximum length of each translation; that of the batch if it is static."""
    most = max_target_length if options.max_length is None else options.max_length
    lengths = ops.sum(ops.cast(ops.not_equal(source_ids, pad_id), "int32"), axis=1)
    limits = _times(options.max_length_ratio, lengths) + EXTRA_LENGTH
    limits, least = ops.maximum(ops.minimum(limits, most), 1), options.min_length
    if options.min_length_ratio:
        least = ops.maximum(least, _times(options.min_length_ratio, lengths))
    widths = [source_ids.shape[1]]
    if prefix_ids is not None:
        given = ops.sum(ops.cast(ops.not_equal(prefix_ids, pad_id), "int32"), axis=1)
        limits = ops.maximum(limits, given + 1)
        widths.append(prefix_ids.shape[1])
    longest = None if None in widths else longest_target(options, widths, max_target_length)
    return least, limits, longest


def longest_target(options, widths, max_target_length):
    """The maximum length of a translation in a batch, in tokens.

    Args:
        options: `SearchOptions`.
        widths: list of `source_length` and, where there are prefixes, `prefix_length`.
        max_target_length: see `generate`.
    """
    most = max_target_length if options.max_length is None else options.max_length
    longest = min(int(options.max_length_ratio * widths[0]) + EXTRA_LENGTH, most)
    return max(longest, *(width + 1 for width in widths[1:]), 1)


def _times(ratio, lengths):
    if ratio == int(ratio):
        return int(ratio) * lengths
    return ops.cast(ratio * ops.cast(lengths, "float32"), "int32")


def score(models, source_ids, target_in_ids, target_out_ids, *, pad_id):
    """Log-probability of given translations, by teacher forcing.

    Args:
        models: list of `TranslationModel`; the mean over an ensemble is returned.
        source_ids: int32 tensor of shape `(batch_size, source_length)`.
        target_in_ids: int32 tensor of shape `(batch_size, target_length)`: the start token, then
            the pieces.
        target_out_ids: int32 tensor of the same shape: the pieces, then the end token.
        pad_id: the id of padding, which is left out of the sum.

    Returns:
        float32 tensor of shape `(batch_size,)`: sum of the natural logarithms of the
        probabilities of the target's tokens, the end token included.
    """
    kept = ops.not_equal(target_out_ids, pad_id)
    totals = []
    for model in models:
        logits = model({"source_ids": source_ids, "target_in_ids": target_in_ids}, training=False)
        target_logits = ops.take_along_axis(logits, ops.expand_dims(target_out_ids, -1), axis=-1)
        log_probabilities = target_logits[..., 0] - ops.logsumexp(logits, axis=-1)
        totals.append(ops.sum(ops.where(kept, log_probabilities, 0.0), axis=1))
    return sum(totals) / len(totals)
