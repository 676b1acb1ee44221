"""EXTRA,EXTRA: prints what pyproject.toml requires with them, a line each, so
that it can be installed beside the package itself."""

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

text = (Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8")
project = tomllib.loads(text)["project"]
found = list(project["dependencies"])
for extra in sys.argv[1].split(","):
    found += project["optional-dependencies"][extra]
print("\n".join(found))
