"""``fer edit``: pictures and folders, what is skipped, what is done before, and the notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from fer_lightning.config.edit import EditConfig, Faces
from fer_lightning.data.fingerprint import file_digest
from fer_lightning.detectors.base import Detection
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.editing import gamut
from fer_lightning.editing.photograph import read_note
from fer_lightning.errors import UserError, mendable
from fer_lightning.jobs import edit
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.module import GANmut
from tests.helpers.editing import saved_editor
from tests.helpers.runs import saved_run

BOXES = ([8, 10, 40, 42], [60, 20, 84, 44])
Edit = Callable[..., Any]


@dataclass(kw_only=True)
class Fixed(WholeImageConfig):
    """Finds two faces, the smaller one first, in every picture that is not black."""

    def build(self) -> Fixed:  # type: ignore[override]
        return self

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        found = [Detection(np.array(box, np.float32), 0.9) for box in reversed(BOXES)]
        return [found if image.any() else [] for image in images]


@pytest.fixture(autouse=True)
def _brighter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits that can be foretold: brighter by 30 grey levels times the distance from neutral."""

    def brighter(self: GANmut, images: Tensor, points: Tensor) -> Tensor:
        rho = points.norm(dim=1)[:, None, None, None]
        return (images + rho * 30 / 127.5).clamp(-1, 1)

    monkeypatch.setattr(GANmut, "edit", brighter)
    monkeypatch.setattr(gamut, "TILE", 24)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    saved_editor(tmp_path / "RUN")
    return tmp_path


def photo(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((60, 90, 3), value, np.uint8)).save(path)
    return path


def run(image: Path | str, **keys: Any) -> Any:
    if not keys.keys() & {"theta", "blend", "sheet"}:
        keys = {"emotion": "happiness", **keys}
    keys = {"run": Path("RUN"), "detector": Fixed(), "accelerator": "cpu", **keys}
    return edit.run(EditConfig(image=Path(image), **keys))


def added(path: Path, value: int = 100) -> NDArray[np.int64]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int) - value


def middles(difference: NDArray[np.int64]) -> list[list[int]]:
    return [difference[(b[1] + b[3]) // 2, (b[0] + b[2]) // 2].tolist() for b in BOXES]


def test_the_largest_face_is_edited_and_the_rest_stays(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo(folder / "photo.png")
    result = run("photo.png", intensity=0.5)
    assert result.path == Path("RUN/edits/photo-happiness0.5.png")
    assert capsys.readouterr().out.splitlines()[-1] == f"edited: {result.path}"
    difference = added(result.path)
    assert middles(difference) == [[15] * 3, [0] * 3]
    left, top, right, bottom = BOXES[0]
    difference[top:bottom, left:right] = 0
    assert not difference.any()


def test_all_faces_are_edited(folder: Path) -> None:
    photo(folder / "photo.png")
    difference = added(run("photo.png", faces=Faces.all).path)
    assert middles(difference) == [[30] * 3, [30] * 3]


def test_neutral_is_the_picture_itself(folder: Path) -> None:
    photo(folder / "photo.png")
    assert not added(run("photo.png", intensity=0.0).path).any()


@pytest.mark.parametrize(("channels", "dimension"), [(1, 2), (3, 3), (1, 3)])
def test_gray_models_and_those_of_three_dimensions(
    folder: Path, channels: int, dimension: int
) -> None:
    other = saved_editor(folder / "OTHER", channels=channels, dimension=dimension)
    Image.fromarray(np.full((60, 90, 3), (200, 90, 20), np.uint8)).save("photo.png")
    result = run("photo.png", run=other, sheet=True, emotion="fear")
    with Image.open(result.path) as image:
        assert image.getpixel((24, 26)) == (230, 120, 50)
    with Image.open(folder / "OTHER/edits/photo-fear1-gamut.png") as sheet:
        assert sheet.width > 100


def test_the_note_says_how_it_was_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["fer", "edit", "run=RUN", "image=photo.jpg"])
    photo(folder / "photo.jpg")
    result = run("photo.jpg", blend={"happiness": 0.6, "surprise": 0.4}, sheet=True)
    note = read_note(result.path)
    assert note is not None
    assert note["command"] == "fer edit run=RUN image=photo.jpg"
    assert note["checkpoint"] == file_digest(folder / "RUN/checkpoints/last.ckpt")
    assert note["blend"] == {"happiness": 0.6, "surprise": 0.4}
    assert len(note["point"]) == 2
    assert note["faces"] == [[float(x) for x in BOXES[0]]]
    assert torch.__version__.startswith(note["versions"]["torch"])
    assert (note["source"], note["run"], note["model"]) == ("photo.jpg", "RUN", "ganmut")
    assert note["detector"] == "whole_image"
    sheet = read_note(Path("RUN/edits/photo-happiness0.6-surprise0.4.jpg-gamut.png"))
    assert sheet is not None
    assert sheet["synthetic"] is True


def test_a_folder_is_mirrored_and_what_cannot_be_edited_is_skipped(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "a.jpg", "below/deep/b.webp", ".hidden/c.png"):
        photo(folder / "photos" / name)
    photo(folder / "photos" / "black.png", value=0)
    (folder / "photos" / "broken.png").write_bytes(b"\x89PNG no more")
    (folder / "photos" / "notes.txt").write_text("no picture")
    result = run("photos", theta=1.0, rho=0.5, sheet=True)
    out, errors = capsys.readouterr()
    assert result.path == Path("RUN/edits/photos-theta1-rho0.5")
    found = sorted(p.relative_to(result.path).as_posix() for p in result.path.rglob("*.*"))
    assert found == [
        "a-gamut.png",
        "a.jpg",
        "a.jpg-gamut.png",
        "a.png",
        "below/deep/b.webp-gamut.png",
        "below/deep/b.webp.png",
    ]
    told = [line for line in errors.splitlines() if "photos/" in line]  # beside the bar's own lines
    assert len(told) == 2
    assert told[0].startswith("fer: warning: photos/black.png: no face was found; another detector")
    assert told[1] == "fer: warning: photos/broken.png: this is no picture that can be read"
    assert out.splitlines()[-2:] == [
        "3 done, 1 skipped without a face, 1 skipped that cannot be read",
        f"edited: {result.path}",
    ]


def test_finished_pictures_are_not_edited_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png"):
        photo(folder / "photos" / name)
    place = run("photos").path
    (place / "b.png").unlink()
    stamp = (place / "a.png").stat().st_mtime_ns
    assert dict(run("photos").metrics) == {"before": 1, "done": 1}
    assert "1 done, 1 done before (force=true does them again)" in capsys.readouterr().out
    assert (place / "a.png").stat().st_mtime_ns == stamp
    assert dict(run("photos", force=True).metrics) == {"done": 2}
    assert (place / "a.png").stat().st_mtime_ns > stamp
    # A sheet that is added needs the picture, but gives the same edit.
    assert dict(run("photos", sheet=True).metrics) == {"done": 2}
    assert dict(run("photos", sheet=True).metrics) == {"before": 2}


def test_results_in_the_folder_are_no_pictures_to_edit(folder: Path) -> None:
    for name in ("a.png", "b.png"):
        photo(folder / "photos" / name)
    for _ in range(2):
        run("photos", out=Path("photos/edited"))
    assert len(list((folder / "photos").rglob("*.png"))) == 4


@pytest.mark.parametrize("change", ["picture", "checkpoint", "faces", "foreign"])
def test_another_picture_is_not_overwritten(folder: Path, change: str) -> None:
    photo(folder / "photo.png")
    run("photo.png", out=Path("edited.png"))
    keys: dict[str, Any] = {}
    if change == "picture":
        photo(folder / "photo.png", value=90)
    elif change == "checkpoint":
        keys["run"] = saved_editor(folder / "OTHER", classes=["neutral", "happiness"])
    elif change == "faces":
        keys["faces"] = Faces.all
    else:
        photo(folder / "edited.png")
    before = (folder / "edited.png").read_bytes()
    with pytest.raises(UserError, match=r"edited.png holds another picture; pass force=true"):
        run("photo.png", out=Path("edited.png"), **keys)
    assert (folder / "edited.png").read_bytes() == before
    run("photo.png", out=Path("edited.png"), force=True, **keys)
    assert (folder / "edited.png").read_bytes() != before


def test_a_foreign_file_stops_a_folder_before_any_work(folder: Path) -> None:
    for name in ("a.png", "b.png"):
        photo(folder / "photos" / name)
    foreign = photo(folder / "OUT" / "b.png").read_bytes()
    with pytest.raises(UserError, match=r"OUT/b.png holds another picture"):
        run("photos", out=Path("OUT"))
    assert [path.name for path in (folder / "OUT").iterdir()] == ["b.png"]
    assert (folder / "OUT" / "b.png").read_bytes() == foreign


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError, r"photo.png: it may not be read; give it the permission"),
        (FileNotFoundError, r"photo.png: it is no longer there"),
        (OSError, r"photo.png: this is no picture that can be read"),
    ],
)
def test_why_a_picture_is_not_read_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError], told: str
) -> None:
    photo(folder / "photo.png")

    def failing(path: Path) -> str:
        raise error(str(path))

    monkeypatch.setattr(edit, "file_digest", failing)
    with pytest.raises(UserError, match=told):
        run("photo.png")


def test_usual_words_and_points_beyond_the_apex(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo(folder / "photo.png")
    assert run("photo.png", emotion="Happy").path == Path("RUN/edits/photo-happiness1.png")
    assert "warning" not in capsys.readouterr().err
    run("photo.png", theta=1.0, rho=3.0)
    assert "fer: warning: rho=3 lies beyond 1, up to where" in capsys.readouterr().err


def test_a_name_may_be_as_long_as_the_disk_takes(folder: Path) -> None:
    photo(folder / "photo.png")
    assert run("photo.png", out=Path("x" * 251 + ".png")).path.is_file()
    with pytest.raises(OSError, match="too long") as long:
        run("photo.png", out=Path("x" * 300 + ".png"))
    assert "give a shorter one" in str(mendable(long.value))


def test_a_foreign_sheet_is_not_overwritten_for_want_of_the_edit(folder: Path) -> None:
    photo(folder / "photo.png")
    photo(folder / "edited-gamut.png")
    with pytest.raises(UserError, match=r"edited-gamut.png holds another picture"):
        run("photo.png", emotion="fear", out=Path("edited.png"), sheet=True)
    assert not (folder / "edited.png").exists()


def test_a_sheet_does_not_replace_the_picture(folder: Path) -> None:
    before = photo(folder / "x-gamut.png").read_bytes()
    with pytest.raises(UserError, match=r"x-gamut.png is a picture that is to be edited"):
        run("x-gamut.png", emotion="fear", out=Path("x.png"), sheet=True, force=True)
    assert (folder / "x-gamut.png").read_bytes() == before
    assert not (folder / "x.png").exists()


@pytest.mark.parametrize("place", ["photos/sub", "photos/other"])
def test_a_link_in_out_does_not_lead_to_the_pictures(folder: Path, place: str) -> None:
    for name in ("sub/a.png", "other/a.png"):
        photo(folder / "photos" / name)
    (folder / "OUT").mkdir()
    (folder / "OUT" / "sub").symlink_to(folder / place)
    pictures = sorted((folder / "photos").rglob("*.png"))
    before = [path.read_bytes() for path in pictures]
    with pytest.raises(UserError, match=r"OUT/sub/a.png is a picture that is to be edited"):
        run("photos", out=Path("OUT"), force=True)
    assert [path.read_bytes() for path in pictures] == before
    assert not (folder / "OUT" / "other").exists()


@pytest.mark.parametrize(
    ("names", "sheet", "both"),
    [(("a.gif", "a.gif.png"), False, "a.gif.png"), (("a.png", "a-gamut.png"), True, "a-gamut.png")],
)
def test_two_pictures_do_not_share_a_result(
    folder: Path, names: tuple[str, str], sheet: bool, both: str
) -> None:
    for name in names:
        photo(folder / "photos" / name)
    told = rf"OUT/{both} would hold the results of both photos/a.* and photos/a.*; rename one"
    with pytest.raises(UserError, match=told):
        run("photos", emotion="fear", out=Path("OUT"), sheet=sheet)
    assert not (folder / "OUT").exists()


def test_what_is_too_large_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photo(folder / "photos/large.png")
    Image.fromarray(np.full((50, 80, 3), 9, np.uint8)).save(folder / "photos/small.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2200)
    with pytest.warns(Image.DecompressionBombWarning):
        run("photos")
    out, errors = capsys.readouterr()
    assert "photos/large.png: it has more than 179 megapixels, the most that are read" in errors
    assert "1 done, 1 skipped that are too large" in out


@pytest.mark.parametrize("out", [None, "sheet.png", "sheet.jpg"])
def test_a_sheet_alone(folder: Path, out: str | None) -> None:
    photo(folder / "photo.jpg")
    result = run("photo.jpg", sheet=True, out=None if out is None else Path(out))
    assert result.path == Path(out or "RUN/edits/photo-gamut.png")
    with Image.open(result.path) as image:
        assert image.width > 400
    assert list(folder.rglob("*photo*")) == [
        folder / "photo.jpg",
        *[result.path.absolute()][: not out],
    ]


def test_sheets_of_a_folder(folder: Path) -> None:
    photo(folder / "photos" / "a.jpg")
    photo(folder / "photos" / "b.png")
    place = run("photos", sheet=True).path
    assert place == Path("RUN/edits/photos-gamut")
    assert sorted(path.name for path in place.iterdir()) == ["a.jpg-gamut.png", "b-gamut.png"]


@pytest.mark.parametrize(
    ("image", "keys", "told"),
    [
        ("no.png", {}, "image=no.png: there is no such file"),
        ("empty", {}, "image=empty holds no pictures; found notes.txt"),
        ("black.png", {}, "black.png: no face was found; .* detector=whole_image takes the whole"),
        ("empty/notes.txt", {}, "notes.txt: this is no picture that can be read"),
        ("blacks", {}, "none of the 2 pictures could be edited"),
        ("photo.png", {"out": "edited"}, "out=edited: give a file that ends in .jpg"),
        ("photo.png", {"out": "photo.png", "force": True}, "photo.png is a picture that is to be"),
        ("blacks", {"out": "photo.png"}, "out=photo.png: image=blacks is a folder"),
        ("blacks", {"out": "blacks", "force": True}, "out=blacks holds image=blacks"),
        ("blacks/deep", {"out": "blacks"}, "out=blacks holds image=blacks/deep"),
        ("photo.png", {"run": "CGAN"}, "run=CGAN: this model edits no faces; .* model=ganmut"),
        ("photo.png", {"run": "NO"}, "run=NO: there is no checkpoints/last.ckpt"),
        ("photo.png", {"emotion": "bored"}, "emotion=bored: the model of run=RUN knows"),
        ("photo.png", {"emotion": "contempt"}, "emotion=contempt: the model of run=RUN knows"),
    ],
)
def test_mistakes_name_the_remedy(
    folder: Path, image: str, keys: dict[str, Any], told: str
) -> None:
    photo(folder / "photo.png")
    (folder / "blacks/deep").mkdir(parents=True)
    for name in ("black.png", "blacks/a.png", "blacks/b.png"):
        photo(folder / name, value=0)
    (folder / "empty").mkdir()
    (folder / "empty/notes.txt").write_text("no picture")
    faces = FaceFormat(image_size=16, channels=1, classes=["fear"], frequencies=[1.0])
    saved_run(folder / "CGAN", CGANConfig(width=2, latent_dim=4), faces)
    keys = {key: Path(v) if key in ("out", "run") else v for key, v in keys.items()}
    before = sorted(folder.rglob("*"))
    with pytest.raises(UserError, match=told):
        run(image, **keys)
    assert sorted(folder.rglob("*")) == before
