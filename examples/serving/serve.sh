#!/usr/bin/env bash
# Serves a directory of SavedModel versions in a container: gRPC on 8500, REST on 8501.
#
#   ./serve.sh my-model/saved-model
set -euo pipefail

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    echo "Expected one argument, a directory of versions such as my-model/saved-model" >&2
    exit 2
fi
versions=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
image=${IMAGE:-tensorflow/serving:2.19.1}

exec "${DOCKER:-docker}" run --rm --name translator \
    --publish 8500:8500 --publish 8501:8501 \
    --volume "$versions:/models/translator:ro" \
    --volume "$here:/config:ro" \
    --entrypoint tensorflow_model_server \
    "$image" \
    --port=8500 --rest_api_port=8501 --rest_api_num_threads=64 \
    --model_config_file=/config/models.config \
    --file_system_poll_wait_seconds=2 \
    --enable_batching=true --batching_parameters_file=/config/batching.config \
    --monitoring_config_file=/config/monitoring.config
