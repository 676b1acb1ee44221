"""Both bindings are one to those above them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wsgibench import __version__, native
from wsgibench.errors import UsageError
from wsgibench.native.contract import NAMES, CoreServer
from wsgibench.native.settings import SETTINGS, to_core

METHODS = [name for name in vars(CoreServer) if not name.startswith("_")]


def test_names_and_methods(binding: str) -> None:
    module = native.binding(binding)
    assert [name for name in NAMES if not hasattr(module, name)] == []
    found = module.CoreServer
    assert [name for name in METHODS if not hasattr(found, name)] == []
    assert binding == module.BINDING
    assert module.VERSIONS.startswith("wsgibench %s, libuv " % __version__)


def test_every_method_is_called() -> None:
    folder = Path(native.__file__).parent
    callers = [
        path
        for path in folder.parent.rglob("*.py")
        if not path.name.startswith("cffi_") and path.name != "contract.py"
    ]
    text = "".join(path.read_text() for path in callers)
    called = re.findall(r"\bcore\.(\w+)", text)
    assert [name for name in METHODS if name not in called] == []


def test_every_setting_is_a_field_of_the_core(binding: str) -> None:
    defaults = native.binding(binding).DEFAULTS
    assert [s.core for s in SETTINGS if s.core not in defaults] == []


def test_every_setting_is_documented() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    text = "".join(page.read_text() for page in docs.glob("*.md"))
    assert [s.name for s in SETTINGS if s.name not in text] == []


def test_deadlines_and_limits_are_on_by_default(binding: str) -> None:
    defaults = native.binding(binding).DEFAULTS
    for name in (
        "head_timeout",
        "body_timeout",
        "idle_timeout",
        "write_timeout",
        "max_head",
        "max_line",
        "max_fields",
        "body_memory",
        "body_memory_all",
    ):
        assert defaults[name] > 0, name


def test_bindings_agree_on_defaults() -> None:
    usable = [name for name, why in native.importable().items() if not why]
    found = [native.binding(name).DEFAULTS for name in usable]
    assert all(defaults == found[0] for defaults in found)


def test_seconds_become_milliseconds() -> None:
    assert to_core({"head_timeout": 1.5, "max_head": 9}) == {
        "head_timeout": 1500,
        "max_head": 9,
    }


@pytest.mark.parametrize(
    "settings", [{"head_timout": 1}, {"head_timeout": -1}]
)
def test_wrong_settings_are_told(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="head_tim"):
        to_core(settings)


def test_unknown_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGIBENCH_BACKEND", "jython")
    with pytest.raises(UsageError, match="jython"):
        native.preferred()


def test_a_missing_binding_names_every_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = {"capi": "wsgibench.native._no", "cffi": "wsgibench.native._nor"}
    monkeypatch.setattr(native, "BINDINGS", missing)
    native.binding.cache_clear()
    with pytest.raises(native.NotBuiltError) as caught:
        native.binding("capi")
    native.binding.cache_clear()
    assert "capi: " in str(caught.value)
    assert "cffi: " in str(caught.value)
