#!/usr/bin/env bash
# Measures what reading costs: the jets of testvectors/ in every form of file, each compared from the page
# cache and from memory in turns, and the compressed ones against inflating their chunks and nothing else.
#
#   scripts/reading.sh [SECONDS] [EVENTS]
#
# Needs h5py: the oracle's environment (scripts/oracle/setup.sh). Prints raw rates; benches/runs/ has runs.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

seconds=${1:-2}
count=${2:-4000000}
files=target/reading
cargo build --quiet --release --locked --package bittrue-cli
cargo build --quiet --release --locked --package bittrue-verify --example inflate
[ -e "$files/made-$count" ] || {
    target/oracle-venv/bin/python scripts/oracle/event_forms.py \
        testvectors/jets/events.h5 events "$files" --events "$count"
    touch "$files/made-$count"
}
date -u '+%Y-%m-%d %H:%M UTC'
uptime
for round in 1 2 3; do
    for form in events.npy contiguous.h5 chunked.h5 lzf_shuffle.h5 gzip.h5 gzip_shuffle.h5; do
        echo "round $round  $form"
        case $form in
        gzip*)
            target/release/examples/inflate testvectors/jets/model.h5 "$files/$form" events "$seconds"
            ;;
        *)
            # The first pass reads what is not in the page cache yet.
            target/release/verify bench --model testvectors/jets/model.h5 \
                --events "$files/$form" --seconds "$seconds" |
                sed -n '/from their files/,/of neighbours/p'
            ;;
        esac
    done
done
uptime
