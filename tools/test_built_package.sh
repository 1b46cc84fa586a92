#!/usr/bin/env bash
# Builds wheel and sdist, installs each into a new environment and runs the first tier of the tests
# outside the checkout, from the sdist's copy of them.
#
#   tools/test_built_package.sh [DIST]    DIST: a folder with a built wheel and sdist; built if absent
set -euo pipefail
checkout=$(cd "$(dirname "$0")/.." && pwd)
export TF_CPP_MIN_LOG_LEVEL=3 PYTHONUNBUFFERED=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ $# -gt 0 ]; then
    dist=$(cd "$1" && pwd)
else
    dist=$work/dist
    python3 -m venv "$work/build"
    "$work/build/bin/pip" install --quiet build
    "$work/build/bin/python" -m build --outdir "$dist" "$checkout"
fi

mkdir "$work/source" "$work/elsewhere"
tar --extract --gzip --file "$dist"/*.tar.gz --directory "$work/source" --strip-components 1
cd "$work/elsewhere"
for artifact in "$dist"/*.whl "$dist"/*.tar.gz; do
    echo "testing $(basename "$artifact")"
    python3 -m venv "$work/environment"
    "$work/environment/bin/pip" install --quiet "${artifact}[test]"
    # The package is the installed one: neither the current folder nor the tests' has another.
    "$work/environment/bin/python" -c "
import sys, keras_bahdanau, keras_bahdanau.training, keras_bahdanau.export
for package in keras_bahdanau, keras_bahdanau.training, keras_bahdanau.export:
    assert package.__file__.startswith(sys.prefix), package.__file__"
    "$work/environment/bin/pytest" --config-file "$work/source/pyproject.toml" "$work/source/tests"
    rm -rf "$work/environment"
done
