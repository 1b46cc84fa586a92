"""Translators: text in, translations out."""
