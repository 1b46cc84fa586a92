"""Label-smoothed cross-entropy of the output layer, computed without keeping the logits."""

from keras import ops

from keras_bahdanau.backend.numerics import float32_at_least, with_gradient

# Logits in memory at a time: more would leave the caches, fewer make small matrix products.
LOGITS = 2**22


def output_loss(
    features,
    kernel,
    bias,
    labels,
    weights,
    label_smoothing=0.0,
    is_embedding=False,
):
    """Output layer and cross-entropy in one operation that never keeps the logits.

    The target distribution has 1 - label_smoothing on the true token, plus label_smoothing spread
    evenly over the vocabulary (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7).

    Logits and their softmax are by far the largest tensors of a translator's training. Here they
    exist for a chunk of rows at a time, and the gradients of these rows are computed at once:
    softmax minus target, times the other factor of the product. So nothing of the size of the
    logits is kept for the backward pass. Second-order gradients are not defined.

    Args:
        features: tensor of shape `(rows, dim)`, the input of the output layer. In half precision,
            matrix products are computed in its dtype.
        kernel: tensor of shape `(dim, vocabulary_size)`.
        bias: tensor of shape `(vocabulary_size,)`, or `None`.
        labels: integer tensor of shape `(rows,)`.
        weights: tensor of shape `(rows,)`, the factor of each row's loss in the sum.
        label_smoothing: in [0, 1).
        is_embedding: whether the kernel is an embedding matrix (weight tying), of shape
            `(vocabulary_size, dim)`.

    Returns:
        float32 scalar, in nats: the weighted sum of the rows' losses.

    Raises:
        ValueError: `label_smoothing` is out of its range.
    """
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            "Argument `label_smoothing` must be in the range [0, 1). "
            f"Received: label_smoothing={label_smoothing}"
        )

    def loss(*tensors):
        value, found = _loss_and_gradients(
            *tensors,
            labels=labels,
            weights=ops.cast(weights, "float32"),
            smoothing=label_smoothing,
            is_embedding=is_embedding,
        )

        return value, lambda upstream: [upstream * gradient for gradient in found]

    given = (tensor for tensor in (features, kernel, bias) if tensor is not None)
    # Reshaping turns a variable into a tensor: eager TensorFlow wants no variables in a custom
    # gradient.
    return with_gradient(loss, *(ops.reshape(tensor, ops.shape(tensor)) for tensor in given))


def _loss_and_gradients(features, kernel, *bias, labels, weights, smoothing, is_embedding):
    """The loss, and its gradients with respect to features, kernel and bias where there is one."""
    rows, dim = ops.shape(features)[0], features.shape[1]
    vocabulary_size = kernel.shape[0 if is_embedding else 1]
    chunks = -(-rows * vocabulary_size // LOGITS)
    size = -(-rows // chunks)
    # Few different sizes, because some backends compile each of them.
    size = size + -size % 8
    missing = chunks * size - rows
    features = ops.pad(features, ((0, missing), (0, 0)))
    labels = ops.pad(ops.cast(labels, "int32"), ((0, missing),))
    weights = ops.pad(weights, ((0, missing),))
    matrix = ops.cast(kernel, features.dtype)
    to_logits, to_features = matrix, ops.transpose(matrix)
    if is_embedding:
        to_logits, to_features = to_features, to_logits
    # The smoothed part of the target needs the sum of the logits only, not the logits.
    even = smoothing / vocabulary_size
    even_features = even * ops.sum(kernel, axis=0 if is_embedding else 1)
    even_bias = even * sum(ops.sum(each) for each in bias)

    def add_chunk(index, loss, of_features, of_kernel, *of_bias):
        start = index * size
        x = ops.slice(features, (start, 0), (size, dim))
        y, w = (ops.slice(each, (start,), (size,)) for each in (labels, weights))
        logits = float32_at_least(ops.matmul(x, to_logits))
        for each in bias:
            logits = logits + float32_at_least(each)
        probabilities = ops.softmax(logits, axis=-1)
        highest, most_probable = (ops.max(each, axis=-1) for each in (logits, probabilities))
        true_logits, true_probabilities = _at(logits, y), _at(probabilities, y)
        even_logits = ops.matmul(float32_at_least(x), even_features[:, None])[:, 0] + even_bias
        # log sum exp of the logits is the highest logit minus its log-probability.
        each_loss = highest - ops.log(most_probable) - (1 - smoothing) * true_logits - even_logits
        loss = loss + ops.sum(w * each_loss)
        of_logits = ops.scatter_update(
            probabilities,
            ops.stack([ops.arange(size, dtype="int32"), y], axis=1),
            true_probabilities - (1 - smoothing),
        )
        of_logits = ops.cast(of_logits, x.dtype)
        of_x = w[:, None] * (float32_at_least(ops.matmul(of_logits, to_features)) - even_features)
        # TensorFlow compiles `slice_update` anew for every shape.
        of_features = ops.scatter_update(
            of_features, ops.reshape(index, (1, 1)), ops.reshape(of_x, (1, size, dim))
        )
        weighted = x * ops.cast(w[:, None], x.dtype)
        if is_embedding:
            product = ops.matmul(ops.transpose(of_logits), weighted)
        else:
            product = ops.matmul(ops.transpose(weighted), of_logits)
        of_kernel = of_kernel + float32_at_least(product)
        w = ops.cast(w[None], of_logits.dtype)
        of_bias = [each + float32_at_least(ops.matmul(w, of_logits)[0]) for each in of_bias]
        return index + 1, loss, of_features, of_kernel, *of_bias

    # A sum, because a matrix product of one row is split among the cores, and its last digits
    # would depend on their number.
    even_kernel = -even * ops.sum(
        weights[:, None] * float32_at_least(features), axis=0, keepdims=True
    )
    even_kernel = even_kernel if is_embedding else ops.transpose(even_kernel)
    _, loss, of_features, *others = ops.while_loop(
        lambda index, *_: index < chunks,
        add_chunk,
        (
            0,
            ops.zeros(()),
            ops.zeros((chunks, size, dim)),
            ops.broadcast_to(even_kernel, kernel.shape),
            *(ops.full(each.shape, -even) * ops.sum(weights) for each in bias),
        ),
    )
    return loss, [ops.reshape(of_features, (-1, dim))[:rows], *others]


def _at(matrix, columns):
    return ops.take_along_axis(matrix, columns[:, None], axis=1)[:, 0]
