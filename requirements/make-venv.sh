#!/bin/sh
# Make the virtual environment $1 with the first suitable interpreter: $PYTHON, python3, or one with
# its version in its name. Dagster and Great Expectations do not accept Python 3.15.
set -eu
folder=$1

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))'
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
    if "$candidate" -c "$fits" >/dev/null 2>&1; then
        found=$candidate
        break
    fi
done
if [ -z "${found:-}" ]; then
    echo "No Python 3.11 to 3.14 found; tried ${PYTHON:-python3, python3.11 to python3.14 and python}. Install one, or name its path with PYTHON=…" >&2
    exit 1
fi

if command -v uv >/dev/null 2>&1; then
    interpreter=$("$found" -c 'import sys; print(sys.executable)')
    uv venv --quiet --allow-existing --python "$interpreter" "$folder"
elif ! "$found" -m venv "$folder"; then
    rm -rf "$folder"
    echo "$found cannot make virtual environments. Install its venv module (Debian: python3-venv) or uv." >&2
    exit 1
fi
