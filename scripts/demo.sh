#!/usr/bin/env bash
# The main job on two real models and real events: does the proxy give the same bits as QKeras?
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cargo build --release --locked --package bittrue-cli

# 1 is a verdict (the legs differ), not a failure of the program.
run() {
    local code=0
    echo
    echo "\$ verify --model $1/model.h5 --events $1/events.h5"
    target/release/verify --model "$1/model.h5" --events "$1/events.h5" || code=$?
    case "$code" in
        0 | 1) ;;
        *) exit "$code" ;;
    esac
}

# A convolutional tagger of jet images, then a dense one of jet observables.
run testvectors/images
run testvectors/jets
