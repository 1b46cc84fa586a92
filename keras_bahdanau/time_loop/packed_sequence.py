"""Packed sequences: a batch of sequences of different lengths, (almost) without padding."""

from keras import ops

from keras_bahdanau.backend.loops import ROW_MULTIPLE, round_up


class PackedSequence:
    """Where the elements of a padded batch stand when they are packed.

    The packed tensor, of shape `(packed_length, dim)`, has one chunk for each time step, the last
    time step first, because `scan_chunks` begins at the end. A chunk has the elements of the rows
    that are long enough, from the longest row to the shortest. Elements whose mask is False are
    left out, wherever they are: the elements of a row move together. There is at least one time
    step, if only with no rows.

    Args:
        mask: bool tensor of shape `(batch_size, length)`, True = keep.

    Attributes:
        counts: int32 tensor of shape `(steps,)`, the number of active rows at each time step, that
            of the first time step last.
        sizes: int32 tensor of shape `(steps,)`, the sizes of the chunks: the counts, rounded up to
            a multiple of `ROW_MULTIPLE` where the batch has so many rows. The chunks of the fewest
            rows get more, up to a round number in all: that many rows have the products over all
            time steps after the loop.
        length: int32 scalar tensor, the sum of `sizes`.
    """

    def __init__(self, mask):
        self.shape = ops.shape(mask)
        kept = ops.cast(mask, "int32")
        lengths = ops.sum(kept, axis=1)
        self.order = ops.argsort(-lengths)
        self.ranks = ops.argsort(self.order)
        last = ops.maximum(ops.max(lengths), 1) - 1
        steps = last - ops.arange(last + 1)
        self.counts = ops.sum(ops.cast(lengths[None] > steps[:, None], "int32"), axis=1)
        sizes = ops.minimum(self.counts + -self.counts % ROW_MULTIPLE, self.shape[0])
        free = self.shape[0] - sizes
        missing = round_up(ops.sum(sizes)) - ops.sum(sizes)
        self.sizes = sizes + ops.clip(missing - (ops.cumsum(free) - free), 0, free)
        rows, columns = (ops.cast(each, "int32") for each in ops.nonzero(mask))
        self._padded_indices = rows * self.shape[1] + columns
        # The time step of an element: how many elements of its row come before it.
        before = ops.reshape(ops.cumsum(kept, axis=1), (-1,))
        step = ops.take(before, self._padded_indices) - 1
        starts = ops.cumsum(self.sizes) - self.sizes
        self._packed_indices = ops.take(starts, last - step) + ops.take(self.ranks, rows)

    @property
    def length(self):
        return ops.sum(self.sizes)

    def sort(self, tensor):
        """The rows of the batch from the longest to the shortest."""
        return ops.take(tensor, self.order, axis=0)

    def unsort(self, tensor):
        """Sorted rows in their original order."""
        return ops.take(tensor, self.ranks, axis=0)

    def pack(self, padded):
        """`(packed_length, dim)`, zero in unused places, from `(batch_size, length, dim)`."""
        flat = ops.reshape(padded, (-1, padded.shape[-1]))
        return _move(flat, self._padded_indices, self._packed_indices, self.length)

    def unpack(self, packed):
        """The inverse: `(batch_size, length, dim)`, zero where the mask is False."""
        batch_size, length = self.shape
        flat = _move(packed, self._packed_indices, self._padded_indices, batch_size * length)
        return ops.reshape(flat, (batch_size, length, ops.shape(packed)[-1]))


def _move(elements, sources, targets, count):
    """`(count, dim)`: the elements at `sources` moved to `targets`, and zeros elsewhere."""
    moved = ops.take(elements, sources, axis=0)
    return ops.scatter(ops.expand_dims(targets, 1), moved, (count, ops.shape(elements)[-1]))
