"""Padded batches of a tokenized corpus, for `keras.Model.fit` or as a `tf.data.Dataset`."""

import keras
import numpy as np

from .batch_plan import BatchPlan
from .tokenized_corpus import TokenizedCorpus

# Items that are prefetched in a thread.
PREFETCHED = 2


class Batches(keras.utils.PyDataset):
    """The padded batches of one epoch, from its first batch or from any later one on.

    It has no mutable state: item k is the same whenever it is read. So `fit` may look at the first
    items before training, prefetch in a thread and call `on_epoch_end` once before the first epoch.
    One call of `fit` trains one epoch:

    ```python
    for epoch in range(first_epoch, epochs):
        batches = Batches(corpus, plan, epoch=epoch, start=start if epoch == first_epoch else 0)
        model.fit(batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False)
    ```

    `shuffle=False` is needed, because `fit` shuffles the items of a `PyDataset` by default, with an
    unseeded generator. The compiled train function is kept between the calls.

    Each item is `(inputs, target_out_ids, sample_weight)`:

    - `inputs["source_ids"]`: int32 `(rows, source_width)`, tokens and the end token;
    - `inputs["target_in_ids"]`: int32 `(rows, target_width)`, the start token and the tokens;
    - `target_out_ids`: int32 `(rows, target_width)`, tokens and the end token;
    - `sample_weight`: float32 `(rows, target_width)`, 1 where `target_out_ids` is a token (the end
      token included) and 0 where it is padding.

    Texts are padded on the right, to the widths of the plan. If the plan rounds the rows up, the
    last rows of an item are padding.

    Args:
        corpus: `TokenizedCorpus`.
        plan: `BatchPlan` over the lengths of `corpus`.
        epoch: number of the epoch, from 0.
        start: number of batches of the epoch to skip, because they are done already.
        parts: number of parts that the epoch is divided into. The items end with the part that
            `start` is in. At most one part for each batch.
        start_id: id of the start token.
        pad_id: id of the padding.

    Raises:
        ValueError: `start` is not the index of a batch.

    Attributes:
        epoch: as given.
        start: as given. Item k is batch `start + k` of the epoch.
        stop: number of batches of the epoch that are done after the last item.
        rows: int64 array `(batches,)`, rows of each batch of the epoch, the skipped ones included.
        tokens: int64 array `(items,)`, target tokens of each item, without padding.
        padding_share: fraction of padding among the positions of all items, both sides.
        shapes: set of the items' `(rows, source_width, target_width)`.
    """

    def __init__(
        self,
        corpus: TokenizedCorpus,
        plan: BatchPlan,
        *,
        epoch: int = 0,
        start: int = 0,
        parts: int = 1,
        start_id: int = 2,
        pad_id: int = 0,
    ) -> None:
        super().__init__(workers=0)
        batches = plan.batches(epoch)
        if not 0 <= start < len(batches):
            raise ValueError(
                f"Argument `start` must be at least 0 and below {len(batches)}, the number of "
                f"batches of epoch {epoch}. Received: start={start}"
            )
        self.corpus = corpus
        self.epoch = epoch
        self.start = start
        part_ends = (-(-len(batches) * part // parts) for part in range(1, parts + 1))
        self.stop = next(end for end in part_ends if end > start)
        self.start_id = start_id
        self.pad_id = pad_id
        self._batches = batches
        self.rows, self._widths, tokens = plan.sizes(batches)
        items = slice(start, self.stop)
        self.tokens = tokens[items, 1]
        rows, widths = self.rows[items], self._widths[items]
        positions = int((rows * widths.sum(axis=1)).sum())
        self.padding_share = 1 - int(tokens[items].sum()) / positions
        self.shapes = set(map(tuple, np.column_stack([rows, widths]).tolist()))

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def ends_epoch(self) -> bool:
        """Whether the epoch is over after the last item."""
        return self.stop == len(self._batches)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        corpus, indices = self.corpus, self._batches[self.start + index]
        source_width, target_width = self._widths[self.start + index]
        source_ids = corpus.padded("source", indices, source_width, self.pad_id)
        target_out_ids = corpus.padded("target", indices, target_width, self.pad_id)
        is_token = np.arange(target_width) < corpus.target_lengths[indices][:, None]
        start_ids = np.full((len(indices), 1), self.start_id, dtype=np.int32)
        # The decoder's input has no end token: where it would be, there is padding.
        shifted = np.concatenate([start_ids, target_out_ids[:, :-1]], axis=1)
        target_in_ids = np.where(is_token, shifted, np.int32(self.pad_id))
        missing = int(self.rows[self.start + index]) - len(indices)
        source_ids, target_in_ids, target_out_ids = (
            _pad_rows(ids, missing, self.pad_id)
            for ids in (source_ids, target_in_ids, target_out_ids)
        )
        inputs = {"source_ids": source_ids, "target_in_ids": target_in_ids}
        return inputs, target_out_ids, _pad_rows(is_token.astype(np.float32), missing, 0)

    def line_numbers(self, index: int) -> np.ndarray:
        """Returns the line numbers of the pairs of an item: integers `(rows,)`."""
        return self.corpus.line_numbers[self._batches[self.start + index]]


def _pad_rows(array, count, value):
    """Appends rows of one value."""
    return np.pad(array, ((0, count), (0, 0)), constant_values=value)


def dataset_of(generate):
    """Returns a `tf.data.Dataset` of items like those of `Batches`.

    (Keras would make one of `Batches` too, but with the autotuning of TensorFlow. Its thread sleeps
    for twice as long each time, up to a minute, and with deterministic operations `fit` may not
    return before it wakes up: short epochs took twice their time.)

    Args:
        generate: function without arguments that returns an iterator of the items.
    """
    import tensorflow as tf

    ids, weights = (tf.TensorSpec((None, None), dtype) for dtype in ("int32", "float32"))
    signature = ({"source_ids": ids, "target_in_ids": ids}, ids, weights)
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(PREFETCHED).with_options(options)
