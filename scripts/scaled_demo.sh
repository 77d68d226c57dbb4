#!/usr/bin/env bash
# The demo jets times a factor, so that the input overflows: which layer wraps first?
#
#   scaled_demo.sh [factor]      default: 16; a power of two keeps every value exact
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

factor="${1:-16}"
if ! python3 -c 'import h5py, numpy' 2>/dev/null; then
    packages="$top/target/tools-python"
    export PYTHONPATH="$packages${PYTHONPATH:+:$PYTHONPATH}"
    if ! python3 -c 'import h5py, numpy' 2>/dev/null; then
        echo "installing h5py and NumPy below target/tools-python" >&2
        python3 -m pip install --quiet --disable-pip-version-check --target "$packages" h5py numpy
    fi
fi
mkdir -p target/jets
events="target/jets/scaled$factor.h5"
python3 scripts/oracle/scale_events.py testvectors/jets/events.h5 "$events" --factor "$factor"

cargo build --release --locked --package bittrue-cli
echo
echo "\$ verify --model testvectors/jets/model.h5 --events $events"
code=0
target/release/verify --model testvectors/jets/model.h5 --events "$events" || code=$?
# 1 is a verdict (the legs differ), not a failure of the program.
case "$code" in
    0 | 1) ;;
    *) exit "$code" ;;
esac
if [ "$factor" = 16 ]; then
    echo
    echo "Real QKeras and HGQ on the same file (testvectors/jets/scaled16_expected.json):"
    python3 - <<'EOF'
import json
with open("testvectors/jets/scaled16_expected.json") as file:
    counts = json.load(file)
for pair in ("qkeras_vs_proxy_sat", "qkeras_vs_proxy_wrap"):
    found = counts[pair]
    print(f"{pair}: {found['differing_events']} events differ, first layer {found['first_differing_layer']}")
EOF
fi
