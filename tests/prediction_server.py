"""A server with TensorFlow Serving's gRPC interface, around a SavedModel in this process."""

import contextlib
import threading
import time
from concurrent import futures

import grpc
import tensorflow as tf
import tensorflow_text as tensorflow_text  # Registers the operations of the graph.
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class PredictionServer(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict` requests.

    Args:
        directory: the SavedModel; `None` for one whose signatures return what they are given.
        model_name: the one name that it knows.

    Attributes:
        requests: `(signature, texts)` of each request, in order.
        failures: so many of the next requests are refused as UNAVAILABLE.
        delay: seconds before each answer.
        address: `host:port`, while it runs.
    """

    def __init__(self, directory=None, model_name="translator"):
        self.signatures = None
        if directory is not None:
            self.model = tf.saved_model.load(str(directory))
            self.signatures = self.model.signatures
        self.model_name = model_name
        self.requests, self.failures, self.delay = [], 0, 0.0
        self._lock = threading.Lock()

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

    def Predict(self, request, context):
        texts = [text.decode() for text in request.inputs["text"].string_val]
        with self._lock:
            self.requests.append((request.model_spec.signature_name, texts))
            fails = self.failures > 0
            self.failures -= fails
        if fails:
            context.abort(grpc.StatusCode.UNAVAILABLE, "loading")
        if request.model_spec.name != self.model_name:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")
        time.sleep(self.delay)
        response = predict_pb2.PredictResponse()
        if self.signatures is None:
            response.outputs["text"].CopyFrom(tf.make_tensor_proto(texts))
            return response
        signature = self.signatures[request.model_spec.signature_name]
        for name, tensor in signature(text=tf.constant(texts)).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(tensor.numpy()))
        return response
