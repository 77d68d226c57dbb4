#!/usr/bin/env bash
# Does the short comparison find bugs? Puts deliberate one-line bugs into a copy of the tree, one
# after the other, builds it, and runs short.sh on it until the first difference.
#
#   mutations.sh [NAME...]     default: all
#
# Prints mutation -> first model and layer that differ; exits with 1 if any mutation is not found, and
# with 2 if one cannot be put in any more because its line is gone. Everything is below target/mutants,
# where the smallest failing model of each mutation is kept as a case. Takes about two minutes for each
# on two cores, the first time some more. Needs a clean commit: it mutates HEAD.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
source "$root/scripts/env.sh"
work="$root/target/mutants"
tree="$work/tree"
wanted=("$@")

mkdir -p "$work"
git -C "$root" worktree remove --force "$tree" 2>/dev/null || true
git -C "$root" worktree prune
git -C "$root" worktree add --quiet --detach "$tree" HEAD
trap 'git -C "$root" worktree remove --force "$tree"' EXIT
if [ ! -d "$work/build" ] && [ -d "$root/target/release" ]; then
    # Its dependencies need not be built again.
    mkdir -p "$work/build"
    cp -a --reflink=auto "$root/target/release" "$work/build/"
fi

names=() found=() seconds=()
survivors=0

# Replaces one line of a file, which has to be there exactly once, builds, and compares.
mutate() {
    local name="$1" file="$2" old="$3" new="$4"
    if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $name "* ]]; then return; fi
    git -C "$tree" checkout --quiet -- .
    if ! python3 - "$tree/$file" "$old" "$new" <<'PYTHON'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
if text.count(old) != 1 or "\n" in old:
    sys.exit(f"{path}: found {text.count(old)} times instead of once: {old}")
open(path, "w").write(text.replace(old, new))
PYTHON
    then
        echo "error: mutation $name does not apply; adapt it in scripts/oracle/mutations.sh" >&2
        exit 2
    fi
    git -C "$tree" diff --unified=0 | grep -E '^[-+] ' || true
    if ! (cd "$tree" && CARGO_TARGET_DIR="$work/build" \
        cargo build --quiet --release -p bittrue-cli --locked); then
        echo "error: mutation $name does not build; adapt it in scripts/oracle/mutations.sh" >&2
        exit 2
    fi
    rm -rf "${work:?}/$name"
    local started=$SECONDS result
    # The mutant is judged by the comparison of this tree.
    if BITTRUE_ORACLE_REQUIRED=1 "$here/short.sh" --verify "$work/build/release/verify" \
        --stop-at-first --keep "$work/$name" --per-cause 1 --reduce-seconds 40 \
        >"$work/$name.log" 2>&1; then
        result="SURVIVED"
        survivors=$((survivors + 1))
    else
        result="$(grep -m 1 '^model [0-9]* ' "$work/$name.log" | cut -c 1-60)" || true
        if [ -z "$result" ]; then
            cat "$work/$name.log" >&2
            echo "error: the comparison itself failed" >&2
            exit 2
        fi
    fi
    names+=("$name") found+=("$result") seconds+=("$((SECONDS - started))")
    echo "$name: $result"
}

# What the issue of this check names: rounding (float32 and integer arithmetic), a bias, a padding, the
# overflow of a relu, the 32-bit power inside QKeras 0.9.0.
mutate half-up-float crates/keras/src/float/round.rs \
    '((magnitude + TWO_23) - TWO_23).copysign(x)' '(x + 0.5).floor()'
mutate half-up-integer crates/kernels/src/cast32.rs \
    'Rounding::RndConv => (half - 1, 1),' 'Rounding::RndConv => (half, 0),'
mutate missing-bias crates/engine/src/lower/linear.rs \
    'self.bias.map(|b| flat(&b.values)))' 'None)'
mutate same-padding crates/model/src/window.rs \
    '(last + self.span(axis)).saturating_sub(n) / 2' \
    '(last + self.span(axis)).saturating_sub(n).div_ceil(2)'
mutate relu-wraps crates/proxy/src/convert/activation.rs \
    'fixed_point_quantizer(false, q.bits, q.integer, Overflow::Sat, &at)' \
    'fixed_point_quantizer(false, q.bits, q.integer, Overflow::Wrap, &at)'
mutate int32-pow crates/keras/src/float/quantized_bits.rs \
    'if integer > 30 {' 'if integer > 96 {'

# And some more of the kind that one really makes.
mutate symmetric-low crates/keras/src/float/quantized_bits.rs \
    'let symmetric = if args.symmetric { 1.0 } else { 0.0 };' 'let symmetric = 0.0;'
mutate no-straight-through crates/keras/src/float/round.rs \
    'add(x, step)' 'if qnoise == 1.0 { y } else { add(x, step) }'
mutate auto-rounds-to-even crates/keras/src/float/kernel/bits.rs \
    'let v = add(div(x.abs(), scale.at(i)), 0.5).floor();' \
    'let v = div(x.abs(), scale.at(i)).round_ties_even();'
mutate permuted-backwards crates/engine/src/lower/window.rs \
    'let out_shape: Vec<usize> = axes.iter().map(|&a| shape[a]).collect();' \
    'let out_shape: Vec<usize> = axes.iter().rev().map(|&a| shape[a]).collect();'
mutate causal-is-same crates/model/src/window.rs \
    'Padding::Causal => self.span(axis) - 1,' 'Padding::Causal => (self.span(axis) - 1) / 2,'
mutate groups-share crates/engine/src/taps.rs \
    'c * channels + g * group' 'c * channels + g * 0'

echo
printf '%-22s %7s  %s\n' mutation seconds 'first difference'
for i in "${!names[@]}"; do
    printf '%-22s %7s  %s\n' "${names[$i]}" "${seconds[$i]}" "${found[$i]}"
done
if [ "$survivors" -gt 0 ]; then
    echo "$survivors of ${#names[@]} mutations were not found" >&2
    exit 1
fi
echo "all ${#names[@]} mutations were found"
