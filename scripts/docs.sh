#!/bin/sh
# Builds the documentation site into build/site; a warning is an error.
#
#   scripts/docs.sh            build
#   scripts/docs.sh serve      build, serve on loopback, build again on change
#
# Makes an environment of its own in build/docs.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
python=build/docs/bin/python
if [ ! -x $python ]; then
    "${PYTHON:-python3}" -m venv build/docs
fi
WSGIBENCH_NATIVE=none $python -m pip install -q --disable-pip-version-check \
    ".[bench,docs]"
exec $python -m mkdocs "${1:-build}" --strict
