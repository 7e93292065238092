"""KDEF's names, regular and not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.kdef import KDEF, Angle
from fer_lightning.errors import UserError
from tests.helpers.layouts import kdef
from tests.helpers.layouts.pictures import touch


def test_is_a_structured_config_with_angles_by_name() -> None:
    config = OmegaConf.merge(OmegaConf.structured(KDEF), {"angles": ["S", "HL"]})
    corpus = OmegaConf.to_object(config)
    assert corpus == KDEF(angles=[Angle.S, Angle.HL])
    assert corpus.source_settings() == {"angles": ["S", "HL"]}


def test_one_person_is_one_subject_in_both_sessions(tmp_path: Path) -> None:
    rows = KDEF(root=touch(tmp_path, ["AF01/AF01ANS.JPG", "BF01/bf01safl.jpg"])).rows()
    assert rows == [
        SourceRow(path="AF01/AF01ANS.JPG", emotion="anger", subject="F01"),
        SourceRow(path="BF01/bf01safl.jpg", emotion="sadness", subject="F01"),
    ]


def test_counts_of_the_whole_dataset(tmp_path: Path) -> None:
    root = touch(tmp_path, kdef.names())
    rows = KDEF(root=root).rows()
    classes = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    assert Counter(row.emotion for row in rows) == dict.fromkeys(classes, 700)
    assert Counter(row.subject for row in rows) == {
        f"{gender}{number:02d}": 70 for gender in "FM" for number in range(1, 36)
    }
    straight = KDEF(root=root, angles=[Angle.S]).rows()
    assert len(straight) == 980
    assert all(row.path.endswith("S.JPG") for row in straight)


def test_irregular_names_are_counted(tmp_path: Path) -> None:
    strange = ["AF31/AF31V.JPG", "AM31/AM31H.JPG", "AF01/AF01XXS.JPG", "AKDEF/FAFFL.JPG"]
    rows = KDEF(root=touch(kdef.build(tmp_path), strange), angles=[Angle.S]).rows()
    assert sorted(row.path for row in rows if row.unusable == "misnamed") == sorted(strange)
    assert sum(row.unusable is None for row in rows) == 28


def test_images_are_decoded(tmp_path: Path) -> None:
    corpus = KDEF(root=kdef.build(tmp_path))
    assert corpus.load(corpus.rows()[0]).shape == (96, 96, 3)


def test_an_angle_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.angles=\[FL\]: none of the images"):
        KDEF(root=touch(tmp_path, ["AF01ANS.JPG", "odd.jpg"]), angles=[Angle.FL]).rows()


@pytest.mark.parametrize("angles", [[], [Angle.S, Angle.S]])
def test_a_wrong_selection_names_the_key_and_the_choices(angles: list[Angle]) -> None:
    with pytest.raises(UserError, match=r"data\.angles=\[.*give one or more of \[FL,HL,S,HR,FR\]"):
        KDEF(angles=angles)
