#!/usr/bin/env bash
# Changes good files at random and looks at how the program ends on them (docs/security.md).
#
#   scripts/fuzz_readers.sh [--seconds N] [--seed S] [--reader NAME] [--keep N]
#
# NAME is a word, or the beginning of one, from the first column of testvectors/fuzz/corpus.txt.
# Findings, and the first crashes of the HDF5 library that were caught, go to target/fuzz.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cargo build --release --locked --quiet -p bittrue-cli
cargo build --release --locked --quiet -p bittrue-testing --example fuzz_readers
exec target/release/examples/fuzz_readers "$@"
