#!/usr/bin/env bash
# The demo jets times 16: inputs that overflow on purpose. The table names the first layer that
# wraps; the saturating proxy shows no difference. Real HGQ's counts for the same events are in
# testvectors/jets/scaled16_expected.json.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cargo build --release --locked --package bittrue-cli
python=$(command -v python3)
if ! "$python" -c 'import h5py' 2>/dev/null; then
    "$python" -m venv target/h5py-venv
    python=target/h5py-venv/bin/python
    "$python" -c 'import h5py' 2>/dev/null ||
        "$python" -m pip install --quiet --disable-pip-version-check h5py
fi
"$python" scripts/oracle/scale_events.py testvectors/jets/events.h5 target/scaled16.h5 --factor 16
code=0
target/release/verify --model testvectors/jets/model.h5 --events target/scaled16.h5 || code=$?
# 1 is the verdict that is expected here.
[ "$code" = 1 ]
