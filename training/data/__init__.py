"""From text to batches: tokenized corpora, batch plans, padded batches."""
