"""The table corpus: finding columns and images, reading cells, and what it refuses."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from PIL import Image

from fer_lightning.data.corpora.table import ColumnsConfig, Table
from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError
from fer_lightning.labels import CODES
from tests.helpers.films import film, number_of


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 4), 9).save(root / path, "PNG")


def table(root: Path, text: str, **settings: Any) -> Table:
    put(root, "a.png")
    (root / "faces.csv").write_text(text, encoding="utf-8")
    return Table(root=root, **settings)


def test_is_a_structured_config() -> None:
    config = Table(
        table=Path("a.csv"),
        image_folder=Path("b"),
        columns=ColumnsConfig(path="p", action_units={12: "smile"}),
        labels={8: None, "Ü b": "fear"},
        codes="affectnet",
    )
    assert OmegaConf.to_object(OmegaConf.structured(config)) == config
    assert OmegaConf.to_object(OmegaConf.structured(Table)) == Table()
    own = {"columns", "labels", "codes"}  # paths are represented by what they hold
    assert config.source_settings().keys() == own


@pytest.mark.parametrize("path", ["path", "image", "file", "subDirectory_filePath"])
@pytest.mark.parametrize("emotion", ["label", "emotion", "expression"])
def test_columns_are_found_by_name(tmp_path: Path, path: str, emotion: str) -> None:
    corpus = table(tmp_path, f"x,{emotion},{path}\n1,Happy,a.png\n2,,b.png\n")
    assert [(row.path, row.emotion) for row in corpus.rows()] == [
        ("a.png", "happiness"),
        ("b.png", None),
    ]


def test_odd_file_names_and_a_byte_order_mark(tmp_path: Path) -> None:
    put(tmp_path, "Zoë, laughing (1).png", " b c.png")
    text = '\ufeffimage,emotion\n"Zoë, laughing (1).png", happiness \n\n b c.png,fear\n'
    corpus = table(tmp_path, text)
    rows = corpus.rows()
    assert [(row.path, row.emotion) for row in rows] == [
        ("Zoë, laughing (1).png", "happiness"),
        (" b c.png", "fear"),
    ]
    assert corpus.load(rows[0]).shape == corpus.load(rows[1]).shape == (4, 5, 3)


def test_images_of_the_only_image_folder(tmp_path: Path) -> None:
    put(tmp_path, "Manually_Annotated_Images/689/b.png")
    (tmp_path / "docs").mkdir()
    text = "subDirectory_filePath,expression\n689/gone.png,0\n689/b.png,6\n"
    corpus = table(tmp_path, text, codes="affectnet")
    rows = corpus.rows()
    assert [(row.path, row.emotion) for row in rows] == [
        ("Manually_Annotated_Images/689/gone.png", "neutral"),
        ("Manually_Annotated_Images/689/b.png", "anger"),
    ]
    assert corpus.load(rows[1]).shape == (4, 5, 3)
    with pytest.raises(UnusableImage, match="missing"):
        corpus.load(rows[0])
    files = corpus.files(rows)
    assert tmp_path / "faces.csv" in files
    assert len(files) == 3


def test_several_image_folders_need_the_key(tmp_path: Path) -> None:
    put(tmp_path, "aligned/b.png", "original/b.png")
    text = "image,emotion\nb.png,fear\n"
    with pytest.raises(UserError, match=r"'aligned', 'original'.*data\.image_folder=DIR"):
        table(tmp_path, text).rows()
    rows = table(tmp_path, text, image_folder=Path("original")).rows()
    assert rows[0].path == "original/b.png"


def test_images_nowhere_need_the_key(tmp_path: Path) -> None:
    text = "image,emotion\nb.png,fear\n"
    with pytest.raises(UserError, match=r"data\.root=.*'b\.png'.*nowhere.*data\.image_folder=DIR"):
        table(tmp_path, text).rows()
    with pytest.raises(UserError, match=r"data\.image_folder=deep"):
        table(tmp_path, text, image_folder=Path("deep")).rows()


def test_images_outside_the_root(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    put(outside, "b.png")
    root.mkdir()
    corpus = table(root, f"image,emotion\n{outside}/b.png,fear\n")
    assert corpus.rows()[0].path == f"{outside}/b.png"
    assert corpus.load(corpus.rows()[0]).shape == (4, 5, 3)
    corpus = table(root, "image,emotion\nb.png,fear\n", image_folder=outside)
    assert corpus.rows()[0].path == f"{outside}/b.png"
    with pytest.raises(UserError, match=r"row 2: '\.\./outside/b\.png' leads out of data\.root"):
        table(root, "image,emotion\na.png,fear\n../outside/b.png,fear\n").rows()


def test_parent_folders_within_the_root_are_folded(tmp_path: Path) -> None:
    put(tmp_path, "lists/x.png", "images/b.png")
    text = "image,emotion\n../images/b.png,fear\n"
    rows = table(tmp_path, text, image_folder=Path("lists")).rows()
    assert rows[0].path == "images/b.png"


@pytest.mark.parametrize(
    ("header", "key", "found"),
    [
        ("image,path,emotion", r"data\.columns\.path=COLUMN", r"\['path', 'image'\]"),
        ("Image,emotion", r"data\.columns\.path=COLUMN", "none is of"),
        ("image,label,emotion", r"data\.columns\.emotion=COLUMN", r"\['label', 'emotion'\]"),
        ("image,mood", r"data\.columns\.emotion=COLUMN", "none is of"),
    ],
)
def test_unclear_columns_are_refused(tmp_path: Path, header: str, key: str, found: str) -> None:
    with pytest.raises(UserError, match=rf"{found}.*{key}") as error:
        table(tmp_path, f"{header}\n" + "a.png," * header.count(",") + "fear\n").rows()
    assert str(header.split(",")) in str(error.value)


def test_all_columns_are_read(tmp_path: Path) -> None:
    text = (
        "p,mood,part,who,how,au_1,au_12,au_99\n"
        "a.png,fear,PublicTest,7,0.5,0,2.5,8\n"
        "b.png,fear,Training,,,,1,8\n"
    )
    columns = ColumnsConfig(path="p", emotion="mood", split="part", subject="who", intensity="how")
    first, second = table(tmp_path, text, columns=columns).rows()
    assert (first.split, first.subject, first.intensity) == ("val", "7", 0.5)
    assert first.action_units == {1: 0.0, 12: 2.5}
    assert (second.split, second.subject, second.intensity) == ("train", None, None)
    assert second.action_units == {12: 1.0}


def test_named_action_units_replace_those_found(tmp_path: Path) -> None:
    columns = ColumnsConfig(action_units={"12": "smile", 4: "frown"}, emotion="")
    rows = table(tmp_path, "image,smile,frown,au_1\na.png,1,0,1\n", columns=columns).rows()
    assert rows[0].action_units == {12: 1.0, 4: 0.0}
    assert rows[0].emotion is None
    with pytest.raises(UserError, match=r"data\.columns\.action_units\.3"):
        ColumnsConfig(action_units={3: "x"})


@pytest.mark.parametrize(
    ("columns", "cell", "message"),
    [
        (ColumnsConfig(split="x"), "dev", r"row 2: data\.columns\.split: 'dev'"),
        (ColumnsConfig(intensity="x"), "3", r"row 2: data\.columns\.intensity: '3'.*0 to 1"),
        (ColumnsConfig(intensity="x"), "nan", r"row 2: data\.columns\.intensity: 'nan'"),
        (ColumnsConfig(), "-1", r"row 2: data\.columns\.action_units\.1: '-1'"),
        (ColumnsConfig(), "inf", r"row 2: data\.columns\.action_units\.1: 'inf'"),
        (ColumnsConfig(), "yes", r"row 2: data\.columns\.action_units\.1: 'yes'"),
    ],
)
def test_a_wrong_cell_is_named(
    tmp_path: Path, columns: ColumnsConfig, cell: str, message: str
) -> None:
    x, unit = (cell, "") if columns.used() else ("", cell)
    text = f"image,emotion,x,au_1\na.png,fear,,\nb.png,fear,{x},{unit}\n"
    with pytest.raises(UserError, match=message):
        table(tmp_path, text, columns=columns).rows()


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    corpus = table(tmp_path, "image,emotion\na.png,fear\n", columns=ColumnsConfig(subject="who"))
    with pytest.raises(UserError, match=r"data\.columns\.subject=who.*\['image', 'emotion'\]"):
        corpus.rows()
    with pytest.raises(UserError, match=r"data\.columns\.path=image: 2 columns"):
        table(tmp_path, "image,emotion,image\na.png,fear,b.png\n").rows()


def test_labels_of_the_user(tmp_path: Path) -> None:
    text = "image,emotion\na.png,yay\nb.png,Sad\nc.png,8\nd.png,3.0\n"
    corpus = table(tmp_path, text, labels={"yay": "happiness", 8: None}, codes="affectnet")
    assert [row.emotion for row in corpus.rows()] == ["happiness", "sadness", None, "surprise"]


def test_unknown_labels_are_listed_with_counts(tmp_path: Path) -> None:
    text = "image,emotion\na.png,yay\nb.png,yay\nc.png,meh\n"
    with pytest.raises(UserError, match=r"'yay' \(2\), 'meh' \(1\).*data\.labels\.yay=happiness"):
        table(tmp_path, text).rows()


def test_codes_without_a_table_of_codes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.labels\.3=.*data\.codes") as error:
        table(tmp_path, "image,emotion\na.png,3\n").rows()
    assert str(sorted(CODES)) in str(error.value)


def test_the_table_is_found_or_named(tmp_path: Path) -> None:
    text = "image,emotion\na.png,fear\n"
    corpus = table(tmp_path, text)
    (tmp_path / "._faces.csv").write_text("left by macOS")
    assert len(corpus.rows()) == 1
    (tmp_path / "other.CSV").write_text(text)
    with pytest.raises(UserError, match=r"several.*faces\.csv.*other\.CSV.*data\.table=FILE"):
        corpus.rows()
    for name in (Path("other.CSV"), tmp_path / "other.CSV"):
        assert len(Table(root=tmp_path, table=name).rows()) == 1
    with pytest.raises(UserError, match=r"data\.table=gone\.csv"):
        Table(root=tmp_path, table=Path("gone.csv")).rows()
    with pytest.raises(UserError, match=r"data\.table=a\.png"):
        Table(root=tmp_path, table=Path("a.png")).rows()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no table.*data\.table=FILE.*found nothing"):
        Table(root=tmp_path / "empty").rows()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"data\.columns\.path.*has \[\]"),
        (b"image,emotion\n", "no rows"),
        (b"image,emotion\nZo\xeb.png,fear\n", r"data\.table=.*UTF-8"),
        (b"image,emotion\na, b.png,fear\n", r"data\.table=.*line 2: 3 cells.*double quotes"),
        (b'image,emotion\n"a.png,fear\n', r"data\.table=.*CSV"),
        (b"image,emotion\n,fear\na.png,fear\n", r"row 1: data\.columns\.path"),
    ],
)
def test_a_damaged_csv_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    corpus = table(tmp_path, "")
    (tmp_path / "faces.csv").write_bytes(content)
    with pytest.raises(UserError, match=message):
        corpus.rows()


def test_parquet_says_the_same_as_csv(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    put(tmp_path, "split=train/a.png")
    columns = {
        "image": ["a.png", "b.png", "c.png"],
        "label": [3.0, float("nan"), None],
        "who": [7, 8, None],
        "au_12": [0.5, None, 2.0],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "split=train" / "t.parquet")
    config = ColumnsConfig(subject="who")
    rows = Table(root=tmp_path / "split=train", columns=config, codes="affectnet").rows()
    assert [(r.path, r.emotion, r.subject, r.action_units) for r in rows] == [
        ("a.png", "surprise", "7", {12: 0.5}),
        ("b.png", None, "8", {}),
        ("c.png", None, None, {12: 2.0}),
    ]
    (tmp_path / "bad.parquet").write_bytes(b"image,emotion")
    with pytest.raises(UserError, match=r"data\.table=.*Parquet"):
        Table(root=tmp_path).rows()


def test_the_real_photographs(muxspace_root: Path) -> None:
    corpus = Table(root=muxspace_root)
    rows = corpus.rows()
    assert Counter(row.emotion for row in rows) == {
        "neutral": 600,
        "happiness": 600,
        "surprise": 255,
        "sadness": 189,
        "anger": 175,
        "disgust": 153,
        "fear": 16,
        "contempt": 5,
    }
    assert rows[0].path == "images/Aaron_Guiel_0001.jpg"
    assert corpus.load(rows[0]).ndim == 3
    assert len(corpus.files(rows)) == 1994


def test_a_column_may_number_the_frames_of_videos(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", frames=20)
    text = "path,label,number\na.mp4,happy,17\na.mp4,sad,0\na.mp4,sad,20\na.png,fear,\n"
    corpus = table(tmp_path, text, columns=ColumnsConfig(frame="number"))
    rows = corpus.rows()
    assert [(row.path, row.frame, row.emotion) for row in rows] == [
        ("a.mp4", 17, "happiness"),
        ("a.mp4", 0, "sadness"),
        ("a.mp4", 20, "sadness"),
        ("a.png", 0, "fear"),
    ]
    assert [number_of(corpus.load(row)) for row in rows[:2]] == [17, 0]
    with pytest.raises(UnusableImage, match="missing"):
        corpus.load(rows[2])
    assert corpus.load(rows[3]).shape == (4, 5, 3)
    assert len(corpus.files(rows)) == 3
    wrong = table(tmp_path, "path,label,number\na.mp4,happy,x\n", columns=corpus.columns)
    with pytest.raises(UserError, match=r"row 1: data\.columns\.frame: 'x' is no number"):
        wrong.rows()
    assert "frame" not in Table().source_settings()["columns"]
