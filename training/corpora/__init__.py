"""Parallel text: files of the user's own, named downloads and the built-in corpus."""
