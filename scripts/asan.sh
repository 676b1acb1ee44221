#!/bin/sh
# Builds the C API extension with AddressSanitizer and UBSan into a folder of
# its own and runs pytest with the given arguments on it.
#
#   scripts/asan.sh tests/http tests/wsgi
#
# Python's own allocator is switched off, so that every object is the
# sanitizer's to watch. Leaks are looked for by tests/c and
# tests/native/test_leaks.py: CPython itself leaks at exit by design.
# Cases of eventlet are left out: a greenlet copies the C stack, red zones and
# all, which AddressSanitizer takes for a fault.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
WSGIBENCH_SANITIZE=1 WSGIBENCH_CFFI=0 "$python" setup.py -q build_ext \
    --build-lib "$work/lib" --build-temp "$work/temp" > "$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    exit 1
}
cp -r python "$work/python"
rm -f "$work"/python/wsgibench/native/*.so
cp "$work"/lib/wsgibench/native/*.so "$work/python/wsgibench/native/"
LD_PRELOAD="$(${CC:-cc} -print-file-name=libasan.so) $(${CC:-cc} -print-file-name=libubsan.so)"
export LD_PRELOAD
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
export PYTHONMALLOC=malloc PYTHONPATH="$work/python" WSGIBENCH_BACKEND=capi
"$python" -m pytest -p no:cacheprovider -k "not cffi and not eventlet" "$@"
