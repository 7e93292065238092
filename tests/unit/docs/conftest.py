"""Hooks of the documentation, which are modules outside the package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def load_hook() -> Iterator[Callable[[str], ModuleType]]:
    """Loads a hook by the name of its file."""
    loaded = []

    def load(name: str) -> ModuleType:
        path = REPOSITORY / "docs" / "hooks" / f"{name}.py"
        spec = spec_from_file_location(f"hook_{name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        loaded.append(spec.name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in loaded:
        del sys.modules[name]
