#!/bin/sh
# Measures bittrue and its peers on one model and the same events, in one run: TensorFlow's graph of the
# QKeras model, HGQ's proxy as graph and compiled by XLA with the batch swept, hls4ml's C simulation.
#
#   scripts/peers.sh MODEL EVENTS [flags of scripts/oracle/peers.py]
#
# Needs the oracle's environment (scripts/oracle/setup.sh) and a release build. Prints raw rates; the
# runs that were kept are in benches/runs/.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
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
uptime
