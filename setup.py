"""One C core, two bindings: the C API on CPython, cffi on PyPy."""

import os
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import setup_native


def extensions():
    """The C API extension of CPython."""
    if not setup_native.wanted() or setup_native.is_pypy():
        return []
    setup_native.write_fields()
    flags = setup_native.extension_flags()
    if setup_native.switch("WSGIBENCH_DEV"):
        # PyType_Slot holds functions as void *: POSIX allows it, ISO C not.
        flags.compile.append("-Wno-pedantic")
    return [
        Extension(
            "wsgibench.native._capi",
            setup_native.sources(*setup_native.PLAIN, "cpython"),
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


class BuildAnew(build_ext):
    """What was compiled with other flags (a switch was set) is compiled
    again: setuptools compares times only."""

    def run(self):
        lines = sorted(
            "%s %s %s"
            % (one.name, one.extra_compile_args, one.extra_link_args)
            for one in self.extensions or []
        )
        made_with = Path(self.build_temp, "flags.txt")
        text = "\n".join(lines) + "\n"
        if not made_with.exists() or made_with.read_text() != text:
            self.force = True
        super().run()
        made_with.parent.mkdir(parents=True, exist_ok=True)
        made_with.write_text(text)


class BuildWithBenchmarks(build_py):
    """The installed package brings the suites and the pinned versions, which
    stand outside of it."""

    KEPT = ("suites/*.toml", "pins/*.json")

    def run(self):
        if getattr(self, "editable_mode", False):
            super().run()
            return  # it is all there
        # What an earlier build left is no part of this one.
        package = Path(self.build_lib, "wsgibench")
        shutil.rmtree(package, ignore_errors=True)
        super().run()
        root = Path(setup_native.ROOT, "benchmarks")
        target = package / "_benchmarks"
        for pattern in self.KEPT:
            for path in sorted(root.glob(pattern)):
                copy = target / path.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


arguments = {
    "ext_modules": extensions(),
    "cmdclass": {"build_ext": BuildAnew, "build_py": BuildWithBenchmarks},
}
if cffi_modules():
    arguments["cffi_modules"] = cffi_modules()
    arguments["setup_requires"] = ["cffi>=1.15"]
setup(**arguments)
