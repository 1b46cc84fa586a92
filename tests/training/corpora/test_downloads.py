import gzip
import hashlib
import http.server
import socket
import threading

import pytest

from keras_bahdanau.errors import InputError
from keras_bahdanau.training.corpora import downloads
from keras_bahdanau.training.corpora.parallel_text import read_parallel

NAMES = [
    f"{split}.{language}.gz"
    for split in ("train", "val", "test_2016_flickr")
    for language in ("en", "fr")
]


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A server on this machine that has small files of the right names; `.requests` counts."""
    root = tmp_path / "served"
    root.mkdir()
    for name in NAMES:
        (root / name).write_bytes(gzip.compress(f"{name} 1\n{name} 2\n".encode()))
    kinds = ["sha256", "md5"]
    checksums = {
        name: f"{kind}:{hashlib.new(kind, (root / name).read_bytes()).hexdigest()}"
        for name, kind in zip(NAMES, kinds * 3, strict=True)
    }
    monkeypatch.setattr(downloads, "_MULTI30K_CHECKSUMS", checksums)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(root))

        def log_message(self, *args):
            server.requests += 1

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.root = 0, root
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def download(mirror, cache):
    return downloads.download("multi30k-en-fr", cache=cache, mirror=mirror.address, progress=False)


def test_files_are_downloaded_and_can_be_read(mirror, tmp_path):
    files = download(mirror, tmp_path / "cache")
    assert [path.name for path in files] == NAMES
    for path in files:
        assert path.read_bytes() == (mirror.root / path.name).read_bytes()
    pairs = read_parallel(files.source_validation, files.target_validation)
    assert pairs[1] == ("val.en.gz 2", "val.fr.gz 2")


def test_cached_files_are_not_asked_for_again(mirror, tmp_path):
    files = download(mirror, tmp_path / "cache")
    assert mirror.requests == len(NAMES)
    assert download(mirror, tmp_path / "cache") == files
    assert mirror.requests == len(NAMES)


def test_missing_and_damaged_files_alone_are_downloaded_again(mirror, tmp_path):
    files = download(mirror, tmp_path / "cache")
    files.source_test.unlink()
    files.target_train.write_bytes(b"half")
    download(mirror, tmp_path / "cache")
    assert mirror.requests == len(NAMES) + 2
    assert files.target_train.read_bytes() == (mirror.root / "train.fr.gz").read_bytes()


def test_a_wrong_checksum_is_an_error_and_nothing_is_kept(mirror, tmp_path):
    (mirror.root / "train.fr.gz").write_bytes(b"something else")
    with pytest.raises(InputError, match="Expected md5:.*train.fr.gz.*Received: md5:") as error:
        download(mirror, tmp_path / "cache")
    assert "\n" not in str(error.value)
    kept = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept == ["train.en.gz"]


def test_a_file_that_is_not_there(mirror, tmp_path):
    (mirror.root / "val.en.gz").unlink()
    with pytest.raises(InputError, match="val.en.gz .HTTP Error 404.*place a copy"):
        download(mirror, tmp_path / "cache")


def test_no_network_names_the_address_and_the_place_for_the_file(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        mirror = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(InputError) as error:
            downloads.download("multi30k-en-de", cache=tmp_path, mirror=mirror)
    message = str(error.value)
    assert f"{mirror}/train.en.gz" in message
    assert str(tmp_path / "multi30k" / "train.en.gz") in message
    assert "\n" not in message
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_unknown_name():
    with pytest.raises(InputError, match="multi30k-en-de, multi30k-en-fr. Received: wmt"):
        downloads.download("wmt")


def test_cache_directory_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setattr(downloads.os, "name", "posix")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv(downloads.CACHE_VARIABLE, raising=False)
    assert downloads.cache_directory() == tmp_path / "xdg" / "keras-bahdanau"
    monkeypatch.setenv(downloads.CACHE_VARIABLE, str(tmp_path / "mine"))
    assert downloads.cache_directory() == tmp_path / "mine"


def test_every_file_of_every_corpus_has_a_checksum_of_the_right_length():
    digits = {"sha256": 64, "md5": 32}
    assert len(downloads._MULTI30K_CHECKSUMS) == 9
    for checksum in downloads._MULTI30K_CHECKSUMS.values():
        kind, _, digest = checksum.partition(":")
        assert len(bytes.fromhex(digest)) * 2 == digits[kind]
