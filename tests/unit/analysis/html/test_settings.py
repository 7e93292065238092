"""Configurations of runs side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_lightning.analysis.html.settings import settings_of
from fer_lightning.errors import UserError


def test_what_all_share_stands_once(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("model: {width: 8, lr: 0.1}\nseed: 0\n")
    found = settings_of(
        [(tmp_path, {"arm": "a"}), (None, {"seed": 0, "arm": "b", "model.lr": 0.1})]
    )
    assert found["common"] == {"seed": "0", "model.lr": "0.1"}
    assert found["keys"] == ["arm", "model.width"]
    runs = [{k: found["values"][v] for k, v in run.items()} for run in found["runs"]]
    assert runs == [{"0": "a", "1": "8"}, {"0": "b"}]


def test_folders_of_the_machine_stay_off_the_page(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "data: {root: /home/zoe/fer2013, extra: [/home/zoe/made, near], url: https://a.org/b}\n"
    )
    assert settings_of([(tmp_path, {})])["common"] == {
        "data.root": "…/fer2013",
        "data.extra": '["…/made", "near"]',
        "data.url": "https://a.org/b",
    }


def test_a_damaged_configuration_is_named(tmp_path: Path) -> None:
    for text in ("a: [", "- 1\n"):
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(UserError, match=r"config\.yaml is damaged"):
            settings_of([(tmp_path, {})])
