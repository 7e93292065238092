"""The folder corpus: layouts, labels and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf
from PIL import Image

from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 4), 9).save(root / path, "PNG")


def test_is_a_structured_config() -> None:
    config = Folder(labels={"Fröhlich, sehr": "happiness", 8: None})
    assert OmegaConf.to_object(OmegaConf.structured(config)) == config
    merged = OmegaConf.merge(OmegaConf.structured(Folder), {"labels": {"a b": "fear", -1: None}})
    assert merged.labels == {"a b": "fear", -1: None}


def test_a_folder_a_class_walks_below_and_skips_what_is_hidden(tmp_path: Path) -> None:
    put(tmp_path, "Happy/b 1.png", "Happy/a,ü.png", "Happy/x/c.png", "sadness/d.png")
    put(tmp_path, "Happy/.hidden.png", "Happy/.cache/e.png", ".git/f.png", "loose.png")
    (tmp_path / "sadness" / "notes.txt").write_text("no image")
    corpus = Folder(root=tmp_path)
    rows = corpus.rows()
    assert [(row.path, row.emotion, row.split) for row in rows] == [
        ("Happy/a,ü.png", "happiness", None),
        ("Happy/b 1.png", "happiness", None),
        ("Happy/x/c.png", "happiness", None),
        ("sadness/d.png", "sadness", None),
        ("sadness/notes.txt", "sadness", None),
    ]
    assert corpus.load(rows[0]).shape == (4, 5, 3)
    with pytest.raises(UnusableImage, match="unreadable"):
        corpus.load(rows[-1])
    assert corpus.files(rows) == sorted(tmp_path / row.path for row in rows)


def test_split_folders_are_the_official_split(tmp_path: Path) -> None:
    put(tmp_path, "Train/happy/a.png", "valid/happy/b.png", "validation/sad/c.png")
    put(tmp_path, "test/sad/d.png", "test/unlabelled.png")
    assert [(row.path, row.split) for row in Folder(root=tmp_path).rows()] == [
        ("Train/happy/a.png", "train"),
        ("test/sad/d.png", "test"),
        ("valid/happy/b.png", "val"),
        ("validation/sad/c.png", "val"),
    ]


def test_labels_and_codes_name_the_folders(tmp_path: Path) -> None:
    put(tmp_path, "1/a.png", "yay/b.png", "rest/c.png")
    corpus = Folder(root=tmp_path, labels={"yay": "happiness", "rest": None}, codes="raf_db")
    assert [(row.path, row.emotion) for row in corpus.rows()] == [
        ("1/a.png", "surprise"),
        ("yay/b.png", "happiness"),
    ]


def test_an_unknown_class_folder_is_named_with_the_remedy(tmp_path: Path) -> None:
    put(tmp_path, "happy/a.png", "grumpy/b.png", "grumpy/c.png")
    with pytest.raises(UserError, match=r"'grumpy' \(2\).*data\.labels\.grumpy=happiness"):
        Folder(root=tmp_path).rows()


def test_a_folder_beside_the_splits_is_refused_unless_skipped(tmp_path: Path) -> None:
    put(tmp_path, "train/happy/a.png", "masks/b.png")
    with pytest.raises(UserError, match=r"masks.*data\.labels\.masks=null"):
        Folder(root=tmp_path).rows()
    assert len(Folder(root=tmp_path, labels={"masks": None}).rows()) == 1


def test_no_class_folders_says_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.root=.*found nothing"):
        Folder(root=tmp_path).rows()
    put(tmp_path, *(f"{i}.png" for i in range(10)))
    with pytest.raises(UserError, match=r"found 0\.png, .* and 2 more"):
        Folder(root=tmp_path).rows()


def test_settings_are_checked_when_they_are_made() -> None:
    with pytest.raises(UserError, match=r"data\.labels\.a=joyous"):
        Folder(labels={"a": "joyous"})
    with pytest.raises(UserError, match=r"data\.codes=fer"):
        Folder(codes="fer")
    with pytest.raises(UserError, match=r"data\.root"):
        Folder().rows()
