"""Padded batches of a tokenized corpus for `keras.Model.fit`."""

import keras
import numpy as np

from keras_bahdanau.training.batch_plan import BatchPlan
from keras_bahdanau.training.dataset import TokenizedCorpus


class Batches(keras.utils.PyDataset):
    """The batches of one epoch, from the first one or from any later one on.

    It holds no state that moves: item k is the same whenever and however often it is read. So it
    does not matter that `fit` looks at the first items before training, reads ahead in a thread
    and calls `on_epoch_end` once before the first epoch. One call of `fit` trains one epoch:

    ```python
    for epoch in range(first_epoch, epochs):
        batches = Batches(corpus, plan, epoch=epoch, start=start if epoch == first_epoch else 0)
        model.fit(batches, initial_epoch=epoch, epochs=epoch + 1, shuffle=False)
    ```

    `shuffle=False` is needed, because `fit` shuffles the items of a `PyDataset` by default with a
    generator that nobody seeds. The compiled train function is kept between the calls.

    Each item is `(inputs, target_out_ids, sample_weight)`:

    - `inputs["source_ids"]`: int32 `(rows, source_width)`, tokens and the end token;
    - `inputs["target_in_ids"]`: int32 `(rows, target_width)`, the start token and the tokens;
    - `target_out_ids`: int32 `(rows, target_width)`, tokens and the end token;
    - `sample_weight`: float32 `(rows, target_width)`, 1 where `target_out_ids` is a token (the end
      token included) and 0 where it is padding.

    Args:
        corpus: `TokenizedCorpus`.
        plan: `BatchPlan` over the lengths of `corpus`.
        epoch: which epoch of the plan.
        start: how many batches of the epoch to leave out, because they are already done.
        start_id: id of the start token.
        pad_id: id of the padding.

    Attributes:
        epoch: as given.
        start: as given. Item k is batch `start + k` of the epoch.
        tokens: int64 array `(items,)`, target tokens of each item, without padding.
        padding_share: share of the positions of all items, both sides, that is padding.
    """

    def __init__(
        self,
        corpus: TokenizedCorpus,
        plan: BatchPlan,
        *,
        epoch: int = 0,
        start: int = 0,
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
        self.start_id = start_id
        self.pad_id = pad_id
        self._indices = batches[start:]
        self._widths = plan.widths(batches)[start:]
        self.tokens = np.array([corpus.target_lengths[rows].sum() for rows in self._indices])
        rows = np.array([len(rows) for rows in self._indices])
        source_tokens = sum(int(corpus.source_lengths[rows].sum()) for rows in self._indices)
        positions = int((rows * self._widths.sum(axis=1)).sum())
        self.padding_share = 1 - (source_tokens + int(self.tokens.sum())) / positions

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        indices = self._indices[index]
        source_width, target_width = self._widths[index]
        source_ids = np.full((len(indices), source_width), self.pad_id, dtype=np.int32)
        target_in_ids = np.full((len(indices), target_width), self.pad_id, dtype=np.int32)
        target_out_ids = np.full((len(indices), target_width), self.pad_id, dtype=np.int32)
        sample_weight = np.zeros((len(indices), target_width), dtype=np.float32)
        for row, pair in enumerate(indices):
            source, target = self.corpus.source(pair), self.corpus.target(pair)
            source_ids[row, : len(source)] = source
            target_in_ids[row, 0] = self.start_id
            target_in_ids[row, 1 : len(target) + 1] = target
            target_out_ids[row, : len(target)] = target
            target_out_ids[row, len(target)] = self.corpus.end_id
            sample_weight[row, : len(target) + 1] = 1
        inputs = {"source_ids": source_ids, "target_in_ids": target_in_ids}
        return inputs, target_out_ids, sample_weight
