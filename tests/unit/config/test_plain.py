"""Typed configuration as plain data, and what identifies an experiment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from fer_lightning.config.plain import LATER, flatten, from_plain, identity, to_plain
from fer_lightning.data.corpora.combined import Combined
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.detectors.base import Background
from fer_lightning.detectors.mtcnn import MTCNNConfig
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.config import Prior
from fer_lightning.registry import corpora, models


def test_plain_data_survives_yaml_and_comes_back() -> None:
    config = CGANConfig(latent_dim=9, prior=Prior.uniform)
    assert from_plain(models, yaml.safe_load(yaml.safe_dump(to_plain(config)))) == config


def test_paths_and_mappings_come_back() -> None:
    corpus = Folder(root=Path("a b"), labels={"joyful": "happiness"}, extra=[Path("x")])
    assert from_plain(corpora, to_plain(corpus)) == corpus


def test_parts_of_a_combined_corpus_come_back_and_their_paths_are_no_identity() -> None:
    def combined(count: int, root: str) -> Combined:
        folder = Folder(root=Path(root), labels={"q": "fear"})
        return Combined(parts={"a": Drawn(count=count), "b": folder})

    corpus = combined(5, "x")
    assert from_plain(corpora, yaml.safe_load(yaml.safe_dump(to_plain(corpus)))) == corpus
    assert identity(combined(5, "y")) == identity(corpus)
    assert identity(combined(6, "x")) != identity(corpus)


def test_identity_ignores_paths_and_keeps_choices() -> None:
    one = identity(Folder(root=Path("here"), extra=[Path("x")], archive=Path("y")))
    two = identity(Folder(root=Path("there")))
    assert one == two
    assert identity(Folder(batch_size=7)) != two


def test_flatten_names_leaves_by_dotted_key() -> None:
    assert dict(flatten({"a": {"b": 1, "c": {}}, "d": 2})) == {"a.b": 1, "a.c": {}, "d": 2}


@dataclass
class Grown:
    first: int = 1
    second: str = field(default="as before", metadata=LATER)


def test_a_later_key_names_a_result_only_where_it_was_changed() -> None:
    assert identity(Grown()) == {"first": 1}
    assert identity(Grown(second="new")) == {"first": 1, "second": "new"}
    assert to_plain(Grown()) == {"first": 1, "second": "as before"}


def test_crops_with_a_background_keep_the_name_that_they_had_without_the_key() -> None:
    assert "background" not in identity(MTCNNConfig())
    assert identity(MTCNNConfig(background=Background.hull))["background"] == "hull"
