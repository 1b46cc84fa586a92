"""Versions of a model change while requests come in: on a real server, where one is named.

The real one is TensorFlow Serving with examples/serving/serve.sh (batching on), and a directory
that it watches, which the test fills with versions and may be empty at first:

    KERAS_BAHDANAU_SERVER=localhost:8500,http://localhost:8501,/srv/translator \\
        python -m pytest tests/serving/test_live_server.py

A server of Python's stands in for it in a run of its own, which tests the clients.
"""

import contextlib
import importlib.util
import os
import threading
import time
from pathlib import Path

import pytest
from checkout import EXAMPLES
from prediction_server import PredictionServer
from small_translator import small_translator

from keras_bahdanau.export.saved_model import export_saved_model
from keras_bahdanau.serving import ServedTranslator

VARIABLE = "KERAS_BAHDANAU_SERVER"
REST_CLIENT = EXAMPLES / "serving" / "rest_client.py"
TEXTS = ["the dog runs", "el gato corre la casa", "", "a small red house", "ñandú 12"]
# Seconds until a server has loaded and warmed up a version.
PATIENCE = 180


@pytest.fixture(scope="module")
def translators():
    """Two whose translations of every text differ, unless it is blank."""
    return small_translator(), small_translator(encoder_units=14)


@contextlib.contextmanager
def stand_in(translator, directory):
    export_saved_model(translator, directory)
    server = PredictionServer(directory)
    with server.running():
        grpc_address = server.address
        with server.running_rest():
            yield grpc_address, server.address


@contextlib.contextmanager
def live(translator, directory):
    export_saved_model(translator, directory)
    grpc_address, rest_address, _ = os.environ[VARIABLE].split(",")
    yield grpc_address, rest_address


@pytest.fixture(
    params=[
        pytest.param(stand_in, id="stand-in"),
        pytest.param(
            live,
            id="live",
            marks=pytest.mark.skipif(
                VARIABLE not in os.environ, reason=f"{VARIABLE} names no server"
            ),
        ),
    ]
)
def service(request, translators, tmp_path):
    """The directory of versions, and the addresses of a server that has the first of two."""
    is_live = request.param is live
    directory = Path(os.environ[VARIABLE].split(",")[2]) if is_live else tmp_path / "versions"
    with request.param(translators[0], directory) as addresses:
        yield directory, *addresses


def rest_client():
    """The client of the deployment kit, without its retries: here no request may fail."""
    specification = importlib.util.spec_from_file_location("rest_client", REST_CLIENT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.RETRIED = ()
    return module


class Clients:
    """Threads that send texts until they are told to stop, and note what comes."""

    def __init__(self, grpc_address, rest_address, number):
        self.grpc_address, self.rest_address = grpc_address, rest_address
        self.is_over, self.answers, self.errors = threading.Event(), [], []
        ways = [self.over_grpc, self.over_rest]
        self.threads = [threading.Thread(target=ways[i % 2]) for i in range(number)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def over_grpc(self):
        with ServedTranslator(self.grpc_address, timeout=30, attempts=1) as served:
            self.send(lambda text: served.translate([text])[0])

    def over_rest(self):
        client = rest_client()
        self.send(
            lambda text: client.translate(self.rest_address, [text], timeout=30)[0]["translation"]
        )

    def send(self, translate):
        while not self.is_over.is_set():
            for text in TEXTS:
                try:
                    self.answers.append((text, translate(text)))
                except Exception as error:  # Whatever it is: the test reports it.
                    self.errors.append(error)
                    return

    def wait_for(self, expected):
        """Waits until each text was answered so after the call."""
        first, deadline = len(self.answers), time.monotonic() + PATIENCE
        while not set(expected.items()) <= set(self.answers[first:]):
            assert not self.errors, self.errors
            assert time.monotonic() < deadline, f"no such answer within {PATIENCE} seconds"
            time.sleep(0.1)


@pytest.mark.slow
def test_no_request_fails_while_versions_change(service, translators):
    directory, grpc_address, rest_address = service
    before, after = (
        dict(zip(TEXTS, translator.translate(TEXTS), strict=True)) for translator in translators
    )
    assert all(before[text] != after[text] for text in TEXTS if text)
    wait_until_served(grpc_address, before)
    with Clients(grpc_address, rest_address, number=8) as clients:
        clients.wait_for(before)
        assert set(clients.answers) <= set(before.items())
        export_saved_model(translators[1], directory)
        clients.wait_for(after)
        last = len(clients.answers) + len(clients.threads)
        clients.wait_for(after)
    assert not clients.errors
    assert set(clients.answers) <= {*before.items(), *after.items()}
    assert set(clients.answers[last:]) <= set(after.items())


def wait_until_served(address, expected):
    """A server that just found the first version may still be loading it."""
    deadline = time.monotonic() + PATIENCE
    with ServedTranslator(address, timeout=30) as served:
        while served.translate(TEXTS) != list(expected.values()):
            assert time.monotonic() < deadline, f"not served within {PATIENCE} seconds"
            time.sleep(0.5)
