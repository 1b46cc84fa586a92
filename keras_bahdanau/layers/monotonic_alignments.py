"""Monotonic alignments: attention weights from selection probabilities.

At each step the attention starts at its last position, moves towards the end of the memory and
stops at position j, when it gets there, with the selection probability p_ij = `probabilities`.
alpha_ij, the probability that step i stops at j, follows from p_ij and from alpha_i-1 =
`previous_weights` (Raffel et al. 2017, https://arxiv.org/abs/1704.00784, section 2.3). The weights
sum to less than one where the attention may run past the end, from where it does not come back.

All functions take two tensors of shape `(batch_size, value_length)` and return one of that shape,
float32 where the arguments are of half precision.
"""

import numpy as np
from keras import backend, ops

from keras_bahdanau.backend.numerics import float32_at_least, with_gradient


def recursive_alignment(probabilities, previous_weights):
    """The expected weights, exactly.

        q_ij = (1 - p_ij-1) q_ij-1 + alpha_i-1,j     alpha_ij = p_ij q_ij    (equations 13, 14)

    A parallel prefix scan of log2(value_length) steps, each of which reaches twice as far as the
    one before. Its gradient is the same recursion backwards. (Gradients of gradients are not
    defined.)
    """
    probabilities, previous_weights = _in_float32(probabilities, previous_weights)
    return probabilities * with_gradient(_reach, 1 - probabilities, previous_weights)


def parallel_alignment(probabilities, previous_weights):
    """The expected weights in closed form: fast, and in extreme cases not exact.

        alpha_ij = p_ij c_ij sum_{k <= j} alpha_i-1,k / c_ik,    c_ij = prod_{l < j} (1 - p_il)

    (appendix C.1). The product is the exponential of a sum of logarithms, and the divisor is at
    least 1e-10, as in TensorFlow Addons. So previous weights at positions whose c_ij is below 1e-10
    are lost, which `recursive_alignment` keeps. This happens after a probability of nearly one, and
    after many that are not small: c_ij counts from the start of the memory.
    """
    probabilities, previous_weights = _in_float32(probabilities, previous_weights)
    tiny = np.finfo(backend.standardize_dtype(probabilities.dtype)).tiny
    logarithms = ops.log(ops.maximum(1 - probabilities, float(tiny)))
    products = ops.exp(_shift(ops.cumsum(logarithms, axis=1), first=0.0))
    reached = products * ops.cumsum(previous_weights / ops.maximum(products, 1e-10), axis=1)
    return probabilities * reached


def hard_alignment(probabilities, previous_weights):
    """The hard selection: one at the first selected position from the previous one on.

    This is the process of the paper's section 2.2. `probabilities` are zeros and ones, and
    `previous_weights` are one at one position and zero elsewhere. Where no position is selected the
    weights are zero, at this step and all later ones. It passes no gradient to its arguments.
    """
    probabilities, previous_weights = _in_float32(probabilities, previous_weights)
    chosen = probabilities * ops.cumsum(previous_weights, axis=1)
    first = chosen * _shift(ops.cumprod(1 - chosen, axis=1), first=1.0)
    return ops.stop_gradient(first)


ALIGNMENTS = {
    "parallel": parallel_alignment,
    "recursive": recursive_alignment,
    "hard": hard_alignment,
}


def _reach(passing, starting):
    """q_j = `passing`_j-1 q_j-1 + `starting`_j with its gradient: PyTorch would keep each step."""
    reached = _recursion(_shift(passing, first=0.0), starting)

    def gradients(upstream):
        of_starting = _recursion(ops.flip(passing, axis=1), ops.flip(upstream, axis=1))
        of_following = _shift(of_starting, first=0.0)
        return [ops.flip(of_following, axis=1) * reached, ops.flip(of_starting, axis=1)]

    return reached, gradients


def _recursion(factors, terms):
    """x_j = factors_j x_j-1 + terms_j, for all j at once."""
    length = ops.shape(terms)[1]
    positions = ops.arange(length)

    def step(distance, factors, terms):
        # Now x_j = factors_j x_j-distance + terms_j: substitute x_j-distance by the same formula.
        source = ops.maximum(positions - distance, 0)
        there = positions >= distance
        further_factors = ops.where(there, ops.take(factors, source, axis=1), 0.0)
        further_terms = ops.where(there, ops.take(terms, source, axis=1), 0.0)
        return 2 * distance, factors * further_factors, terms + factors * further_terms

    state = (1, factors, terms)
    if not isinstance(length, int):
        return ops.while_loop(lambda distance, *_: distance < length, step, state)[-1]
    while state[0] < length:
        state = step(*state)
    return state[-1]


def _shift(tensor, first):
    """Moves every position one to the right, and puts `first` in front."""
    return ops.pad(tensor[:, :-1], ((0, 0), (1, 0)), constant_values=first)


def _in_float32(*tensors):
    return [float32_at_least(ops.convert_to_tensor(tensor)) for tensor in tensors]
