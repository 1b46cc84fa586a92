"""Training: corpora, the input pipeline, the training loop and evaluation."""
