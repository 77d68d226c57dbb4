#!/usr/bin/env bash
# Make the virtual environment of the reference software.
#
#   setup.sh [path]      default: $BITTRUE_ORACLE, else target/oracle-venv
#
# Needs Python 3.11 with the venv module; set PYTHON to choose the interpreter.
# Running it again does nothing unless requirements.txt has changed.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
venv="${1:-${BITTRUE_ORACLE:-$root/target/oracle-venv}}"
python="${PYTHON:-python3}"
stamp="$venv/bittrue-requirements.txt"

if cmp --silent "$here/requirements.txt" "$stamp" 2>/dev/null; then
    echo "oracle is ready: $venv"
    exit 0
fi

found="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
if [[ "$found" != "3.11" ]]; then
    # TensorFlow 2.15 has no wheels after 3.11, the pinned HGQ none before 3.10.
    echo "the oracle needs Python 3.11, $python is $found; set PYTHON" >&2
    exit 1
fi

[[ -x "$venv/bin/python" ]] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --requirement "$here/requirements.txt"

# The import is the test: it loads TensorFlow, QKeras and HGQ in the order that counts.
(cd "$here" && TF_CPP_MIN_LOG_LEVEL=3 "$venv/bin/python" -B -W ignore -c \
    'import reference; print(reference.versions())')
"$venv/bin/python" -B -c 'import fastjet, pythia8mc' >/dev/null

# Written last, so that an interrupted installation is taken up again.
cp "$here/requirements.txt" "$stamp"
echo "oracle is ready: $venv"
