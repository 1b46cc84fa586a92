"""Servers with TensorFlow Serving's interfaces, gRPC and REST, around a SavedModel."""

import contextlib
import http.server
import json
import threading
import time
from concurrent import futures

import grpc
import tensorflow as tf
import tensorflow_text as tensorflow_text  # Registers the operations of the graph.
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from keras_bahdanau.export.version_directories import newest_version


class PredictionServer(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict` requests.

    Args:
        directory: the SavedModel, or a directory of versions, of which the newest at the time of
            a request answers it; `None` for one whose signatures return what they are given.
        model_name: the one name that it knows.

    Attributes:
        requests: `(signature, texts)` of each request, in order.
        failures: so many of the next requests are refused as UNAVAILABLE.
        delay: seconds before each answer.
        address: `host:port`, while it runs.
    """

    def __init__(self, directory=None, model_name="translator"):
        self.directory, self.model_name = directory, model_name
        self.requests, self.failures, self.delay = [], 0, 0.0
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self._loaded = {}
        if directory is not None:
            self._signatures()

    def _signatures(self):
        """Those of the newest version, which is loaded if it is a new one."""
        newest = newest_version(self.directory)
        with self._loading:
            if newest not in self._loaded:
                self._loaded = {newest: tf.saved_model.load(str(newest))}
            return self._loaded[newest].signatures

    @contextlib.contextmanager
    def running(self):
        server = grpc.server(futures.ThreadPoolExecutor(4))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(self, server)
        port = server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        server.start()
        try:
            yield self
        finally:
            server.stop(None).wait()

    @contextlib.contextmanager
    def running_rest(self):
        """The same, with its REST interface; `address` is a URL."""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = outer.answer_rest(self.path, body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            self.address = f"http://127.0.0.1:{server.server_port}"
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def answer_rest(self, path, body):
        """Status and JSON of an answer to a `:predict` request in the row format."""
        texts = [instance["text"] for instance in body["instances"]]
        if self._fails("serving_default", texts):
            return 503, {"error": "loading"}
        if path != f"/v1/models/{self.model_name}:predict":
            return 404, {"error": "Servable not found"}
        time.sleep(self.delay)
        outputs = self._signatures()["serving_default"](text=tf.constant(texts))
        lists = {name: tensor.numpy().tolist() for name, tensor in outputs.items()}
        lists["translation"] = [text.decode() for text in lists["translation"]]
        rows = zip(*lists.values(), strict=True)
        return 200, {"predictions": [dict(zip(lists, row, strict=True)) for row in rows]}

    def _fails(self, signature, texts):
        """Notes a request, and says whether it is one that is refused."""
        with self._lock:
            self.requests.append((signature, texts))
            fails = self.failures > 0
            self.failures -= fails
        return fails

    def Predict(self, request, context):
        inputs = {name: list(tensor.string_val) for name, tensor in request.inputs.items()}
        texts = [text.decode() for text in inputs.get("text", inputs.get("source"))]
        if self._fails(request.model_spec.signature_name, texts):
            context.abort(grpc.StatusCode.UNAVAILABLE, "loading")
        if request.model_spec.name != self.model_name:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")
        time.sleep(self.delay)
        response = predict_pb2.PredictResponse()
        if self.directory is None:
            response.outputs["text"].CopyFrom(tf.make_tensor_proto(texts))
            return response
        signature = self._signatures()[request.model_spec.signature_name]
        for name, tensor in signature(**_tensors(inputs)).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(tensor.numpy()))
        return response


def _tensors(inputs):
    return {name: tf.constant(texts) for name, texts in inputs.items()}
