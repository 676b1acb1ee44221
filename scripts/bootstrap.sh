# Everything that ./bench and ./check need, on a bare Debian 12 and wherever
# the same things are there already. Sourced by them with $root set.
#
#   need_packages NAME...   Debian packages, installed when missing
#   make_environment        $root/.venv: CPython; to test, with both bindings
#   make_pypy_environment   $root/.venv-pypy: PyPy with its binding
#
# Says what it installs, and nothing when there is nothing to do. Details go
# to $root/.venv*.log, which is shown when something fails.

PYTHON=${PYTHON:-python3}
PYPY=${PYPY:-pypy3}

BUILD_PACKAGES="ca-certificates gcc libc6-dev make pkg-config libuv1-dev
libhttp-parser-dev libssl-dev openssl python3 python3-dev python3-venv"
PYPY_PACKAGES="pypy3 pypy3-dev pypy3-venv"
SERVICE_PACKAGES="redis-server nginx haproxy openssl virtuoso-opensource-7 postgresql
sqlite3 iproute2 libev-dev libcurl4-openssl-dev wrk apache2-utils siege
nghttp2-client nodejs openssh-server openssh-client"

say() {
    printf '%s\n' "$*" >&2
}

stop() {
    say "$0: $*"
    exit 1
}

missing_packages() {
    for package; do
        state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" \
            2> /dev/null) || state=
        case $state in
        ii*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# The command that makes one run as root, or nothing for root itself.
root_command() {
    [ "$(id -u)" = 0 ] || command -v sudo
}

need_packages() {
    command -v dpkg-query > /dev/null || return 0 # not Debian: the build says
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    as_root=$(root_command) || stop "these Debian packages are missing, and \
installing them needs root or sudo: $missing"
    say "installing with apt-get: $missing"
    log=$root/.apt.log
    {
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update \
            && $as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get -q -y install --no-install-recommends $missing
    } > "$log" 2>&1 || {
        tail -n 15 "$log" >&2
        stop "apt-get could not install them (all of it: $log); who may can
  apt-get install $missing"
    }
}

# What an environment was made from; another text, and it is brought up to
# date. The C files count but for those that the build itself writes, the
# Python files are used where they lie.
fingerprint() {
    {
        "$1" -VV
        cd "$root" && cat setup.py setup_native.py pyproject.toml \
            python/wsgibench/__init__.py scripts/bootstrap.sh csrc/cffi/*.py \
            $(find csrc -name '*.[ch]' ! -name '*_fields.h' ! -name _cffi.c | sort)
    } 2>&1 | cksum
}

# FOLDER EXTRAS: compiles the package while what it requires is fetched.
install_package() {
    into=$1/bin/python
    # cffi's binding on CPython is for the tests.
    case $2 in
    *test*) both=1 ;;
    *) both= ;;
    esac
    "$into" "$root/scripts/requirements.py" "$2" > "$1/requires.txt" || return 1
    "$into" -m pip install -q --disable-pip-version-check \
        -r "$1/requires.txt" &
    fetching=$!
    trap 'kill "$fetching"; exit 130' INT TERM
    WSGIBENCH_CFFI=$both "$into" -m pip install -q \
        --disable-pip-version-check --no-deps -e "$root" && built=0 || built=1
    wait "$fetching" || built=1
    trap - INT TERM
    return $built
}

# FOLDER INTERPRETER EXTRAS; one that has more of them will do, too.
environment() {
    folder=$root/$1
    log=$folder.log
    now=$(fingerprint "$2")
    case $(cat "$folder/made-from" 2> /dev/null) in
    "$now $3" | "$now $3,"*) return 0 ;;
    esac
    say "making $1 with $2: the package and $3"
    {
        { [ -x "$folder/bin/python" ] || "$2" -m venv "$folder"; } \
            && install_package "$folder" "$3"
    } > "$log" 2>&1 || {
        tail -n 25 "$log" >&2
        stop "could not make $1 (all of it: $log)"
    }
    printf '%s\n' "$now $3" > "$folder/made-from"
}

# EXTRAS: by default those that ./check needs; to measure, "bench" will do.
make_environment() {
    need_packages $BUILD_PACKAGES
    environment .venv "$PYTHON" "${1:-bench,test,lint}"
}

make_pypy_environment() {
    need_packages $PYPY_PACKAGES
    environment .venv-pypy "$PYPY" test
}
