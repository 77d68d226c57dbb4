# Sourced by the other scripts: finds what the build needs, or installs it below target/.
# HDF5 is built from source and needs CMake 3.26 or newer; Debian 12 has 3.25.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1

new_enough() {
    command -v "$1" >/dev/null 2>&1 || return 1
    local found
    found=$("$1" --version 2>/dev/null | head -n 1 | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
    [ -n "$found" ] && [ "$(printf '%s\n%s\n' "$2" "$found" | sort -V | head -n 1)" = "$2" ]
}

if ! command -v cargo >/dev/null 2>&1; then
    echo "error: cargo is missing; install Rust 1.95 or newer (https://rustup.rs)" >&2
    exit 1
fi
tools="$top/target/tools"
if ! new_enough cmake 3.26 || ! command -v ninja >/dev/null 2>&1; then
    PATH="$tools/cmake/data/bin:$tools/bin:$PATH"
    if ! new_enough cmake 3.26 || ! command -v ninja >/dev/null 2>&1; then
        echo "installing CMake and ninja below target/tools" >&2
        if ! python3 -m pip install --quiet --disable-pip-version-check --upgrade \
            --target "$tools" 'cmake>=3.26' ninja; then
            echo "error: CMake 3.26 or newer and ninja are needed, and pip could not install them;" >&2
            echo "  help: install both by hand and run this again" >&2
            exit 1
        fi
    fi
    export PATH
fi
