"""`export.json`: what a client of an exported SavedModel needs to know about it."""

import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

from keras_bahdanau.errors import InputError
from keras_bahdanau.search_options import SearchOptions
from keras_bahdanau.version import __version__

MANIFEST_FILE = "assets.extra/export.json"
TOKENIZER_FILE = "assets.extra/tokenizer.model"
FORMAT = "keras-bahdanau saved-model"
# Raised when the signatures change so that an older reader would misread them.
FORMAT_VERSION = 1
_LIMITS = ("max_length", "max_target_length")


class SearchSettings(NamedTuple):
    """What an export fixes about the search.

    Attributes:
        options: `SearchOptions`; their `n_best` is the number of translations that
            `translate_n_best` returns for a text.
        max_length: the limit of a source in token ids, the end id included. Longer ones are cut.
        max_target_length: the limit of a target, likewise.
    """

    options: SearchOptions
    max_length: int
    max_target_length: int


def write_manifest(directory: Path, settings: SearchSettings, serving_version: str) -> None:
    """Writes the manifest of an export.

    Args:
        directory: the SavedModel directory.
        settings: the settings of the search.
        serving_version: the oldest TensorFlow Serving that runs it.
    """
    head = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "package_version": __version__,
        "serving_version": serving_version,
    }
    search = dataclasses.asdict(settings.options)
    limits = {name: getattr(settings, name) for name in _LIMITS}
    content = json.dumps({**head, "search": search, **limits}, indent=2)
    Path(directory, MANIFEST_FILE).write_text(content + "\n", encoding="utf-8")


def read_manifest(directory: Path) -> dict:
    """Reads the manifest of an export: a dict, whose `search` is a `SearchOptions`.

    Raises:
        InputError: the directory is no SavedModel of this package, or one of a newer version.
    """
    path = Path(directory, MANIFEST_FILE)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"Expected a SavedModel exported by keras-bahdanau. Received: {directory}, which has "
            f"no {MANIFEST_FILE}"
        ) from None
    except ValueError as error:
        raise InputError(f"Expected a JSON object. Received: {path}, {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InputError(f'Expected a JSON object with "format": "{FORMAT}". Received: {path}')
    missing = {"format_version", "package_version", "search", *_LIMITS} - manifest.keys()
    if missing:
        raise InputError(
            f"Expected a whole manifest. Received: {path} without {', '.join(sorted(missing))}"
        )
    if manifest["format_version"] > FORMAT_VERSION:
        raise InputError(
            f"Expected a SavedModel of format {FORMAT_VERSION} (keras-bahdanau {__version__}). "
            f"Received: {directory} of format {manifest['format_version']} "
            f"(keras-bahdanau {manifest['package_version']})"
        )
    try:
        return {**manifest, "search": SearchOptions(**manifest["search"])}
    except (TypeError, InputError) as error:
        raise InputError(f"Expected options of a search. Received: {path}: {error}") from error
