"""What a search never writes."""

import numpy as np

IMPOSSIBLE = -1e9


def suppression_row(vocabulary_size, suppressed_ids):
    """A row to add to the logits so that some tokens are never chosen.

    Returns: float32 array of shape `(vocabulary_size,)`, zero but for the suppressed ids.
    """
    row = np.zeros(vocabulary_size, "float32")
    row[list(suppressed_ids)] = IMPOSSIBLE
    return row
