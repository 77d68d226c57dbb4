#!/bin/sh
# Measures bittrue and its peers on one model and the same events, in one run: TensorFlow's graph of the
# QKeras model, HGQ's proxy as graph and compiled by XLA with the batch swept, hls4ml's C simulation; and
# bittrue on the same model with its input read as 16 bits.
#
#   scripts/peers.sh MODEL EVENTS [flags of scripts/oracle/peers.py]
#
# Needs the oracle's environment (scripts/oracle/setup.sh) and a release build. Prints raw rates; the
# runs that were kept are in benches/runs/.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
model=$1
events=$2
shift 2
date -u '+%Y-%m-%d %H:%M UTC'
uptime
echo "\$ verify bench --model $model --events $events"
"$root/target/release/verify" bench --model "$model" --events "$events"
echo "\$ scripts/oracle/peers.py $model $events $*"
"$root/target/oracle-venv/bin/python" "$root/scripts/oracle/peers.py" "$model" "$events" "$@"
echo "\$ verify bench --model $model --events $events    # again"
"$root/target/release/verify" bench --model "$model" --events "$events" | grep 'M events/s'
echo "\$ verify bench --model $model --events $events --target proxy:sat"
"$root/target/release/verify" bench --model "$model" --events "$events" --target proxy:sat | grep 'M events/s'
# The same model with a 16-bit input, where there is an input that can be read so.
if "$root/target/oracle-venv/bin/python" "$root/scripts/oracle/wide_input.py" "$model" "$root/target/wide_input.h5"; then
    for target in proxy:wrap proxy:sat; do
        echo "\$ verify bench --model target/wide_input.h5 --events $events --target $target"
        "$root/target/release/verify" bench --model "$root/target/wide_input.h5" --events "$events" \
            --target "$target" | sed -n '/alone/,/^all:/p'
    done
fi
uptime
