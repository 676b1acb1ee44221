"""The installed wsgibench as a wheel again, so that an environment of the
same interpreter gets it without a compiler.

The form: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sysconfig
import zipfile
from importlib import metadata
from pathlib import Path

from wsgibench.harness.interpreters import Interpreter

#: pip writes these itself, for each installation.
OF_PIP = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


#: The ABI is in it: ".cpython-313t-x86_64-linux-gnu.so".
SUFFIX = "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"


def fits(interpreter: Interpreter) -> bool:
    """Do extension modules of the running interpreter run there?"""
    asked = subprocess.run(
        [interpreter.path, "-c", SUFFIX],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    own: str = sysconfig.get_config_var("EXT_SUFFIX")
    return asked.stdout.strip() == own


def wheel(installed: metadata.Distribution, folder: Path) -> Path:
    """The wheel's path; made anew each time, it takes milliseconds."""
    text = installed.read_text("WHEEL") or ""
    tags = [
        line.partition(":")[2].strip()
        for line in text.splitlines()
        if line.startswith("Tag:")
    ]
    name = "wsgibench-%s-%s.whl" % (installed.version, tags[0])
    folder.mkdir(parents=True, exist_ok=True)
    making = folder / (name + ".making")
    record = io.StringIO()
    lines = csv.writer(record, lineterminator="\n")
    information = "wsgibench-%s.dist-info" % installed.version
    with zipfile.ZipFile(making, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in installed.files or []:
            if ".." in path.parts or "__pycache__" in path.parts:
                continue  # scripts and bytecode: pip makes them
            if path.parts[0] == information and path.name in OF_PIP:
                continue
            data = path.read_binary()
            digest = hashlib.sha256(data).digest()
            sum_ = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            archive.writestr(path.as_posix(), data)
            lines.writerow([path.as_posix(), "sha256=" + sum_, len(data)])
        lines.writerow([information + "/RECORD", "", ""])
        archive.writestr(information + "/RECORD", record.getvalue())
    made = folder / name
    making.replace(made)
    return made
