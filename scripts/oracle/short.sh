#!/usr/bin/env bash
# The short comparison with the real software that CI runs: random models of a fixed seed.
#
#   short.sh [options of fuzz.py]      default: the release build of this tree
#
# Fails when bittrue and the real software differ. Where the real software cannot be installed it
# says so, loudly, and passes: nothing was compared. With BITTRUE_ORACLE_REQUIRED=1 it fails then.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
venv="${BITTRUE_ORACLE:-$root/target/oracle-venv}"

# Models are cheap or dear as they are drawn; these take two to three minutes on two cores, and every
# mutation of mutations.sh is found among them.
seed=20261127 models=64 events=64

banner() {
    local line='!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!'
    printf '%s\n' "$line" "$@" "$line" >&2
}

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if ! PYTHON="${PYTHON:-$(command -v python3.11 || echo python3)}" "$here/setup.sh" "$venv" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    banner \
        'THE COMPARISON WITH REAL QKERAS AND HGQ WAS NOT RUN:' \
        'scripts/oracle/setup.sh could not install them (its last lines are above).' \
        'Nothing here says that bittrue still agrees with them.'
    [ "${BITTRUE_ORACLE_REQUIRED:-0}" = 0 ] || exit 1
    exit 0
fi

case " $* " in
*" --verify "*) ;;
*)
    source "$root/scripts/env.sh"
    cargo build --release -p bittrue-cli --locked
    set -- --verify "$root/target/release/verify" "$@"
    ;;
esac

cd "$here"
# TensorFlow's own log lines say nothing about us.
export TF_CPP_MIN_LOG_LEVEL=3
if ! "$venv/bin/python" -B -W ignore fuzz.py --seed "$seed" --models "$models" --events "$events" \
    --processes 2 "$@" 2>"$log"; then
    grep -vE '^(WARNING: All log|[IWE]0000 )' "$log" >&2 || true
    banner \
        'BITTRUE AND THE REAL SOFTWARE DIFFER (or the comparison itself failed): see above.' \
        "For model I: scripts/oracle/fuzz.py --seed $seed --events $events --only I --keep target/fuzz"
    exit 1
fi
