#!/usr/bin/env bash
# Fixed-point arithmetic against the C++ headers of the installed hls4ml: see check.py.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/../../env.sh"

cargo build --release --locked --package bittrue-csim --example ap_fixed_stream
oracle="${BITTRUE_ORACLE:-target/oracle-venv}"
exec "$oracle/bin/python" "$here/check.py" target/release/examples/ap_fixed_stream "$@"
