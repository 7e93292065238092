"""Counts of archives, where their detectors agree, and what the page says of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_lightning.analysis.agreement import duplicates_between, overlaps, same_images
from fer_lightning.analysis.archives import ArchiveFigures, archive_rows, figures, label_shares
from fer_lightning.analysis.archives_page import (
    ArchiveComparison,
    archives_markdown,
    loss_sentence,
    shift_sentence,
)
from fer_lightning.analysis.archives_plot import archives_plot
from fer_lightning.analysis.tables import ABSENT
from fer_lightning.data.archive import FaceArchive
from fer_lightning.errors import UserError
from tests.helpers.detected import Losses, detected_archive
from tests.helpers.small import small_archive

LOSSES: Losses = {"happiness": (50, 1), "disgust": (20, 10), None: (4, 1)}


def page(*archives: FaceArchive) -> str:
    compared = figures(archives)
    return archives_markdown(
        ArchiveComparison(
            command="fer compare x",
            compared=compared,
            same=same_images(compared),
            duplicates=duplicates_between(compared),
        )
    )


def alone(archive: FaceArchive) -> ArchiveFigures:
    (one,) = figures([archive])
    return one


def test_losses_of_the_detector_are_told_from_others(tmp_path: Path) -> None:
    excluded = [("disgust", "unreadable"), ("disgust", "missing"), (None, "no_emotion")]
    one = alone(detected_archive(tmp_path / "a", LOSSES, excluded=excluded))
    disgust = one.classes["disgust"]
    assert (disgust.source, disgust.decoded, disgust.found, disgust.lost) == (22, 20, 10, 10)
    assert disgust.excluded == {"unreadable": 1, "missing": 1}
    assert disgust.rate is not None
    assert disgust.rate.value == 0.5
    total = one.total
    assert (total.source, total.decoded, total.found, total.archive) == (77, 74, 62, 62)
    assert list(one.classes) == ["happiness", "disgust", "unlabelled"]
    assert list(one.labelled) == ["happiness", "disgust"]
    assert one.milliseconds == pytest.approx(2000 / 74)
    text = page(one.archive)
    assert "| disgust    | 0.597 |" in text  # 10 / 20 over 62 / 74
    assert "mtcnn, left out before detection: missing 1, no_emotion 1, unreadable 1." in text


def test_classes_are_counted_before_and_after_as_in_paper_c(tmp_path: Path) -> None:
    losses: Losses = {"neutral": (10, 4), "fear": (8, 2), "anger": (4, 0), None: (2, 0)}
    text = page(detected_archive(tmp_path / "a", losses, excluded=[("fear", "unreadable")]))
    table = text.split("## Images, by class")[1].split("## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.split("\n") if line]
    assert {row[0]: row[1:] for row in rows[2:]} == {
        "neutral": ["10", "6", "40.00 %", ABSENT],
        "fear": ["9", "6", "33.33 %", "60.00 %"],
        "anger": ["4", "4", "0.00 %", "40.00 %"],
        "unlabelled": ["2", "2", "0.00 %", ABSENT],
        "without neutral": ["13", "10", "23.08 %", "100.00 %"],
        "all": ["25", "18", "28.00 %", ABSENT],
    }


def test_kept_images_without_a_face_are_lost_but_not_dropped(tmp_path: Path) -> None:
    archive = detected_archive(tmp_path / "a", LOSSES, stand_ins=True, no_face="whole_image")
    one = alone(archive)
    disgust = one.classes["disgust"]
    assert (disgust.archive, disgust.found, disgust.lost) == (20, 10, 10)
    assert one.shift is not None
    assert (one.shift.distance, one.shift.by_chance) == (0.0, None)
    assert one.dependence is not None
    assert one.dependence.rejects
    assert "mtcnn keeps 12 images in which no face was found (no_face=whole_image)." in page(
        archive
    )


def test_sentences_name_the_classes(tmp_path: Path) -> None:
    one = alone(detected_archive(tmp_path / "a", LOSSES))
    assert loss_sentence(one).startswith(
        "mtcnn loses most of disgust (10 of 20, 50.0 %) and least of happiness (1 of 50, 2.0 %). "
        "Whether a face is found depends on the class: χ² = 24"
    )
    assert "moved by 11.62 %, more than chance" in shift_sentence(one)
    even = alone(detected_archive(tmp_path / "b", {"happiness": (40, 4), "disgust": (20, 2)}))
    assert loss_sentence(even) == (
        "mtcnn loses happiness (4 of 40, 10.0 %) and disgust (2 of 20, 10.0 %), the same share of "
        "each."
    )
    assert "moved by 0.00 %, no more than chance" in shift_sentence(even)
    slight = alone(detected_archive(tmp_path / "c", {"happiness": (40, 4), "disgust": (20, 3)}))
    assert "is not shown to depend on the class" in loss_sentence(slight)
    whole = alone(detected_archive(tmp_path / "d", {"happiness": (4, 0), "fear": (4, 0)}))
    assert loss_sentence(whole) == "mtcnn finds a face in every image that could be decoded."
    assert shift_sentence(whole).endswith("0.00 %; the detector dropped no image.")
    unlabelled = alone(detected_archive(tmp_path / "e", {None: (4, 1)}))
    assert loss_sentence(unlabelled) == "mtcnn: no image has a label."
    assert "## Labels" not in page(unlabelled.archive)
    others = alone(detected_archive(tmp_path / "f", {"fear": (4, 0), None: (4, 1)}))
    assert loss_sentence(others) == "mtcnn loses images without a label alone."


def test_detectors_on_the_same_images(tmp_path: Path) -> None:
    first = detected_archive(tmp_path / "a", {"fear": (10, 2), "anger": (5, 0)})
    second = detected_archive(
        tmp_path / "b", {"fear": (10, 3), "anger": (5, 1)}, "viola_jones", box=(5, 0, 15, 10)
    )
    whole = detected_archive(tmp_path / "c", {"fear": (10, 0), "anger": (5, 0)}, "whole_image")
    (group,) = same_images(figures([first, second, whole]))
    assert (group.images, group.found_by_all, group.found_by_none) == (15, 11, 2)
    assert group.searching == ["mtcnn", "viola_jones"]
    pair = group.pairs[0]
    assert (pair.both, pair.only_first, pair.only_second, pair.neither) == (11, 2, 0, 2)
    assert pair.overlap == pytest.approx(1 / 3)
    text = page(first, second, whole)
    assert (
        "Of 15 images, mtcnn and viola_jones all find a face in 11, and none of them in 2." in text
    )
    assert "| mtcnn       | viola_jones | 11   | 2           | 0 " in text
    assert "not all of the same images" not in text


def test_pairs_without_a_common_face_have_no_overlap(tmp_path: Path) -> None:
    first = detected_archive(tmp_path / "a", {"fear": (2, 2), "anger": (1, 0)})
    second = detected_archive(tmp_path / "b", {"anger": (1, 1), "fear": (2, 0)}, "viola_jones")
    (group,) = same_images(figures([first, second]))
    assert (group.pairs[0].both, group.pairs[0].overlap) == (0, None)


def test_other_images_are_said_and_not_matched(tmp_path: Path) -> None:
    first = detected_archive(tmp_path / "a", LOSSES)
    second = detected_archive(tmp_path / "b", LOSSES, "viola_jones", source="others")
    assert same_images(figures([first, second])) == []
    assert "The archives are not all of the same images" in page(first, second)


def test_near_duplicates_are_counted_in_other_images_alone(tmp_path: Path) -> None:
    first = detected_archive(tmp_path / "a", {"fear": (10, 0)})
    copies = detected_archive(tmp_path / "b", {"fear": (4, 0)}, "viola_jones", source="others")
    same = detected_archive(tmp_path / "c", {"fear": (3, 0)}, "whole_image")
    found = duplicates_between(figures([first, copies, same]))
    assert [(d.first, d.second, d.in_first, d.in_second) for d in found] == [
        ("mtcnn", "viola_jones", 4, 4), ("viola_jones", "whole_image", 3, 3)
    ]  # fmt: skip
    text = page(first, copies, same)
    assert "4 faces of mtcnn have a near-duplicate in viola_jones, 4 of viola_jones" in text
    assert "- mtcnn and whole_image: not counted, they were made from the same images." in text
    other = detected_archive(tmp_path / "d", {"fear": (9, 0)}, "b", source="others", seed=1)
    assert duplicates_between(figures([first, other]))[0].in_first == 0


def test_overlaps() -> None:
    first = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 1, 1]], float)
    second = np.array([[1, 1, 3, 3], [0, 0, 2, 2], [4, 4, 5, 5]], float)
    assert overlaps(first, second).tolist() == pytest.approx([1 / 7, 1, 0])


def test_names_tell_archives_apart(tmp_path: Path) -> None:
    first = detected_archive(tmp_path / "x/a", LOSSES, margin=0.1)
    second = detected_archive(tmp_path / "y/b", LOSSES, margin=0.2)
    third = detected_archive(tmp_path / "z/b", LOSSES, "viola_jones")
    assert [one.name for one in figures([first, third])] == ["mtcnn", "viola_jones"]
    assert [one.name for one in figures([first, second])] == ["a", "b"]
    drawn = detected_archive(tmp_path / "d", LOSSES, "whole_image", corpus="drawn")
    made = small_archive(tmp_path / "made", 6)
    names = [one.name for one in figures([first, drawn, made])]
    assert names == ["table-mtcnn", "drawn-whole_image", "made"]
    paths = [str(archive.path) for archive in (first, second, third)]
    assert [one.name for one in figures([first, second, third])] == paths
    assert "| mtcnn (margin=0.1) " in page(first, second)
    again = FaceArchive.open(tmp_path / "y/../x/a")
    with pytest.raises(UserError, match="is there twice; give every archive once"):
        figures([first, again])


def test_a_generated_archive_has_no_detection(tmp_path: Path) -> None:
    made = small_archive(tmp_path / "made", 6)
    text = page(detected_archive(tmp_path / "a", LOSSES), made)
    assert "made was generated: no detector looked for its faces." in text
    assert "made loses" not in text
    (row,) = archive_rows(figures([made]))
    assert (row["archive"], row["decoded"], row["found_share"], row["chi2"]) == (6, 0, None, None)
    assert "## Faces found" not in page(made)
    archives_plot(figures([made]), tmp_path / "made.png", "made")
    assert (tmp_path / "made.png").is_file()


def test_an_archive_of_before_times_were_recorded(tmp_path: Path) -> None:
    old = detected_archive(tmp_path / "a", LOSSES, seconds=None)
    assert alone(old).milliseconds is None
    assert "mtcnn: the time was not recorded" in page(old)


def test_labels_before_and_after(tmp_path: Path) -> None:
    first = detected_archive(tmp_path / "a", {"happiness": (60, 0), "disgust": (40, 20)})
    second = detected_archive(
        tmp_path / "b", {"happiness": (60, 30), "disgust": (40, 0)}, "viola_jones"
    )
    columns = label_shares(figures([first, second]))
    assert [heading for heading, _ in columns] == ["source", "mtcnn", "viola_jones"]
    assert [shares["disgust"] for _, shares in columns] == pytest.approx([0.4, 0.25, 4 / 7])
    other = detected_archive(tmp_path / "c", {"fear": (5, 0)}, "whole_image", source="others")
    columns = label_shares(figures([first, other]))
    headings = ["source of mtcnn", "mtcnn", "source of whole_image", "whole_image"]
    assert [heading for heading, _ in columns] == headings


def test_rows_hold_what_the_page_rounds(tmp_path: Path) -> None:
    archives = [
        detected_archive(tmp_path / "a", LOSSES),
        detected_archive(tmp_path / "b", {"fear": (3, 0)}, "whole_image", source="others"),
    ]
    first, second = archive_rows(figures(archives))
    assert (first["found"], first["decoded"]) == (62, 74)
    assert first["disgust_found_share"] == 0.5
    assert first["disgust_found_share_low"] < 0.5 < first["disgust_found_share_high"]
    assert (first["fear_decoded"], first["fear_found_share"]) == (0, None)
    assert second["fear_found_share"] == 1.0
    assert list(first) == list(second)


def test_the_plot_shows_what_was_lost(tmp_path: Path) -> None:
    compared = figures([detected_archive(tmp_path / "a", LOSSES)])
    archives_plot(compared, tmp_path / "lost.png", "x")
    everything: Losses = {emotion: (images, 0) for emotion, (images, _) in LOSSES.items()}
    archives_plot(figures([detected_archive(tmp_path / "b", everything)]), tmp_path / "b.png", "x")
    blue = [_blue(tmp_path / name) for name in ("lost.png", "b.png")]
    assert 0 < blue[0] < blue[1]


def _blue(path: Path) -> int:
    """Pixels of the first archive's colour, in the upper half alone."""
    picture = np.asarray(Image.open(path).convert("RGB")).astype(int)
    upper = picture[: len(picture) // 2, : int(picture.shape[1] * 0.8)]
    return int((np.abs(upper - (31, 119, 180)).sum(axis=2) < 10).sum())
