"""The loss of the output layer: cross-entropy with label smoothing, and R-Drop's divergence."""

from keras import ops

from keras_bahdanau.backend.numerics import with_gradient

# Logits at one time: more would leave the caches, fewer make the products dearer and their sums.
LOGITS = 2**22


def output_loss(
    features,
    kernel,
    bias,
    labels,
    weights,
    label_smoothing=0.0,
    r_drop=0.0,
    is_embedding=False,
):
    """The loss of an output layer, whose logits are never kept.

    The cross-entropy's label is 1 - label_smoothing on the true token plus label_smoothing spread
    evenly over the vocabulary (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7).
    With two copies of each row, made under different dropout masks, their mean is taken, and
    r_drop / 4 * (KL(p_1, p_2) + KL(p_2, p_1)) is added: half of Liang et al. 2021
    (https://arxiv.org/abs/2106.14448), equation 4, whose alpha is `r_drop`.

    Logits and their softmax are by far the largest tensors of a translator's training. Here they
    exist for some rows at a time, and while they are there the gradients of these rows are
    computed too: softmax minus label, times what was multiplied. So nothing of the size of the
    logits is kept for the backward pass. (Gradients of these gradients are not defined.)

    Args:
        features: tensor of shape `(copies, rows, dim)`, one copy or two. In half precision,
            products are computed in it.
        kernel: tensor of shape `(dim, vocabulary_size)`.
        bias: tensor of shape `(vocabulary_size,)`, or `None`.
        labels: integer tensor of shape `(rows,)`.
        weights: tensor of shape `(rows,)`, the factor of each row's loss in the sum.
        label_smoothing: in [0, 1).
        r_drop: at least 0; more than 0 needs two copies.
        is_embedding: whether the kernel is an embedding, of shape `(vocabulary_size, dim)`.

    Returns:
        float32 scalar, in nats: the weighted sum of the rows' losses.

    Raises:
        ValueError: an argument is out of its range, or there are not two copies for `r_drop`.
    """
    copies = features.shape[0]
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            "Argument `label_smoothing` must be in the range [0, 1). "
            f"Received: label_smoothing={label_smoothing}"
        )
    if r_drop < 0 or (r_drop and copies != 2):
        raise ValueError(
            "Argument `r_drop` must be at least 0, and 0 unless there are two copies. "
            f"Received: r_drop={r_drop}, copies={copies}"
        )

    def loss(*tensors):
        value, found = _loss_and_gradients(
            *tensors,
            labels=labels,
            weights=ops.cast(weights, "float32"),
            smoothing=label_smoothing,
            r_drop=r_drop,
            is_embedding=is_embedding,
        )

        return value, lambda upstream: [upstream * gradient for gradient in found]

    given = (tensor for tensor in (features, kernel, bias) if tensor is not None)
    # Reshaped, a variable is a tensor: eager TensorFlow wants no variables in such a function.
    return with_gradient(loss, *(ops.reshape(tensor, ops.shape(tensor)) for tensor in given))


def _loss_and_gradients(features, kernel, *bias, labels, weights, smoothing, r_drop, is_embedding):
    copies, rows, dim = features.shape[0], ops.shape(features)[1], features.shape[2]
    vocabulary_size = kernel.shape[0 if is_embedding else 1]
    blocks = -(-copies * rows * vocabulary_size // LOGITS)
    size = -(-rows // blocks)
    # Few different sizes, because each is compiled where products are.
    size = size + -size % 8
    missing = blocks * size - rows
    features = ops.pad(features, ((0, 0), (0, missing), (0, 0)))
    labels = ops.pad(ops.cast(labels, "int32"), ((0, missing),))
    weights = ops.pad(weights, ((0, missing),))
    matrix = ops.cast(kernel, features.dtype)
    to_logits, to_features = matrix, ops.transpose(matrix)
    if is_embedding:
        to_logits, to_features = to_features, to_logits
    # The evenly spread part of the labels needs no logits of its own.
    even = smoothing / vocabulary_size
    even_features = even * ops.sum(kernel, axis=0 if is_embedding else 1)
    even_bias = even * sum(ops.sum(each) for each in bias)

    def block(index, loss, of_features, of_kernel, *of_bias):
        start = index * size
        x = ops.reshape(ops.slice(features, (0, start, 0), (copies, size, dim)), (-1, dim))
        y, w = (
            ops.tile(ops.slice(each, (start,), (size,)), [copies]) for each in (labels, weights)
        )
        w = w / copies
        logits = _wide(ops.matmul(x, to_logits))
        for each in bias:
            logits = logits + _wide(each)
        probabilities = ops.softmax(logits, axis=-1)
        highest, most_probable = (ops.max(each, axis=-1) for each in (logits, probabilities))
        true_logits, true_probabilities = _at(logits, y), _at(probabilities, y)
        even_logits = ops.matmul(_wide(x), even_features[:, None])[:, 0] + even_bias
        each_loss = highest - ops.log(most_probable) - (1 - smoothing) * true_logits - even_logits
        of_logits = ops.scatter_update(
            probabilities,
            ops.stack([ops.arange(copies * size, dtype="int32"), y], axis=1),
            true_probabilities - (1 - smoothing),
        )
        if r_drop:
            divergence, of_divergence = _divergence(logits, probabilities)
            each_loss = each_loss + r_drop / 4 * divergence
            of_logits = of_logits + r_drop / 2 * of_divergence
        of_logits = ops.cast(of_logits, x.dtype)
        loss = loss + ops.sum(w * each_loss)
        of_x = w[:, None] * (_wide(ops.matmul(of_logits, to_features)) - even_features)
        # TensorFlow compiles `slice_update` anew for every shape.
        of_features = ops.scatter_update(
            of_features,
            ops.reshape(index, (1, 1)),
            ops.reshape(of_x, (1, copies, size, dim)),
        )
        weighted = x * ops.cast(w[:, None], x.dtype)
        if is_embedding:
            product = ops.matmul(ops.transpose(of_logits), weighted)
        else:
            product = ops.matmul(ops.transpose(weighted), of_logits)
        of_kernel = of_kernel + _wide(product)
        w = ops.cast(w[None], of_logits.dtype)
        of_bias = [each + _wide(ops.matmul(w, of_logits)[0]) for each in of_bias]
        return index + 1, loss, of_features, of_kernel, *of_bias

    mean_features = ops.mean(_wide(features), axis=0)
    # A sum: the product of one row is split among the cores, and its last digits depend on them.
    even_kernel = -even * ops.sum(weights[:, None] * mean_features, axis=0, keepdims=True)
    even_kernel = even_kernel if is_embedding else ops.transpose(even_kernel)
    _, loss, of_features, *others = ops.while_loop(
        lambda index, *_: index < blocks,
        block,
        (
            0,
            ops.zeros(()),
            ops.zeros((blocks, copies, size, dim)),
            ops.broadcast_to(even_kernel, kernel.shape),
            *(ops.full(each.shape, -even) * ops.sum(weights) for each in bias),
        ),
    )
    of_features = ops.reshape(ops.transpose(of_features, (1, 0, 2, 3)), (copies, -1, dim))
    return loss, [of_features[:, :rows], *others]


def _divergence(logits, probabilities):
    """KL(p_1, p_2) + KL(p_2, p_1) of each row of both halves, and half its gradient.

    Both are sum_v (p_1 - p_2) (l_1 - l_2), because the normalizers cancel. As every row has half
    of the weight of its pair, the gradient of the whole is counted once for each half.
    """
    first, second = ops.split(probabilities, 2, axis=0)
    difference = ops.subtract(*ops.split(logits, 2, axis=0))
    change = first - second
    of_halves = []
    for probability, sign in ((first, 1.0), (second, -1.0)):
        weighted = probability * difference
        total = ops.sum(weighted, axis=-1, keepdims=True)
        of_halves.append(sign * (weighted - total * probability + change))
    divergence = ops.sum(change * difference, axis=-1)
    return ops.concatenate([divergence, divergence]), ops.concatenate(of_halves)


def _at(matrix, columns):
    return ops.take_along_axis(matrix, columns[:, None], axis=1)[:, 0]


def _wide(tensor):
    return ops.cast(tensor, "float32")
