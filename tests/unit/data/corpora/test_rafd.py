"""RaFD's names, selections and action units."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.rafd import Gaze, Group, RaFD
from fer_lightning.errors import UserError
from tests.helpers.layouts import rafd
from tests.helpers.layouts.pictures import touch


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return touch(tmp_path_factory.mktemp("rafd"), rafd.names())


def test_is_a_structured_config_with_choices_by_name() -> None:
    chosen: dict[str, Any] = {"cameras": [90], "gazes": ["frontal"], "groups": ["Kid"]}
    corpus = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(RaFD), chosen))
    assert corpus == RaFD(cameras=[90], gazes=[Gaze.frontal], groups=[Group.Kid])
    assert corpus.source_settings() == chosen


def test_names_say_all(tmp_path: Path) -> None:
    names = [
        "Rafd045_12_Kid_male_contemptuous_left.jpg",
        "Rafd090_01_Caucasian_female_angry_frontal.jpg",
    ]
    contempt, anger = RaFD(root=touch(tmp_path, names)).rows()
    assert (contempt.emotion, contempt.subject) == ("contempt", "12")
    assert anger == SourceRow(
        path=names[1],
        emotion="anger",
        subject="01",
        action_units={1: 0, 2: 0, 4: 1, 5: 1, 6: 0, 7: 1, 9: 0, 12: 0, 15: 0, 17: 1, 23: 1, 24: 1,
                      25: 0, 27: 0},
    )  # fmt: skip


def test_the_whole_dataset_and_the_selections_of_paper_d(whole: Path) -> None:
    rows = RaFD(root=whole).rows()
    assert len(rows) == 8040
    assert len(Counter(row.emotion for row in rows)) == 8
    assert set(Counter(row.emotion for row in rows).values()) == {1005}
    assert set(Counter(row.subject for row in rows).values()) == {120}
    frontal = RaFD(root=whole, cameras=[90]).rows()
    assert len(frontal) == 1608
    positives = Counter(u for row in frontal for u, value in row.action_units.items() if value)
    assert positives == {  # Table VI
        1: 603, 2: 402, 4: 402, 5: 603, 6: 201, 7: 201, 9: 201, 12: 402, 15: 603, 17: 603, 23: 201,
        24: 201, 25: 804, 27: 201,
    }  # fmt: skip
    multi_view = RaFD(root=whole, gazes=[Gaze.frontal]).rows()
    assert len(multi_view) == 2680
    assert {path.split("_")[0][-3:] for path in (row.path for row in multi_view)} == {
        "000",
        "045",
        "090",
        "135",
        "180",
    }


def test_groups(whole: Path) -> None:
    assert len(RaFD(root=whole, groups=[Group.Kid], cameras=[90]).rows()) == 10 * 24
    adults = [Group.Caucasian, Group.Moroccan]
    assert len(RaFD(root=whole, groups=adults, cameras=[0]).rows()) == 57 * 24


def test_images_are_decoded_and_others_counted(tmp_path: Path) -> None:
    strange = ["Rafd090_01_Caucasian_female_bored_frontal.jpg", "Rafd060_1_Kid_male_sad_left.jpg"]
    corpus = RaFD(root=touch(rafd.build(tmp_path, people=1), strange))
    rows = corpus.rows()
    assert [row.path for row in rows if row.unusable == "misnamed"] == sorted(strange)
    assert corpus.load(next(row for row in rows if not row.unusable)).shape == (96, 96, 3)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"cameras": [60]}, r"data\.cameras=\[60\]: give one or more of \[0,45,90,135,180\]"),
        ({"gazes": []}, r"data\.gazes=\[\]: give one or more of \[frontal,left,right\]"),
        ({"groups": [Group.Kid] * 2}, r"data\.groups=\[Kid,Kid\]: .*each once"),
    ],
)
def test_a_wrong_selection_names_the_key_and_the_choices(
    keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        RaFD(**keys)


def test_a_selection_that_leaves_nothing_is_an_error(tmp_path: Path) -> None:
    corpus = RaFD(root=rafd.build(tmp_path, people=1), cameras=[180])
    with pytest.raises(UserError, match=r"data\.cameras=\[180\], data\.gazes=\[frontal,left,right"):
        corpus.rows()
