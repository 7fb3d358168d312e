#!/bin/sh
# install.sh LOCK STAMP [APART FOLDER]: put the pinned packages and this project into .venv, those of the
# lock APART, which do not go with the others, into a folder of their own, then leave the stamp.
# The Makefile calls it, and only when the stamp for this lock, pyproject.toml and folder is missing.
set -eu
lock=$1
stamp=$2
apart=${3:-}
folder=${4:-}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    echo "Crossdock needs Python 3.11 or newer; not good enough: ${PYTHON:-any python3 on the PATH}." >&2
    echo "On Debian or Ubuntu: apt-get install python3 python3-venv." >&2
    echo "A Python of another name or place: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "$python cannot make virtual environments: its ensurepip module is missing." >&2
        echo "On Debian or Ubuntu: apt-get install python$version-venv (or python3-venv)." >&2
        exit 1
    fi
    rm -rf .venv
    echo "Making .venv with $("$python" --version) ..."
    "$python" -m venv .venv
}

if ! is_new_enough .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    make_venv
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }

echo "Installing the packages of $lock; a minute or two the first time ..."
pip install -qq --require-hashes --only-binary :all: -r "$lock"
# The build backend is pinned in the lock as well, so nothing outside it is fetched here.
pip install -qq --no-deps --no-build-isolation --no-index --editable .
# An editable project is not compiled by its installation, as the others are: each process would do it again.
.venv/bin/python -m compileall -q src/crossdock
if [ -n "$apart" ]; then
    rm -rf "$folder"
    pip install -qq --require-hashes --only-binary :all: --no-deps --target "$folder" -r "$apart"
fi
rm -f .venv/installed-"$(basename "$stamp" | cut -d- -f2)"-*
touch "$stamp"
