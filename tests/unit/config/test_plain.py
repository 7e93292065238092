"""Typed configuration as plain data, and what identifies an experiment."""

from __future__ import annotations

from pathlib import Path

import yaml

from fer_lightning.config.plain import flatten, from_plain, identity, to_plain
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.models.cgan.config import CGANConfig, Prior
from fer_lightning.registry import corpora, models


def test_plain_data_survives_yaml_and_comes_back() -> None:
    config = CGANConfig(latent_dim=9, prior=Prior.uniform)
    assert from_plain(models, yaml.safe_load(yaml.safe_dump(to_plain(config)))) == config


def test_paths_and_mappings_come_back() -> None:
    corpus = Folder(root=Path("a b"), labels={"joyful": "happiness"}, extra=[Path("x")])
    assert from_plain(corpora, to_plain(corpus)) == corpus


def test_identity_ignores_paths_and_keeps_choices() -> None:
    one = identity(Folder(root=Path("here"), extra=[Path("x")], archive=Path("y")))
    two = identity(Folder(root=Path("there")))
    assert one == two
    assert identity(Folder(batch_size=7)) != two


def test_flatten_names_leaves_by_dotted_key() -> None:
    assert dict(flatten({"a": {"b": 1, "c": {}}, "d": 2})) == {"a.b": 1, "a.c": {}, "d": 2}
