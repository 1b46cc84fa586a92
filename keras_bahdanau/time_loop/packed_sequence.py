"""Rows of several lengths, almost without padding between them."""

from keras import ops

from keras_bahdanau.backend.loops import ROW_MULTIPLE, round_number


class PackedSequence:
    """Where the elements of padded rows stand when they are packed.

    Packed, the last elements come first, of the rows that are so long, and the first elements of
    all rows come last: `scan_chunks` begins at the end. Rows stand from the longest to the
    shortest. Elements whose mask is False are left out, wherever they are. There is at least one
    step, if only with no rows.

    Args:
        mask: bool tensor of shape `(batch_size, length)`, True = keep.

    Attributes:
        counts: int32 tensor of shape `(steps,)`, how many rows have an element of each number, that
            of the first elements last.
        places: int32 tensor of shape `(steps,)`, places for them among the packed elements: the
            counts, rounded up to a multiple of `ROW_MULTIPLE` where there are so many rows. The
            steps with the fewest rows get more, up to a round number in all: what is multiplied
            after the loop, all steps together, has so many rows.
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
        places = ops.minimum(self.counts + -self.counts % ROW_MULTIPLE, self.shape[0])
        free = self.shape[0] - places
        missing = round_number(ops.sum(places)) - ops.sum(places)
        self.places = places + ops.clip(missing - (ops.cumsum(free) - free), 0, free)
        rows, columns = (ops.cast(each, "int32") for each in ops.nonzero(mask))
        self._padded = rows * self.shape[1] + columns
        # Elements of their row that come before them.
        before = ops.take(ops.reshape(ops.cumsum(kept, axis=1), (-1,)), self._padded) - 1
        starts = ops.cumsum(self.places) - self.places
        self._packed = ops.take(starts, last - before) + ops.take(self.ranks, rows)

    def sorted(self, rows):
        """Rows from the longest to the shortest."""
        return ops.take(rows, self.order, axis=0)

    def unsorted(self, rows):
        """Sorted rows in the order in which they came."""
        return ops.take(rows, self.ranks, axis=0)

    def pack(self, padded):
        """`(places, dim)`, zero where nothing stands, of `(batch_size, length, dim)`."""
        flat = ops.reshape(padded, (-1, padded.shape[-1]))
        return _moved(flat, self._padded, self._packed, ops.sum(self.places))

    def unpack(self, packed):
        """`(batch_size, length, dim)`, zero where the mask is False, of `(places, dim)`."""
        batch_size, length = self.shape
        flat = _moved(packed, self._packed, self._padded, batch_size * length)
        return ops.reshape(flat, (batch_size, length, ops.shape(packed)[-1]))


def _moved(elements, sources, targets, count):
    """`(count, dim)`: some elements at other positions, and zeros."""
    moved = ops.take(elements, sources, axis=0)
    return ops.scatter(ops.expand_dims(targets, 1), moved, (count, ops.shape(elements)[-1]))
