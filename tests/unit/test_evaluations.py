"""Measurements are found again, and damaged ones are not believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_lightning.errors import UserError
from fer_lightning.evaluations import finished


def test_what_was_measured_is_found(tmp_path: Path) -> None:
    path = tmp_path / "probe.json"
    assert finished(path) is None
    content = {"metrics": {"probe_auc": 0.5}, "protocol": {}}
    path.write_text(json.dumps(content))
    assert finished(path) == content


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"metrics": {}}', "\x00"])
def test_a_damaged_file_names_the_remedy(text: str, tmp_path: Path) -> None:
    path = tmp_path / "probe.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"probe\.json is damaged \(.*: delete it, or pass force"):
        finished(path)
