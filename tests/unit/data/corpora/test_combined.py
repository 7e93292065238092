"""Several corpora as one, on Aff-Wild2 and AffectNet in their official layouts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from fer_lightning.cli import main
from fer_lightning.data.archive import FaceArchive, read_table
from fer_lightning.data.corpora.aff_wild2 import AffWild2
from fer_lightning.data.corpora.affectnet import AffectNet, Annotated
from fer_lightning.data.corpora.base import Corpus, SplitConfig, SplitScheme
from fer_lightning.data.corpora.celeba import CelebA
from fer_lightning.data.corpora.combined import Classes, Combined
from fer_lightning.data.corpora.enhanced_ck import EnhancedCK
from fer_lightning.data.corpora.fer2013 import FER2013
from fer_lightning.data.corpora.fer_plus import FERPlus
from fer_lightning.data.corpora.raf_db import RAFDB
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.preparation import Recipe
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS
from tests.helpers.layouts import aff_wild2, affectnet, celeba, enhanced_ck, fer_plus, raf_db
from tests.helpers.layouts.pictures import write

VIDEOS_SHOWN = ("1-30-1280x720", "video2", "video5", "video9")
SEVEN = EMOTIONS[:-1]


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    return {
        "aff_wild2": aff_wild2.build(tmp_path / "wild"),
        "affectnet": affectnet.build(tmp_path / "net"),
    }


def combined(roots: dict[str, Path], **keys: object) -> Combined:
    parts: dict[str, Corpus] = {
        "aff_wild2": AffWild2(root=roots["aff_wild2"]),
        "affectnet": AffectNet(root=roots["affectnet"]),
    }
    return Combined(parts=parts, **keys)  # type: ignore[arg-type]


def key(corpus: Corpus, cache: Path) -> str:
    recipe = Recipe(corpus=corpus, detector=WholeImageConfig(), image_size=32, channels=3)
    return recipe.key(corpus.fingerprint(corpus.rows(), cache))


def test_is_a_structured_config() -> None:
    assert OmegaConf.to_object(OmegaConf.structured(Combined)) == Combined()


def test_rows_keep_their_source_and_decode(roots: dict[str, Path]) -> None:
    corpus = combined(roots)
    rows = corpus.rows()
    wild, net = AffWild2(root=roots["aff_wild2"]).rows(), AffectNet(root=roots["affectnet"]).rows()
    assert [row.source for row in rows] == ["aff_wild2"] * len(wild) + ["affectnet"] * len(net)
    assert [row.path for row in rows] == [row.path for row in [*wild, *net]]
    assert [row.emotion for row in rows] == [row.emotion for row in [*wild, *net]]
    assert all(corpus.load(row).ndim == 3 for row in rows if row.unusable is None)
    files = corpus.files(rows)
    assert all(file.is_file() for file in files)
    images = [str(file) for file in files if file.suffix == ".jpg"]
    assert len(images) == sum(row.unusable is None for row in rows) == 32 + 21
    assert len(files) - len(images) == 5 + 2  # annotations and tables


def test_classes_that_a_part_lacks_are_excluded(roots: dict[str, Path]) -> None:
    def reasons(corpus: Combined) -> Counter[str | None]:
        return Counter(row.unusable for row in corpus.rows() if row.emotion == "contempt")

    assert reasons(combined(roots)) == {"class_not_shared": 3}
    assert reasons(combined(roots, classes=Classes.all)) == {None: 3}
    used = {row.emotion for row in combined(roots).rows() if row.unusable is None}
    assert used == set(SEVEN)


def test_a_part_without_labels_does_not_count(tmp_path: Path, roots: dict[str, Path]) -> None:
    corpus = combined(roots)
    corpus.parts["celeba"] = CelebA(root=celeba.build(tmp_path / "celeba"))
    rows = corpus.rows()
    unlabelled = [row for row in rows if row.source == "celeba"]
    assert len(unlabelled) == 12
    assert {row.unusable for row in unlabelled} == {None}
    assert {row.emotion for row in rows if row.unusable is None} == {None, *SEVEN}


def test_what_a_part_excludes_keeps_its_reason(tmp_path: Path) -> None:
    two = {"v_left": ("Train", [1, 4]), "v_right": ("Train", [-1, 4])}
    wild = aff_wild2.build(tmp_path / "wild", crops=False, videos=True, annotated=two)
    net = write(tmp_path / "net", {
        "training.csv": "subDirectory_filePath,expression\n1/a.jpg,1\n",
        "Manually_Annotated_Images/1/a.jpg": b"",
    })  # fmt: skip
    rows = combined({"aff_wild2": wild, "affectnet": net}).rows()
    assert [(row.emotion, row.unusable) for row in rows] == [
        ("anger", "two_people"),
        ("happiness", "two_people"),
        (None, "no_emotion"),
        ("happiness", "two_people"),
        ("happiness", None),
    ]


def test_subjects_of_two_parts_never_meet(roots: dict[str, Path]) -> None:
    parts: dict[str, Corpus] = {
        name: AffWild2(root=roots["aff_wild2"]) for name in ("first", "second")
    }
    people: dict[str | None, set[str | None]] = {"first": set(), "second": set()}
    for row in Combined(parts=parts).rows():
        people[row.source].add(row.subject)
    assert len(people["first"]) == len(people["second"]) == 4
    assert not people["first"] & people["second"]


def test_gray_parts_stay_gray(tmp_path: Path) -> None:
    root = fer_plus.build(tmp_path)
    gray: dict[str, Corpus] = {"a": FER2013(root=root), "b": FERPlus(root=root)}
    assert Combined(parts=gray).native_channels == 1
    assert Combined(parts={**gray, "c": AffectNet()}).native_channels == 3


def test_the_key_follows_content_and_not_places(tmp_path: Path, roots: dict[str, Path]) -> None:
    first = key(combined(roots), tmp_path / "cache")
    moved = {
        "aff_wild2": aff_wild2.build(tmp_path / "else/where"),
        "affectnet": affectnet.build(tmp_path / "b"),
    }
    assert key(combined(moved), tmp_path / "cache") == first
    assert key(combined(moved, classes=Classes.all), tmp_path / "cache") != first
    image = next((tmp_path / "b").rglob("tra000.jpg"))
    image.write_bytes(next((tmp_path / "b").rglob("tra050.jpg")).read_bytes())
    assert key(combined(moved), tmp_path / "cache") != first
    both = combined(roots)
    both.parts["affectnet"] = AffectNet(root=roots["affectnet"], annotated=Annotated.both)
    assert key(both, tmp_path / "cache") != first
    renamed = Combined(parts={"x": both.parts["aff_wild2"]})
    assert key(renamed, tmp_path / "cache") not in (first, key(both, tmp_path / "cache"))


def test_errors_name_the_key_of_the_part(tmp_path: Path, roots: dict[str, Path]) -> None:
    (tmp_path / "empty").mkdir()
    corpus = combined({**roots, "affectnet": tmp_path / "empty"})
    with pytest.raises(UserError, match=r"data\.parts\.affectnet\.root=.* holds no AffectNet"):
        corpus.rows()
    corpus.parts["affectnet"] = AffectNet()
    with pytest.raises(UserError, match=r"needs data\.parts\.affectnet\.root=DIR"):
        corpus.rows()
    corpus = combined(roots)
    corpus.parts["affectnet"] = AffectNet(
        root=affectnet.build_sets(tmp_path / "sets"), annotated=Annotated.both
    )
    with pytest.raises(UserError, match=r"data\.parts\.affectnet\.annotated=both"):
        corpus.rows()


def test_what_has_no_effect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.root=.*data\.parts\.a\.root and data\.parts\.b"):
        Combined(root=tmp_path, parts={"a": CelebA(), "b": CelebA()})
    for changed, name in (
        (CelebA(batch_size=7), "batch_size"),
        (CelebA(balance=True), "balance"),
        (CelebA(archive=tmp_path), "archive"),
        (CelebA(split=SplitConfig(scheme=SplitScheme.stratified)), "split"),
    ):
        with pytest.raises(UserError, match=rf"data\.parts\.a\.{name} has no effect; set data\."):
            Combined(parts={"a": changed})
    with pytest.raises(UserError, match=r"no parts.*combined\.yaml"):
        Combined().rows()


def test_the_command_prepares_both(roots: dict[str, Path], tmp_path: Path) -> None:
    command = ["prepare", "data=combined", "detector=whole_image", "image_size=32", "workers=1"]
    command += [f"data.parts.{name}.root={root}" for name, root in roots.items()]
    assert main([*command, f"archive={tmp_path / 'OUT'}"]) == 0
    archive = FaceArchive.open(tmp_path / "OUT")
    wild = Counter(row.emotion for row in AffWild2(root=roots["aff_wild2"]).rows() if row.emotion)
    classes = json.loads((tmp_path / "OUT/manifest.json").read_text())["classes"]
    for emotion in SEVEN:
        assert classes[emotion]["archive"] == wild[emotion] + 3
    sources = archive.column("source")
    assert Counter(sources) == {"aff_wild2": 32, "affectnet": 21}
    excluded = read_table(tmp_path / "OUT/excluded.parquet").to_pylist()
    assert Counter((row["source"], row["reason"]) for row in excluded) == {
        ("aff_wild2", "no_emotion"): 5,
        ("affectnet", "no_emotion"): 9,
        ("affectnet", "class_not_shared"): 3,
    }
    subjects = set(archive.column("subject"))
    assert subjects == {None, *(f"aff_wild2/{name}" for name in VIDEOS_SHOWN)}


def test_the_command_names_the_part_whose_root_is_missing(
    roots: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = f"data.parts.aff_wild2.root={roots['aff_wild2']}"
    assert main(["prepare", "data=combined", root, "detector=whole_image"]) != 0
    assert "data.parts.affectnet.root=DIR" in capsys.readouterr().err


def test_two_corpora_of_one_class_may_be_parts(tmp_path: Path) -> None:
    @dataclass(kw_only=True)
    class Other(FER2013):
        name: str = "other"

    root = fer_plus.build(tmp_path)
    corpus = Combined(parts={"a": FER2013(root=root), "b": Other(root=root)})
    settings = corpus.source_settings()
    assert {name: part["corpus"] for name, part in settings["parts"].items()} == {
        "a": "fer2013",
        "b": "other",
    }


def test_a_part_without_a_published_split_is_divided_and_its_remark_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coded = enhanced_ck.build(tmp_path / "coded")
    corpus = Combined(
        parts={
            "raf_db": RAFDB(root=raf_db.build(tmp_path / "raf")),
            "enhanced_ck": EnhancedCK(root=coded),
        }
    )
    faces = FaceDataModule(corpus, WholeImageConfig(), 32, 3, 0, classes=SEVEN)
    faces.setup()
    (archive,) = faces.archives
    sources = archive.column("source")
    divided = sorted(row for rows in faces.division.values() for row in rows)
    labelled = [row for row, emotion in enumerate(archive.column("emotion")) if emotion]
    assert divided == labelled
    assert {sources[row] for row in faces.division["train"]} == {"raf_db", "enhanced_ck"}
    assert archive.manifest["remark"] == EnhancedCK.remark
    assert archive.record["remark"] == EnhancedCK.remark
    assert f"remark: {EnhancedCK.remark}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.parts.aff_wild2.video.every=0", "data.parts.aff_wild2.video.every=0: give at least"),
        ("data.parts.affectnet.batch_size=0", "data.parts.affectnet.batch_size=0: give at least 1"),
    ],
)
def test_a_value_that_a_part_refuses_is_named_by_its_place(
    override: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", "data=combined", override]) == 2
    assert message in capsys.readouterr().err
