"""One C core, two bindings: the C API on CPython, cffi on PyPy."""

import os
import sys

from setuptools import Extension, setup

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import setup_native


def extensions():
    """The C API extension of CPython."""
    if not setup_native.wanted() or setup_native.is_pypy():
        return []
    flags = setup_native.flags()
    if setup_native.switch("WSGIBENCH_DEV"):
        # PyType_Slot holds functions as void *: POSIX allows it, ISO C not.
        flags.compile.append("-Wno-pedantic")
    return [
        Extension(
            "wsgibench.native._capi",
            setup_native.sources("core", "load", "cpython"),
            extra_compile_args=flags.compile,
            extra_link_args=flags.link,
            depends=setup_native.headers(),
        )
    ]


def cffi_modules():
    """PyPy's only binding; on CPython so that its tests can run there."""
    if not setup_native.wanted():
        return []
    if setup_native.is_pypy() or setup_native.switch("WSGIBENCH_CFFI"):
        return ["csrc/cffi/build_cffi.py:ffibuilder"]
    return []


arguments = {"ext_modules": extensions()}
if cffi_modules():
    arguments["cffi_modules"] = cffi_modules()
    arguments["setup_requires"] = ["cffi>=1.15"]
setup(**arguments)
