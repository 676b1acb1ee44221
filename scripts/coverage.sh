#!/bin/sh
# Which lines of the Python package the tests on CPython run: a table, and
# pages in build/coverage. Takes twice as long as the tests themselves, so it
# is no part of ./check.
#
#   scripts/coverage.sh                     all tests
#   scripts/coverage.sh tests/stats -n 2    pytest's arguments
#
# What runs in processes of their own counts too, where Python starts them
# with this environment (not: targets under other interpreters).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
cd "$root"
"$python" -m pip install -q --disable-pip-version-check "pytest-cov>=6"
[ $# -gt 0 ] || set -- -n auto tests
status=0
"$python" -m pytest --cov=wsgibench --cov-report=html:build/coverage \
    --cov-report=term:skip-covered "$@" || status=$?
exit $status
