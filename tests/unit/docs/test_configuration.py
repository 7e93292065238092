"""The configuration reference holds every key, and says of each what it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

from fer_lightning.config.registration import JOB_SCHEMAS
from fer_lightning.config.study import Study
from fer_lightning.launchers.pool import PoolConfig
from fer_lightning.registry import REGISTRIES

SCHEMAS = [*JOB_SCHEMAS.values(), PoolConfig]
SCHEMAS += [r.load(name) for r in REGISTRIES for name in r.builtin]


@pytest.fixture(scope="module")
def hook(load_hook: Callable[[str], ModuleType]) -> ModuleType:
    return load_hook("configuration")


def nested(schema: type[Any]) -> Iterator[type[Any]]:
    """A dataclass, and those that its fields hold."""
    yield schema
    hints = get_type_hints(schema)
    for hint in (hints[field.name] for field in fields(schema)):
        for part in (hint, *get_args(hint)):
            if isinstance(part, type) and is_dataclass(part):
                yield from nested(part)


EVERY = sorted({s for schema in SCHEMAS for s in nested(schema)}, key=lambda s: s.__qualname__)


@pytest.mark.parametrize("schema", EVERY, ids=lambda s: s.__qualname__)
def test_every_field_is_described_and_listed(hook: ModuleType, schema: type[Any]) -> None:
    page, meanings, hints = hook.reference(), hook.descriptions(schema), get_type_hints(schema)
    for field in fields(schema):
        if field.name in ("name", "_target_") and schema is not Study:
            continue  # the choice itself
        meaning = meanings.get(field.name)
        assert meaning, f"{schema.__qualname__}.{field.name} is not described"
        name = re.escape(hook.TYPED.get(field.name, field.name))
        if is_dataclass(hints[field.name]) and hints[field.name] not in hook.GROUPS:
            assert re.search(rf"^\| `([\w.]+\.)?{name}\.", page, re.MULTILINE)  # its own keys
            continue
        meaning = re.escape(meaning.replace("|", "\\|"))
        row = rf"^\| `([\w.]+\.)?{name}` \| .+ \| .+ \| {meaning}( \*Not in the hash\.\*)? \|$"
        assert re.search(row, page, re.MULTILINE), f"{schema.__qualname__}.{field.name} is missing"


def test_rows_state_key_values_default_and_meaning(hook: ModuleType) -> None:
    page = hook.reference()
    for row in (
        "| `image_size` | integer | `64` | Side of the square crops in pixels. |",
        "| `data` | [data](#data) | `drawn` | The corpus, and how it is split and fed. |",
        "| `fit` | [data](#data) | `drawn` | Faces that the classifier is fitted to. |",
        "| `test` | [data](#data) | `null` | Other faces",
        "| `model.prior` | `normal`, `uniform` | `normal` | "
        "Distribution of z: N(0, I), or uniform on [-1, 1]. |",
        "| `run` | path | required | Run folder of the model. |",
        "| `trainer.progress` | `true`, `false` | `true` | "
        "Show a progress bar. *Not in the hash.* |",
        "| `logger.project` | text | `fer_lightning` | W&B project. *Not in the hash.* |",
        "| `study.stages.NAME.job` | text | required | "
        "`prepare`, `train`, `evaluate`, `generate` or `probe`. |",
    ):
        assert row in page


def test_what_a_choice_changes_is_shown_beside_what_all_share(hook: ModuleType) -> None:
    page = hook.reference()
    whole_image = page.partition("### detector=whole_image")[2].partition("\n## ")[0]
    assert "| `detector.margin` | number | `0.0` |" in whole_image
    assert "detector.square" not in whole_image
    fer2013 = page.partition("### data=fer2013")[2].partition("\n### ")[0]
    assert "scheme: official" in fer2013


def test_only_its_page_gets_the_reference(hook: ModuleType) -> None:
    class Page:
        def __init__(self, uri: str) -> None:
            self.file = type("File", (), {"src_uri": uri})

    assert hook.on_page_markdown("x", Page("index.md")) == "x"
    assert "## Jobs" in hook.on_page_markdown("x", Page(hook.PAGE))
