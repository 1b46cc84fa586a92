"""Translates over gRPC, with a deadline and with retries.

    python grpc_client.py localhost:8500 "A dog runs over the grass." "Two men talk."

Needs `pip install 'keras-bahdanau[serving]'` (grpcio and tensorflow-serving-api). A sample to copy;
`keras_bahdanau.serving.ServedTranslator` does more: batches, n-best lists, long texts.
"""

import argparse
import json
import sys

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

# gRPC retries with exponential backoff while the server is unavailable or overloaded, and balances
# requests over all addresses of a host name.
SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": "tensorflow.serving.PredictionService"}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "5s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ],
}


def translate(server, texts, *, model="translator", timeout=10.0):
    """Translates texts in one request.

    Args:
        server: `host:port`.
        texts: list of strings.
        model: name of the model.
        timeout: seconds for the request, with all its attempts.

    Returns:
        A list of `(translation, log_probability, is_cut)`; `is_cut`: the text was truncated.

    Raises:
        grpc.RpcError: the request failed; see its `code()`.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "serving_default"
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts, dtype=tf.string))
    options = [("grpc.service_config", json.dumps(SERVICE_CONFIG))]
    with grpc.insecure_channel(server, options=options) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        outputs = stub.Predict(request, timeout=timeout).outputs
    names = ("translation", "log_probability", "is_cut")
    translations, scores, are_cut = (tf.make_ndarray(outputs[name]).tolist() for name in names)
    return [
        (translation.decode(), score, is_cut)
        for translation, score, is_cut in zip(translations, scores, are_cut, strict=True)
    ]


def main():
    parser = argparse.ArgumentParser(description="Translate over gRPC.")
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("texts", metavar="TEXT", nargs="+")
    parser.add_argument("--model", default="translator", help="name of the model (translator)")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds (10)")
    options = parser.parse_args()
    try:
        answers = translate(
            options.server, options.texts, model=options.model, timeout=options.timeout
        )
    except grpc.RpcError as error:
        print(f"error: {error.code().name}: {error.details()}", file=sys.stderr)
        return 1
    for translation, score, is_cut in answers:
        print(f"{translation}\t{score:.3f}{'  (the text was truncated)' if is_cut else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
