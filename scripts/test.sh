#!/usr/bin/env bash
# Passes all tests; installs what is missing first.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# Snapshots are compared, never rewritten.
export INSTA_UPDATE=no
cargo test --release --workspace --locked
