"""Corpora that are downloaded once, verified by checksums and cached."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from keras_bahdanau.errors import InputError
from keras_bahdanau.files import atomic_path

CACHE_VARIABLE = "KERAS_BAHDANAU_CACHE"
TIMEOUT_SECONDS = 30

_MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"

# The MD5 of the French files are the ones that torchtext 0.9 publishes (torchtext/datasets/
# multi30k.py); its MD5 of the English and German files are those of the files pinned here.
_MULTI30K_CHECKSUMS = {
    "train.en.gz": "sha256:d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "train.de.gz": "sha256:726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.fr.gz": "md5:6cb767741dcad3931f966fefbc05203f",
    "val.en.gz": "sha256:14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "val.de.gz": "sha256:f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.fr.gz": "md5:93fc564584b7e5ba410c761ea5a1c682",
    "test_2016_flickr.en.gz": (
        "sha256:611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"
    ),
    "test_2016_flickr.de.gz": (
        "sha256:9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"
    ),
    "test_2016_flickr.fr.gz": "md5:08dc7cd4a662f31718412de95ca9bfe3",
}

_LANGUAGES = {"multi30k-en-de": ("en", "de"), "multi30k-en-fr": ("en", "fr")}

NAMES = tuple(_LANGUAGES)


class CorpusFiles(NamedTuple):
    """The files of a corpus, for `ParallelFiles`."""

    source_train: Path
    target_train: Path
    source_validation: Path
    target_validation: Path
    source_test: Path
    target_test: Path


def cache_directory() -> Path:
    """Returns the directory of downloaded corpora.

    It is the value of the environment variable `KERAS_BAHDANAU_CACHE`, or else `keras-bahdanau` in
    the user's cache directory (`XDG_CACHE_HOME`, on Windows `LOCALAPPDATA`, or `~/.cache`).
    """
    if os.environ.get(CACHE_VARIABLE):
        return Path(os.environ[CACHE_VARIABLE])
    variable = "LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME"
    return Path(os.environ.get(variable) or Path.home() / ".cache") / "keras-bahdanau"


def download(
    name: str,
    cache: str | os.PathLike | None = None,
    mirror: str | None = None,
    progress: bool = True,
) -> CorpusFiles:
    """Returns the files of a corpus, and downloads those that are not in the cache.

    The checksum of every file is verified, also in the cache, and a verified file is never
    downloaded again: an interrupted download continues with the missing files. The English and
    German files have a SHA-256. For the French ones no SHA-256 is published; the MD5 of torchtext
    finds a damaged or replaced file, but is weaker against forgery.

    Args:
        name: `"multi30k-en-de"` or `"multi30k-en-fr"` (29,000 pairs to train on, 1,014 to
            validate and the 1,000 of `test_2016_flickr`; Elliott et al. 2016, W16-3210).
        cache: directory of the files. Defaults to `cache_directory()`.
        mirror: address to download from instead of the original repository.
        progress: whether to draw a progress bar, if standard error is a terminal.

    Returns:
        `CorpusFiles`.

    Raises:
        InputError: the name is unknown, a file cannot be downloaded, or its checksum is wrong.
    """
    if name not in _LANGUAGES:
        raise InputError(f"Expected a corpus among {', '.join(NAMES)}. Received: {name}")
    folder = Path(cache_directory() if cache is None else cache) / "multi30k"
    address = (mirror or _MULTI30K).rstrip("/")
    paths = []
    for split in ("train", "val", "test_2016_flickr"):
        for language in _LANGUAGES[name]:
            path = folder / f"{split}.{language}.gz"
            checksum = _MULTI30K_CHECKSUMS[path.name]
            if not path.is_file() or _checksum(path, checksum) != checksum:
                _fetch(f"{address}/{path.name}", path, checksum, progress)
            paths.append(path)
    return CorpusFiles(*paths)


def _fetch(address: str, path: Path, checksum: str, progress: bool) -> None:
    try:
        with atomic_path(path) as temporary:
            _copy(address, temporary, progress)
            received = _checksum(temporary, checksum)
            if received != checksum:
                raise InputError(
                    f"Expected {checksum} of {address}. Received: {received} "
                    f"({temporary.stat().st_size} bytes). The file was deleted."
                )
    except urllib.error.HTTPError as error:
        error.close()
        raise _unavailable(address, path, error) from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise _unavailable(address, path, getattr(error, "reason", error)) from None


def _unavailable(address: str, path: Path, reason: object) -> InputError:
    return InputError(
        f"Cannot download {address} ({reason}). You can place a copy of the file at {path}"
    )


def _copy(address: str, path: Path, progress: bool) -> None:
    from tqdm import tqdm

    request = urllib.request.Request(address, headers={"User-Agent": "keras-bahdanau"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        size = int(response.headers.get("Content-Length") or 0) or None
        bar = tqdm(
            total=size, unit="B", unit_scale=True, leave=False, desc=path.name,
            disable=None if progress else True,
        )  # fmt: skip
        with bar, open(path, "wb") as file:
            while block := response.read(1 << 16):
                file.write(block)
                bar.update(len(block))


def _checksum(path: Path, expected: str) -> str:
    """Returns the checksum of a file by the algorithm of the expected one, as `"sha256:..."`."""
    kind = expected.partition(":")[0]
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    return f"{kind}:{digest.hexdigest()}"
