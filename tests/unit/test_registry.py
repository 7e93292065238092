"""Registries: lazy, greppable, open to third parties."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fer_lightning import registry
from fer_lightning.errors import UserError


@pytest.mark.parametrize("known", [registry.corpora, registry.detectors, registry.models])
def test_every_name_leads_to_a_class_of_that_name(known: registry.Registry) -> None:
    for name in known.names():
        assert known.load(name)().name == name


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'fer2013'"):
        registry.corpora.load("fer2012")


def test_third_parties_are_found_with_their_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = tmp_path / "theirs-2.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 2.1\n")
    (information / "entry_points.txt").write_text(
        "[fer_lightning.corpora]\nstripes = json:JSONDecoder\ndrawn = json:JSONEncoder\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    known = registry.Registry("corpora", "data", {"drawn": "json:JSONDecodeError"})
    assert known.names() == ["drawn", "stripes"]
    assert known.packages == {"stripes": "theirs 2.1"}
    assert known.load("stripes").__name__ == "JSONDecoder"
    assert known.load("drawn").__name__ == "JSONDecodeError"  # ours win


def test_configuration_needs_no_torch() -> None:
    code = (
        "import sys; from fer_lightning.config import compose, launch; launch.register(); "
        "assert not {'torch', 'lightning', 'pyarrow', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
