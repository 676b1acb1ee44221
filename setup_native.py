"""How the native parts are built: where libuv and http-parser come from, and
with which flags.

The ladder, each rung printed: a prefix the user names (WSGIBENCH_DEPS_PREFIX),
the system (pkg-config for libuv, a compile-and-link probe for http-parser,
which has no .pc file), and then a clear stop. Nothing is ever downloaded.

Switches in the environment:
  WSGIBENCH_NATIVE=require|none   none: install without the server
  WSGIBENCH_DEPS_PREFIX=DIR       DIR/include and DIR/lib come first
  WSGIBENCH_PARSER=http_parser|llhttp
  WSGIBENCH_CFFI=1                build the cffi binding on CPython too
  WSGIBENCH_NO_TLS=1              server and load generator without OpenSSL
  WSGIBENCH_DEV=1                 all warnings, as errors
  WSGIBENCH_SANITIZE=1            AddressSanitizer, UndefinedBehaviorSanitizer
  WSGIBENCH_SANITIZE=thread       ThreadSanitizer
"""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from glob import glob

ROOT = os.path.dirname(os.path.abspath(__file__))

#: Folders of csrc that an #include may start from.
SEEN = ("", "include", "core")

#: Folders whose files make up the server and the generator, without Python.
PLAIN = ("base", "tls", "core", "load")

MISSING = """
wsgibench cannot build its server: {what} was not found.

Tried:
{tried}
Install it with one of
  apt-get install libuv1-dev libhttp-parser-dev pkg-config gcc
  dnf install libuv-devel http-parser-devel pkgconf gcc
  apk add libuv-dev http-parser-dev pkgconf gcc musl-dev
  brew install libuv http-parser pkg-config
or name a prefix that holds include/ and lib/:  WSGIBENCH_DEPS_PREFIX=/opt/x
or install without the server:                  WSGIBENCH_NATIVE=none
"""

NO_COMPILER = """
wsgibench cannot build its server: the C compiler {command!r} does not work.

  {why}

Install one (apt-get install gcc libc6-dev), name another in CC, or install
without the server: WSGIBENCH_NATIVE=none
"""

NO_HEADERS = """
wsgibench cannot build its server: Python.h of {python} was not found.

  {why}

Install Python's headers (apt-get install {package}; dnf install {dnf}), or
install without the server: WSGIBENCH_NATIVE=none
"""

EMPTY = "int main(void) { return 0; }\n"
PYTHON = "#include <Python.h>\n" + EMPTY

PROBES = {
    "libuv": "#include <uv.h>\nint main(void) { return uv_version() == 0; }\n",
    "http-parser": "#include <http_parser.h>\nint main(void)"
    " { return http_parser_version() == 0; }\n",
    "llhttp": "#include <llhttp.h>\nint main(void)"
    " { llhttp_settings_t s; llhttp_settings_init(&s); return 0; }\n",
}

OPENSSL = (
    "#include <dlfcn.h>\n#include <openssl/ssl.h>\nint main(void)"
    " { return dlopen(0, RTLD_NOW) == 0 || OPENSSL_VERSION_NUMBER == 0; }\n"
)


def switch(name):
    return os.environ.get(name, "") not in ("", "0")


class Flags:
    """Compiler and linker arguments; they only ever grow."""

    def __init__(self):
        self.compile = []
        self.link = []

    def add(self, compile_args=(), link_args=()):
        self.compile += compile_args
        self.link += link_args


def compiler():
    return shlex.split(os.environ.get("CC", "cc"))


def links(source, compile_args, link_args):
    """Does this C program compile and link? (answer, last line of output)"""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "probe.c")
        with open(path, "w") as file:
            file.write(source)
        command = [
            *compiler(),
            path,
            "-o",
            os.path.join(directory, "probe"),
            *compile_args,
            *link_args,
        ]
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        except OSError as error:
            return False, str(error)
    lines = [line for line in done.stdout.splitlines() if "rror" in line]
    return done.returncode == 0, lines[0] if lines else ""


def pkg_config(package):
    try:
        found = subprocess.run(
            ["pkg-config", "--cflags", "--libs", package],
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    return shlex.split(found.stdout) if found.returncode == 0 else None


def rungs(library, package):
    """(name, compile arguments, link arguments), best first."""
    prefix = os.environ.get("WSGIBENCH_DEPS_PREFIX")
    if prefix:
        lib = os.path.join(prefix, "lib")
        yield (
            "prefix " + prefix,
            ["-I" + os.path.join(prefix, "include")],
            ["-L" + lib, "-Wl,-rpath," + lib, "-l" + library],
        )
    arguments = pkg_config(package)
    if arguments is not None:
        yield (
            "pkg-config " + package,
            [a for a in arguments if a[:2] in ("-I", "-D", "-p")],
            [a for a in arguments if a[:2] in ("-L", "-l", "-p")],
        )
    yield "the compiler's own paths", [], ["-l" + library]


def find(flags, what, library, package):
    tried = []
    for name, compile_args, link_args in rungs(library, package):
        works, why = links(PROBES[what], compile_args, link_args)
        if works:
            print("wsgibench: %s from %s" % (what, name))
            flags.add(compile_args, link_args)
            return
        tried.append("  %s: %s\n" % (name, why or "does not link"))
    raise SystemExit(MISSING.format(what=what, tried="".join(tried)))


def check_compiler():
    works, why = links(EMPTY, [], [])
    if not works:
        command = " ".join(compiler())
        why = why or "it compiles no program at all"
        raise SystemExit(NO_COMPILER.format(command=command, why=why))


def check_python():
    """What an extension module needs beside the libraries."""
    folders = {sysconfig.get_path(name) for name in ("include", "platinclude")}
    works, why = links(PYTHON, ["-c", *("-I" + f for f in folders)], [])
    if not works:
        pypy = is_pypy()
        raise SystemExit(
            NO_HEADERS.format(
                python=sys.executable,
                why=why or "no message",
                package="pypy3-dev" if pypy else "python3-dev",
                dnf="pypy3-devel" if pypy else "python3-devel",
            )
        )


def version():
    """The package's: python/wsgibench/__init__.py is the one place."""
    with open(os.path.join(ROOT, "python", "wsgibench", "__init__.py")) as f:
        return re.search(r'^__version__ = "(.+)"$', f.read(), re.M).group(1)


def parser_name():
    name = os.environ.get("WSGIBENCH_PARSER", "http_parser")
    if name not in ("http_parser", "llhttp"):
        raise SystemExit(
            "WSGIBENCH_PARSER must be http_parser or llhttp, not %r." % name
        )
    return name


def flags():
    """Everything that is made of the C sources is compiled with these."""
    check_compiler()
    result = Flags()
    result.add(
        [
            "-std=c11",
            "-O2",
            "-g",
            "-fvisibility=hidden",
            '-DWB_VERSION="%s"' % version(),
            *("-I" + os.path.join(ROOT, "csrc", room) for room in SEEN),
        ],
        ["-lpthread", "-lm"],
    )
    if switch("WSGIBENCH_DEV"):
        result.add(
            ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
        )
    if switch("WSGIBENCH_SANITIZE"):
        which = os.environ["WSGIBENCH_SANITIZE"]
        which = "thread" if which == "thread" else "address,undefined"
        sanitize = ["-fsanitize=" + which, "-fno-omit-frame-pointer"]
        result.add([*sanitize, "-O1"], sanitize)
    find(result, "libuv", "uv", "libuv")
    if parser_name() == "llhttp":
        find(result, "llhttp", "llhttp", "libllhttp")
        result.add(["-DWB_LLHTTP"], [])
    else:
        find(result, "http-parser", "http_parser", "http_parser")
    if not switch("WSGIBENCH_NO_TLS"):
        find_openssl(result)
    return result


#: Calls between our files and into libraries made cheaper, where the compiler
#: can: the first of a row that works. Together: 1.6 % of a request.
CHEAPER_CALLS = [
    ["-flto=auto", "-flto"],
    ["-fno-plt"],
    ["-fno-semantic-interposition"],
]


def extension_flags():
    """What the extensions are compiled with."""
    result = flags()
    check_python()
    if switch("WSGIBENCH_SANITIZE"):
        return result
    for row in CHEAPER_CALLS:
        for one in row:
            if links(EMPTY, ["-O2", "-Werror", one], [])[0]:
                result.add([one], [one])
                break
    return result


def sources(*folders):
    """The C files below csrc's folders."""
    return sorted(
        os.path.relpath(path, ROOT)
        for folder in folders
        for path in glob(
            os.path.join(ROOT, "csrc", folder, "**", "*.c"), recursive=True
        )
    )


#: C type of a configuration's field -> its kind in csrc/cpython/keywords.c
KINDS = {
    "int": "INT",
    "uint8_t": "U8",
    "uint32_t": "U32",
    "uint64_t": "U64",
    "const char *": "TEXT",
}


def write_fields():
    """The fields of the core's and the generator's configuration, from their
    public headers, for the C API binding. (cffi reads the headers itself.)"""
    write_fields_of("wsgibench.h", "wb_config", "config_fields.h")
    write_fields_of("wsgibench_load.h", "wl_config", "load_fields.h")


def write_fields_of(header, struct, made):
    folder = os.path.join(ROOT, "csrc")
    with open(os.path.join(folder, "include", header)) as file:
        text = file.read()
    text = text[text.index("typedef struct %s {" % struct) :]
    text = text[text.index("{") + 1 : text.index("} %s;" % struct)]
    lines = ["/* Made by setup_native.py from include/%s. */\n" % header]
    for field in re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split(";"):
        first, *others = field.strip().split(",")
        kind, name = re.fullmatch(r"(.*?)(\w*)", first).groups()
        for one in [name, *(other.strip(" *") for other in others)]:
            if one and one != "listen_fd":
                lines.append("FIELD(%s, %s)\n" % (one, KINDS[kind.strip()]))
    path = os.path.join(folder, "cpython", made)
    made = "".join(lines)
    if not os.path.exists(path) or open(path).read() != made:
        with open(path, "w") as file:
            file.write(made)


def headers():
    return sorted(
        os.path.relpath(path, ROOT)
        for path in glob(
            os.path.join(ROOT, "csrc", "**", "*.h"), recursive=True
        )
    )


def find_openssl(flags):
    """For TLS: its headers; the library is opened when a certificate or an
    https URL asks for it. Left out where it is not."""
    for name, compile_args, _ in rungs("ssl", "openssl"):
        if links(OPENSSL, compile_args, ["-ldl"])[0]:
            print("wsgibench: OpenSSL's headers from %s" % name)
            flags.add([*compile_args, "-DWB_OPENSSL"], ["-ldl"])
            return
    print("wsgibench: no OpenSSL: server and load generator go without TLS")


def wanted():
    choice = os.environ.get("WSGIBENCH_NATIVE", "require")
    if choice not in ("require", "none"):
        raise SystemExit(
            "WSGIBENCH_NATIVE must be require or none, not %r." % choice
        )
    return choice == "require"


def is_pypy():
    return sys.implementation.name == "pypy"
