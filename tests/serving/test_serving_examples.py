"""The deployment kit in examples/serving/: its files are read, its clients are run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from checkout import EXAMPLES
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from prediction_server import PredictionServer
from small_translator import small_translator
from tensorflow_serving.config import model_server_config_pb2

from keras_bahdanau.export.saved_model import export_saved_model
from keras_bahdanau.export.saved_model.exporter import WARM_UP_BATCH_SIZES

KIT = EXAMPLES / "serving"
TEXTS = ["the dog runs", "", "el gato"]
Field = descriptor_pb2.FieldDescriptorProto
KINDS = {"int64": Field.TYPE_INT64, "bool": Field.TYPE_BOOL, "string": Field.TYPE_STRING}


def message(name, **fields):
    """A message of TensorFlow Serving that its Python package leaves out.

    A field is `(number, kind, is repeated)`; the kind may be the name of another message.
    """
    description = descriptor_pb2.DescriptorProto(name=name)
    for field, (number, kind, is_repeated) in fields.items():
        label = Field.LABEL_REPEATED if is_repeated else Field.LABEL_OPTIONAL
        added = description.field.add(name=field, number=number, label=label)
        if kind in KINDS:
            added.type = KINDS[kind]
        else:
            added.type, added.type_name = Field.TYPE_MESSAGE, f".kit.{kind}"
    return description


# session_bundle_config.proto, monitoring_config.proto and google/protobuf/wrappers.proto.
MESSAGES = [
    message("Int64Value", value=(1, "int64", False)),
    message(
        "BatchingParameters",
        max_batch_size=(1, "Int64Value", False),
        batch_timeout_micros=(2, "Int64Value", False),
        max_enqueued_batches=(3, "Int64Value", False),
        num_batch_threads=(4, "Int64Value", False),
        allowed_batch_sizes=(6, "int64", True),
    ),
    message("PrometheusConfig", enable=(1, "bool", False), path=(2, "string", False)),
    message("MonitoringConfig", prometheus_config=(1, "PrometheusConfig", False)),
]


def parsed(file, name):
    pool = descriptor_pool.DescriptorPool()
    pool.Add(
        descriptor_pb2.FileDescriptorProto(
            name="kit.proto", package="kit", syntax="proto3", message_type=MESSAGES
        )
    )
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"kit.{name}"))
    return text_format.Parse((KIT / file).read_text(), kind())


def test_the_model_config_names_the_directory_that_the_script_mounts():
    config = text_format.Parse(
        (KIT / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("translator", "/models/translator")
    assert model.model_version_policy.latest.num_versions == 1


def test_batches_have_the_sizes_that_warm_up_prepares():
    batching = parsed("batching.config", "BatchingParameters")
    assert tuple(batching.allowed_batch_sizes) == WARM_UP_BATCH_SIZES
    # The server demands it.
    assert batching.max_batch_size.value == WARM_UP_BATCH_SIZES[-1]


def test_metrics_are_where_kubernetes_says():
    monitoring = parsed("monitoring.config", "MonitoringConfig").prometheus_config
    (deployment,) = manifests("deployment.yaml")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert monitoring.enable
    assert annotations["prometheus.io/path"] == monitoring.path


def manifests(name):
    return list(yaml.safe_load_all((KIT / "kubernetes" / name).read_text()))


def test_the_manifests_belong_together():
    kustomization = yaml.safe_load((KIT / "kustomization.yaml").read_text())
    names = {path.name for path in (KIT / "kubernetes").iterdir()}
    assert {Path(path).name for path in kustomization["resources"]} == names
    (generated,) = kustomization["configMapGenerator"]
    assert all((KIT / file).is_file() for file in generated["files"])
    (deployment,), (service,), (claim,) = map(
        manifests, ("deployment.yaml", "service.yaml", "models.yaml")
    )
    pod = deployment["spec"]["template"]
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["models"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert volumes["config"]["configMap"]["name"] == generated["name"]
    (container,) = pod["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
    assert container["readinessProbe"]["httpGet"]["path"] == "/v1/models/translator"
    assert container["resources"].keys() == {"requests", "limits"}
    ports = {port["name"] for port in container["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} == ports
    for name in ("autoscaler.yaml", "disruption.yaml"):
        (manifest,) = manifests(name)
        assert manifest["metadata"]["name"] == deployment["metadata"]["name"]
    files = {
        argument.split("/config/")[-1] for argument in container["args"] if "/config/" in argument
    }
    assert files == set(generated["files"])


def serve(*arguments):
    """Runs serve.sh with a `docker` that only prints what it is given."""
    return subprocess.run(
        ["bash", KIT / "serve.sh", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "DOCKER": "echo"},
    )


def test_the_script_mounts_the_versions_and_the_configuration(tmp_path):
    (tmp_path / "a b").mkdir()
    finished = serve(tmp_path / "a b")
    assert finished.returncode == 0, finished.stderr
    assert f"{tmp_path / 'a b'}:/models/translator:ro" in finished.stdout
    assert f"{KIT}:/config:ro" in finished.stdout
    for file in ("models", "batching", "monitoring"):
        assert f"/config/{file}.config" in finished.stdout
    assert serve().returncode == serve(tmp_path / "nosuch").returncode == 2


@pytest.fixture(scope="module")
def translator():
    return small_translator()


@pytest.fixture(scope="module", params=["grpc", "rest"])
def client(request, translator, tmp_path_factory):
    """A running server, and a function that runs the client of its interface."""
    directory = tmp_path_factory.mktemp("export") / "model"
    server = PredictionServer(export_saved_model(translator, directory))

    def run(*arguments):
        program = KIT / f"{request.param}_client.py"
        return subprocess.run([sys.executable, program, *arguments], capture_output=True, text=True)

    with server.running() if request.param == "grpc" else server.running_rest():
        yield server, run


@pytest.mark.slow
def test_a_client_translates_and_asks_again(client, translator):
    server, run = client
    server.failures = 2
    server.requests.clear()
    finished = run(server.address, *TEXTS)
    assert finished.returncode == 0, finished.stderr
    expected = translator.translate(TEXTS, return_alignments=True)
    lines = [f"{each.text}\t{each.log_probability:.3f}" for each in expected]
    assert finished.stdout.splitlines() == lines
    assert server.requests == [("serving_default", TEXTS)] * 3


@pytest.mark.slow
def test_a_client_says_what_is_wrong(client):
    server, run = client
    long = run(server.address, "the dog " * 50)
    assert long.stdout.endswith("  (the text was truncated)\n")
    server.requests.clear()
    finished = run(server.address, "the dog", "--model", "nosuch")
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].endswith("Servable not found")
    assert len(server.requests) == 1
    finished = run(f"{server.address.rpartition(':')[0]}:1", "the dog", "--timeout", "1")
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].startswith("error: ")
