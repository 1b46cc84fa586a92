"""Requests to TensorFlow Serving's PredictionService over gRPC."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from keras_bahdanau.errors import InputError

# Concurrent requests: enough for a server to join some into a batch.
WINDOW = 8
# A server answers UNAVAILABLE while it loads the model or changes versions.
_RETRIED = ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]
_WRONG_CALL = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
)


class PredictionChannel:
    """A gRPC channel to one served model.

    Args:
        server: `host:port`.
        model_name: name of the model.
        version: its version; `None` for the one that the server prefers.
        timeout: seconds for a request, with all its attempts.
        attempts: maximum number of attempts for a request; gRPC allows 5 at most.
    """

    def __init__(self, server, model_name, version, timeout, attempts):
        host, _, port = server.rpartition(":")
        if not host or not port.isdecimal():
            raise InputError(f"Expected a server as host:port. Received: {server}")
        if timeout <= 0 or not 1 <= attempts <= 5:
            raise InputError(
                "Expected a timeout over 0 and 1 to 5 attempts. "
                f"Received: timeout {timeout}, {attempts} attempts"
            )
        self._server, self._timeout = server, timeout
        self._model = model_name, version
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        if attempts > 1:
            options.append(("grpc.service_config", json.dumps(_service_config(attempts))))
        self._channel = grpc.insecure_channel(server, options=options)
        stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._predict = stub.Predict

    def close(self):
        """Closes the channel."""
        self._channel.close()

    def predict_all(
        self, signature: str, batches: Iterable[dict[str, list[str]]]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yields the outputs of a signature for each batch, in order.

        Args:
            signature: name of the signature.
            batches: the texts of each batch, by name of the input.

        Raises:
            InputError: the server has no such model or signature, or refuses the texts.
            ConnectionError: the server cannot be reached.
            TimeoutError: a request took too long.
        """
        waiting = (self._start(signature, batch) for batch in batches)
        window = list(islice(waiting, WINDOW))
        while window:
            outputs = self._result(window.pop(0))
            window += islice(waiting, 1)
            yield outputs

    def _start(self, signature, inputs):
        request = predict_pb2.PredictRequest()
        name, version = self._model
        request.model_spec.name, request.model_spec.signature_name = name, signature
        if version is not None:
            request.model_spec.version.value = version
        for input_name, texts in inputs.items():
            request.inputs[input_name].CopyFrom(tf.make_tensor_proto(texts, dtype=tf.string))
        return self._predict.future(request, timeout=self._timeout)

    def _result(self, call):
        try:
            outputs = call.result().outputs
        except grpc.RpcError as error:
            raise self._explained(error) from error
        if "is_cut" not in outputs:
            raise InputError(
                f"Expected a model that keras-bahdanau exported. Received: {self._server}: "
                f"{self._model[0]} with the outputs {', '.join(sorted(outputs))}"
            )
        return {name: tf.make_ndarray(tensor) for name, tensor in outputs.items()}

    def _explained(self, error):
        details = " ".join((error.details() or "").split())[:200]
        place = f"{self._server}: {self._model[0]}"
        if error.code() in _WRONG_CALL:
            return InputError(f"Expected a served model. Received: {place}: {details}")
        if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
            return TimeoutError(f"no answer within {self._timeout:g} seconds: {place}")
        return ConnectionError(f"{error.code().name.lower().replace('_', ' ')}: {place}: {details}")


def _service_config(attempts):
    """gRPC's retries with exponential backoff (https://grpc.io/docs/guides/retry/)."""
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": "0.2s",
        "maxBackoff": "5s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": _RETRIED,
    }
    return {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
