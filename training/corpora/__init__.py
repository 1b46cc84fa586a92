"""Parallel text: the user's files, corpora to download, the built-in corpus."""
