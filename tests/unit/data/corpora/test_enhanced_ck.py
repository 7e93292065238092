"""The stand-in for the Enhanced Cohn-Kanade: what it takes of CK+ and what it says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_lightning.data.corpora.enhanced_ck import EnhancedCK
from fer_lightning.errors import UserError
from tests.helpers.layouts import ck_plus
from tests.helpers.layouts.pictures import write


def test_it_says_what_it_stands_for() -> None:
    assert EnhancedCK().name == "enhanced_ck"
    assert "stand in for the RPI ISL Enhanced Cohn-Kanade" in EnhancedCK.remark
    assert "in place of" in EnhancedCK.facts.title


def test_one_coded_peak_a_sequence(tmp_path: Path) -> None:
    rows = EnhancedCK(root=ck_plus.whole(tmp_path)).rows()
    assert len(rows) == 593
    assert all(row.action_units[12] == 2 for row in rows)
    assert sum(row.emotion is not None for row in rows) == 327
    assert not any(row.emotion == "neutral" for row in rows)


def test_emotion_files_are_not_needed_but_facs_files_are(tmp_path: Path) -> None:
    write(tmp_path, ck_plus.sequence(5, 1, code=1))
    with pytest.raises(UserError, match=r"no labels of CK\+ peaks.*S005_001_00000011_facs\.txt"):
        EnhancedCK(root=tmp_path).rows()
    write(tmp_path, ck_plus.sequence(5, 2, facs=[(4, 1)]))
    (row,) = EnhancedCK(root=tmp_path).rows()
    assert (row.emotion, row.action_units[4]) == (None, 1)


def test_its_description_stands_alone() -> None:
    text = EnhancedCK.__doc__ or ""
    assert "As there" not in text
    for part in ("_facs.txt", "_emotion.txt", "data.root", "misnamed", "neutral:", "peak_frames:"):
        assert part in text
