"""Oulu-CASIA: conditions, wrappers, and which frames carry the label."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.oulu_casia import Camera, Labelled, Light, OuluCASIA
from fer_lightning.errors import UserError
from tests.helpers.layouts import oulu_casia
from tests.helpers.layouts.pictures import touch

CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")


def test_is_a_structured_config_with_paper_c_by_default() -> None:
    corpus = OmegaConf.to_object(OmegaConf.structured(OuluCASIA))
    assert corpus == OuluCASIA()
    assert corpus.source_settings() == {
        "cameras": ["VL"],
        "lights": ["Strong"],
        "labelled": "all",
        "neutral": False,
    }


@pytest.mark.parametrize(
    "wrapper", ["", "OriginalImg/", "B_OriginalImg/OriginalImg/", "B/B_OriginalImg/OriginalImg/"]
)
def test_wrappers(tmp_path: Path, wrapper: str) -> None:
    root = oulu_casia.build(tmp_path, wrapper=wrapper)
    corpus = OuluCASIA(root=root)
    rows = corpus.rows()
    path = f"{wrapper}VL/Strong/P001/Anger/000.jpeg"
    assert rows[0] == SourceRow(path=path, emotion="anger", subject="P001")
    assert Counter(row.emotion for row in rows) == dict.fromkeys(CLASSES, 6)
    assert corpus.load(rows[0]).shape == (96, 96, 3)


@pytest.mark.parametrize("second", ["B_OriginalImg/", "B_OriginalImg/OriginalImg/"])
def test_cropped_faces_beside_whole_images_are_refused(tmp_path: Path, second: str) -> None:
    for wrapper in ("A_Cropped/", second):
        touch(tmp_path, [f"{wrapper}VL/Strong/P001/Anger/000.jpeg"])
    with pytest.raises(UserError, match=r"more than once.*A_Cropped.*B_OriginalImg"):
        OuluCASIA(root=tmp_path).rows()


def test_each_condition_has_480_sequences(tmp_path: Path) -> None:
    for condition in oulu_casia.CONDITIONS:
        touch(tmp_path, oulu_casia.names(condition))
        camera, light = condition.split("/")
        rows = OuluCASIA(root=tmp_path, cameras=[Camera[camera]], lights=[Light[light]]).rows()
        assert Counter(row.emotion for row in rows) == dict.fromkeys(CLASSES, 80)
        assert {row.path.rpartition("/P")[0] for row in rows} == {condition}
        assert len({row.subject for row in rows}) == 80
    every = OuluCASIA(root=tmp_path, cameras=list(Camera), lights=list(Light)).rows()
    assert len(every) == 6 * 480


@pytest.mark.parametrize(
    ("keys", "frames", "emotions"),
    [
        ({}, 7, {"anger": [0, 1, 2, 3, 4, 5, 6]}),
        ({"labelled": Labelled.last_third}, 7, {"anger": [5, 6]}),
        ({"labelled": Labelled.last_third}, 2, {"anger": [1]}),
        ({"labelled": Labelled.last}, 7, {"anger": [6]}),
        ({"neutral": True}, 4, {"neutral": [0], "anger": [1, 2, 3]}),
        ({"neutral": True, "labelled": Labelled.last}, 4, {"neutral": [0], "anger": [3]}),
        ({"neutral": True, "labelled": Labelled.last}, 1, {"neutral": [0]}),
    ],
)
def test_which_frames_carry_the_label(
    tmp_path: Path, keys: dict[str, Any], frames: int, emotions: dict[str, list[int]]
) -> None:
    touch(tmp_path, [f"VL/Strong/P001/Anger/{frame:03d}.jpeg" for frame in range(frames)])
    found: dict[str, list[int]] = {}
    for row in OuluCASIA(root=tmp_path, **keys).rows():
        found.setdefault(str(row.emotion), []).append(int(Path(row.path).stem))
        assert row.frame == 0
    assert found == emotions


def test_frames_are_ordered_by_number(tmp_path: Path) -> None:
    touch(tmp_path, [f"VL/Strong/P001/Anger/{frame}.jpeg" for frame in (9, 10, 11)])
    (row,) = OuluCASIA(root=tmp_path, labelled=Labelled.last).rows()
    assert row.path.endswith("/11.jpeg")


@pytest.mark.parametrize("names", [("000.jpeg", "0.JPG"), ("001.jpg", "001.jpeg")])
def test_two_files_of_one_frame_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    touch(tmp_path, [f"VL/Strong/P001/Anger/{name}" for name in names])
    first, second = sorted(names)
    with pytest.raises(UserError, match=rf"more than once \(.*Anger/{first} and .*/{second}\)"):
        OuluCASIA(root=tmp_path).rows()


def test_what_is_not_understood_is_counted(tmp_path: Path) -> None:
    place = "VL/Strong"
    strange = [f"{place}/P001/Boredom/000.jpeg", f"{place}/X1/Anger/000.jpeg",
               f"{place}/P001/Anger/last.jpeg"]  # fmt: skip
    touch(tmp_path, [*strange, f"{place}/P001/Anger/Thumbs.db", f"{place}/P001/Anger/._000.jpeg"])
    touch(tmp_path, [f"{place}/P001/Anger/000.jpeg"])
    rows = OuluCASIA(root=tmp_path).rows()
    assert [row.path for row in rows if row.unusable == "misnamed"] == sorted(strange)
    assert sum(row.unusable is None for row in rows) == 1


def test_a_condition_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    root = oulu_casia.build(tmp_path, wrapper="")
    with pytest.raises(UserError, match=r"data\.lights=\[Weak\]: .*VL/Weak.* holds NI/, VL/"):
        OuluCASIA(root=root, lights=[Light.Weak]).rows()


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no Oulu-CASIA.*VL/Strong or VL/Weak.*found P001/"):
        OuluCASIA(root=touch(tmp_path, ["P001/Anger/000.jpeg"])).rows()
    with pytest.raises(UserError, match=r"holds no frame.*P001/Anger/000\.jpeg"):
        OuluCASIA(root=touch(tmp_path, ["VL/Strong/P001/Sulk/000.jpeg"])).rows()


def test_a_wrong_selection_names_the_key_and_the_choices() -> None:
    with pytest.raises(UserError, match=r"data\.cameras=\[\]: give one or more of \[VL,NI\]"):
        OuluCASIA(cameras=[])
    with pytest.raises(UserError, match=r"data\.lights=.*\[Strong,Weak,Dark\]"):
        OuluCASIA(lights=[Light.Weak, Light.Weak])
