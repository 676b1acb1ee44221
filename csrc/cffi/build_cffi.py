"""The cffi binding, in API mode: what PyPy uses, and CPython in tests.

The declarations are the public headers' own text between their two cdef
markers, so there is nothing to keep in step. setup.py calls ``ffibuilder``.
"""

import os
import sys

from cffi import FFI

ROOT = os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
)
sys.path.insert(0, ROOT)

import setup_native  # noqa: E402  (it lies beside setup.py)

HEADERS = ("wsgibench.h", "wsgibench_load.h")


def declarations(header):
    path = os.path.join(ROOT, "csrc", "include", header)
    with open(path) as file:
        text = file.read()
    begin = text.index("/* cdef: begin */")
    return text[begin : text.index("/* cdef: end */")]


def ffibuilder():
    flags = setup_native.extension_flags()
    builder = FFI()
    for header in HEADERS:
        builder.cdef(declarations(header))
    builder.set_source(
        "wsgibench.native._cffi",
        "".join('#include "%s"\n' % header for header in HEADERS),
        sources=setup_native.sources(*setup_native.PLAIN),
        extra_compile_args=[
            flag for flag in flags.compile if flag != "-Wpedantic"
        ],
        extra_link_args=flags.link,
    )
    return builder
