"""Are these texts?"""

from keras_bahdanau.errors import InputError


def check_texts(texts):
    """Raises TypeError unless `texts` is a sequence of strings, InputError for broken ones."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__getitem__"):
        raise TypeError(f"Expected a list of texts. Received: one {type(texts).__name__}")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"Expected texts. Received: {type(text).__name__} at index {index}")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(
                "Expected texts that can be written in UTF-8. Received: the lone surrogate "
                f"{text[error.start]!r} at index {index}"
            ) from error
