#!/usr/bin/env bash
# This machine's python3 with what gpu-bundle/ brings and it lacks; without a network.
#
#     bash benchmarks/gpu_python.sh benchmarks/benchmark_gpu.py --output gpu.json
#
# The wheels are installed to a folder of their own, once: GPU_SITE, or one in /tmp.
set -euo pipefail
cd "$(dirname "$0")/.."
site=${GPU_SITE:-/tmp/spacy-pretrained-gpu}

if [ ! -d gpu-bundle/wheels ]; then
    echo "There is no gpu-bundle/: run make gpu-bundle where there is a network. See docs/gpu.md." >&2
    exit 2
fi
export PYTHONPATH="$site:$PWD"
if [ ! -f "$site/installed" ]; then
    python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' || {
        echo "The wheels are for Python 3.12, and python3 here is $(python3 --version)." >&2
        exit 2
    }
    python3 -m pip install --quiet --disable-pip-version-check --no-index --find-links gpu-bundle/wheels \
        --no-deps --no-compile --upgrade --target "$site" gpu-bundle/wheels/*.whl
    # The package itself stays where it is: spaCy finds its components by what this writes.
    python3 -c 'from setuptools import setup; setup()' -q egg_info >/dev/null
    python3 benchmarks/gpu_check.py "$site"
    touch "$site/installed"
fi
exec python3 "$@"
