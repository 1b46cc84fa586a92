"""Runs a computation over pairs of queries and memory positions block by block.

What is made for every pair in every unit, a tensor of shape `(batch_size, query_length,
value_length, units)`, is by far the largest of additive attention. In blocks it exists only in
part, at about the size of a processor's cache, which is also why blocks cost no time.
"""

from keras import ops

BLOCK_ELEMENTS = 2**20


def over_blocks(compute, by_query, by_sentence, pair_elements, written, summed, dtype):
    """Calls `compute` on blocks of sentences and of queries.

    Args:
        compute: function of two dicts, blocks of `by_query` and of `by_sentence`; returns a dict
            of what `written` and `summed` name.
        by_query: dict of tensors of shape `(batch_size, query_length, ...)`.
        by_sentence: dict of tensors of shape `(batch_size, ...)`.
        pair_elements: how many elements one query of one sentence makes.
        written: dict of names and shapes `...` of results that each query has for itself.
        summed: dict of names and shapes `...` of results that are summed over the queries.
        dtype: dtype of the results.

    Returns:
        dict of tensors, written ones of shape `(batch_size, query_length, ...)` and summed ones of
        shape `(batch_size, ...)`.
    """
    batch_size, query_length = ops.shape(next(iter(by_query.values())))[:2]
    if isinstance(query_length, int) and query_length == 1:
        # One step: what it makes is as large as the projected memory, which is there anyway.
        return compute(by_query, by_sentence)
    queries = _clip(BLOCK_ELEMENTS // pair_elements, query_length)
    sentences = _clip(BLOCK_ELEMENTS // (pair_elements * query_length), batch_size)
    sentence_blocks = -(-batch_size // sentences)

    def zeros(queries):
        shapes = {name: (sentences, queries, *shape) for name, shape in written.items()}
        shapes |= {name: (sentences, *shape) for name, shape in summed.items()}
        return {name: ops.zeros(shape, dtype=dtype) for name, shape in shapes.items()}

    def compute_sentences(by_query, by_sentence):
        if isinstance(queries, int) and isinstance(query_length, int) and queries == query_length:
            return compute(by_query, by_sentence)
        query_blocks = -(-query_length // queries)
        padded_length = query_blocks * queries
        by_query = {name: _pad(x, 1, padded_length - query_length) for name, x in by_query.items()}

        def step(start, results):
            block = {name: _block(tensor, start, queries) for name, tensor in by_query.items()}
            new = compute(block, by_sentence)
            results = {
                name: _write(result, start, new[name]) if name in written else result + new[name]
                for name, result in results.items()
            }
            return _after(start + queries, new), results

        _, results = ops.while_loop(
            lambda start, results: start < query_length,
            step,
            (0, zeros(padded_length)),
        )
        return {name: x[:, :query_length] if name in written else x for name, x in results.items()}

    if isinstance(sentence_blocks, int) and sentence_blocks == 1:
        return compute_sentences(by_query, by_sentence)
    missing = sentence_blocks * sentences - batch_size

    def split(tensor):
        tensor = _pad(tensor, 0, missing)
        return ops.reshape(tensor, (sentence_blocks, sentences, *ops.shape(tensor)[1:]))

    def join(tensor):
        tensor = ops.reshape(tensor, (sentence_blocks * sentences, *ops.shape(tensor)[2:]))
        return tensor[:batch_size]

    groups = tuple(
        {name: split(tensor) for name, tensor in group.items()} for group in (by_query, by_sentence)
    )

    def step(_, index):
        results = compute_sentences(
            *({name: ops.take(x, index, axis=0) for name, x in group.items()} for group in groups)
        )
        return results, results

    # Not `ops.map`: TensorFlow would have ten blocks in memory at once.
    _, results = ops.scan(step, zeros(query_length), ops.arange(sentence_blocks))
    return {name: join(tensor) for name, tensor in results.items()}


def _block(tensor, start, queries):
    batch_size, _, *rest = ops.shape(tensor)
    return ops.slice(tensor, (0, start, *(0 for _ in rest)), (batch_size, queries, *rest))


def _write(tensor, start, block):
    return ops.slice_update(tensor, (0, start, *(0 for _ in tensor.shape[2:])), block)


def _after(number, tensors):
    # TensorFlow would begin the next blocks before this one is done, and hold all of them, did
    # their number not hang on its result: nothing is greater than infinity.
    last = ops.reshape(next(iter(tensors.values())), (-1,))[-1]
    return number + ops.cast(last > float("inf"), "int32")


def _clip(number, most):
    if isinstance(number, int) and isinstance(most, int):
        return max(1, min(number, most))
    return ops.maximum(1, ops.minimum(number, most))


def _pad(tensor, axis, length):
    if isinstance(length, int) and length == 0:
        return tensor
    widths = [(0, 0)] * len(tensor.shape)
    widths[axis] = (0, length)
    return ops.pad(tensor, widths)
