#!/usr/bin/env bash
# Counts the instructions of kernels with valgrind: a gate that noise cannot move.
#
#   scripts/instructions.sh            compares with benches/instructions.txt; more than 3 % above is an error
#   scripts/instructions.sh --update   writes it anew
#
# Valgrind knows no AVX-512, so plain loops and AVX2 stand for all levels, which are the same source.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

command -v valgrind >/dev/null || {
    echo "valgrind is missing; nothing is checked" >&2
    exit 0
}
cargo build --quiet --release --locked --package bittrue-kernels --example instructions
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/instructions "$@" 2>&1 |
        sed -n 's/.*Collected : *//p'
}
found=$(
    for kernel in "bytes avx2" "pairs avx2" "input avx2" "bytes scalar" "input scalar" "loops scalar"; do
        # What starting takes is in both.
        once=$(count $kernel 1)
        more=$(count $kernel 5)
        echo "$kernel $(((more - once) / 4))"
    done
)
baseline=benches/instructions.txt
if [ "${1:-}" = --update ]; then
    echo "$found" | tee "$baseline"
    exit
fi
code=0
while read -r kernel level expected; do
    now=$(echo "$found" | awk -v k="$kernel" -v l="$level" '$1 == k && $2 == l { print $3 }')
    change=$(awk -v a="$now" -v b="$expected" 'BEGIN { printf "%+.1f", 100 * (a / b - 1) }')
    echo "$kernel $level: $now instructions, $change %"
    awk -v c="$change" 'BEGIN { exit !(c > 3) }' && code=1
done <"$baseline"
[ "$code" = 0 ] || echo "error: more instructions than benches/instructions.txt allows" >&2
exit "$code"
