#!/bin/sh
# GCC's static analyzer over everything in C that is not Python's: a warning is
# an error. usage: sh scripts/analyze.sh [file ...]
set -eu
cd "$(dirname "$0")/.."
files=${*:-$(find csrc/base csrc/tls csrc/core csrc/load -name '*.c' | sort)}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for file in $files; do
    ${CC:-gcc} -std=c11 -O1 -fanalyzer -Wall -Wextra -Werror -DWB_OPENSSL \
        -DWB_VERSION='"0"' \
        -Icsrc -Icsrc/core -Icsrc/load -Icsrc/include -c "$file" -o "$out"
done
echo "analyzed: $(echo $files | wc -w) files"
