"""Files: what is kept of the original, and the note that says that the picture is synthetic."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from fer_lightning import __version__
from fer_lightning.data.images import UnusableImage
from fer_lightning.editing.photograph import (
    ASCII,
    CREDIT,
    SOURCE_TYPE,
    read_note,
    read_photograph,
    save_noted,
    write_photograph,
)
from fer_lightning.errors import UserError

NOTE = {"synthetic": True, "command": "fer edit run=Zoë", "emotion": "happiness", "point": [0.6, 0]}
TERM = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
RANDOM = np.random.default_rng(0)


def picture(channels: int = 3, height: int = 20, width: int = 30) -> Image.Image:
    pixels = RANDOM.integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(pixels.squeeze())


def edited(source: Path, target: Path) -> Image.Image:
    """The picture, written as if it had been edited."""
    original = read_photograph(source)
    write_photograph(target, original, original.pixels, NOTE)
    with Image.open(target) as image:
        image.load()
    return image


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG"])
def test_the_note_is_read_back_in_all_its_forms(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / "new" / f"edited{suffix}"
    save_noted(picture(), target, NOTE)
    assert read_note(target) == NOTE
    with Image.open(target) as image:
        assert image.format == ("PNG" if suffix == ".png" else "JPEG")
        xmp = image.info["xmp"]
        exif = image.getexif()
        texts = dict(getattr(image, "text", {}))
    (found,) = ElementTree.fromstring(xmp).iter(
        "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"
    )
    assert found.attrib[TERM] == SOURCE_TYPE
    assert exif[ExifTags.Base.ImageDescription].startswith("Synthetic: ")
    assert exif[ExifTags.Base.Software] == f"fer_lightning {__version__}"
    comment = exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment.startswith(ASCII)
    assert json.loads(comment[len(ASCII) :].decode("ascii")) == NOTE
    if suffix == ".png":
        assert texts["Description"].startswith("Synthetic: ")
        assert json.loads(texts["Comment"]) == NOTE
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_the_term_is_the_iptcs() -> None:
    assert SOURCE_TYPE == (
        "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    source = tmp_path / "photo.png"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture(4).save(source, exif=exif)
    image = edited(source, tmp_path / "edited.png")
    with Image.open(source) as stored:
        upright = {1: (30, 20), 2: (30, 20), 3: (30, 20), 4: (30, 20)}.get(orientation, (20, 30))
        assert stored.size == (30, 20)
    assert image.size == upright
    assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
    again = read_photograph(tmp_path / "edited.png")
    assert (again.pixels == read_photograph(source).pixels).all()
    assert (again.alpha == read_photograph(source).alpha).all()  # type: ignore[union-attr]


def test_colours_are_kept_and_place_camera_and_preview_are_not(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Zo"
    exif[ExifTags.Base.Copyright] = "Zo 2024"
    exif[ExifTags.Base.Model] = "camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAltitude] = 3.0
    picture().save(tmp_path / "photo.jpg", exif=exif, icc_profile=profile)
    image = edited(tmp_path / "photo.jpg", tmp_path / "edited.jpg")
    kept = image.getexif()
    assert image.info["icc_profile"] == profile
    assert kept[ExifTags.Base.Artist] == "Zo"
    assert kept[ExifTags.Base.Copyright] == "Zo 2024"
    assert ExifTags.Base.Model not in kept
    assert not kept.get_ifd(ExifTags.IFD.GPSInfo)
    assert read_note(tmp_path / "edited.jpg") == NOTE


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_gray_stays_gray_and_opacity_stays(tmp_path: Path, channels: int, mode: str) -> None:
    source = tmp_path / "photo.png"
    picture(channels).save(source)
    image = edited(source, tmp_path / "edited.png")
    assert image.mode == mode
    with Image.open(source) as stored:
        assert (np.asarray(stored) == np.asarray(image)).all()
    edited(source, tmp_path / "edited.jpg")  # which has no opacity


@pytest.mark.parametrize("name", ["photo.tif", "photo.png"])
def test_gray_of_16_bits_stays_gray(tmp_path: Path, name: str) -> None:
    deep = np.linspace(0, 65535, 600).reshape(20, 30).astype(">u2" if "tif" in name else "<u2")
    Image.frombytes("I;16B" if "tif" in name else "I;16", (30, 20), deep.tobytes()).save(
        tmp_path / name
    )
    image = edited(tmp_path / name, tmp_path / "edited.png")
    assert image.mode == "L"
    assert (np.asarray(image) == deep.astype(int) // 257).all()


@pytest.mark.parametrize("target", ["edited.png", "edited.jpg"])
@pytest.mark.parametrize(("mode", "kept"), [("L", True), ("LA", True), ("CMYK", False)])
def test_the_profile_is_kept_where_it_fits(
    tmp_path: Path, mode: str, kept: bool, target: str
) -> None:
    source = tmp_path / ("photo.jpg" if mode == "CMYK" else "photo.png")
    picture().convert(mode).save(source, icc_profile=b"of these colours")
    image = edited(source, tmp_path / target)
    assert image.info.get("icc_profile") == (b"of these colours" if kept else None)


def test_a_long_credit_is_cut_to_what_a_jpeg_has_room_for(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Zo " * 27_000
    picture().save(tmp_path / "photo.png", exif=exif)
    image = edited(tmp_path / "photo.png", tmp_path / "edited.jpg")
    assert image.getexif()[ExifTags.Base.Artist] == ("Zo " * 27_000)[:CREDIT]
    assert read_note(tmp_path / "edited.jpg") == NOTE


@pytest.mark.parametrize("target", ["edited.png", "edited.jpg"])
@pytest.mark.parametrize("source", ["photo.png", "photo.jpg"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_credit_keeps_its_bytes(tmp_path: Path, source: str, target: str, encoding: str) -> None:
    credit = {
        ExifTags.Base.Artist: "Zoë Ägidius".encode(encoding),
        ExifTags.Base.Copyright: "© 2024 Jürgen Müller\0© Zoë Ü.".encode(encoding),
    }
    exif = Image.Exif()
    exif.update(credit)
    picture().save(tmp_path / source, exif=exif)
    edited(tmp_path / source, tmp_path / target)
    for path in (source, target):
        content = (tmp_path / path).read_bytes()
        assert all(value + b"\0" in content for value in credit.values()), path


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        ("ü".encode() * (CREDIT + 1), "ü".encode() * CREDIT),
        (("x" + "ü" * CREDIT).encode(), ("x" + "ü" * (CREDIT - 1)).encode()),
        (b"\xfc" * (CREDIT + 1), b"\xfc" * CREDIT),  # Latin-1
    ],
)
def test_a_credit_is_cut_between_characters(tmp_path: Path, stored: bytes, kept: bytes) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = stored
    picture().save(tmp_path / "photo.png", exif=exif)
    image = edited(tmp_path / "photo.png", tmp_path / "edited.jpg")
    assert image.getexif()[ExifTags.Base.Artist].encode("latin-1") == kept


def test_a_note_too_long_for_a_jpeg_names_the_remedy(tmp_path: Path) -> None:
    note = {**NOTE, "faces": [[1000.5] * 4] * 3000}
    with pytest.raises(UserError, match=r"long.jpg: a JPEG has no room .* ends in .png"):
        save_noted(picture(), tmp_path / "long.jpg", note)
    assert not list(tmp_path.iterdir())
    save_noted(picture(), tmp_path / "long.png", note)
    assert read_note(tmp_path / "long.png") == note


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    save_noted(picture(), tmp_path / "photo.png", NOTE)
    before = (tmp_path / "photo.png").read_bytes()
    monkeypatch.setitem(Image.SAVE, "PNG", full)
    with pytest.raises(OSError, match="No space") as caught:
        save_noted(picture(), tmp_path / "photo.png", NOTE)
    assert caught.value.filename == str(tmp_path / "photo.png")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    assert (tmp_path / "photo.png").read_bytes() == before


def test_what_is_too_large_is_told_from_what_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture().save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 299)
    with pytest.raises(UnusableImage, match="too_large"):
        read_photograph(tmp_path / "large.png")


def test_a_palette_with_a_transparent_entry(tmp_path: Path) -> None:
    palette = picture().quantize(8)
    palette.save(tmp_path / "photo.gif", transparency=3)
    image = edited(tmp_path / "photo.gif", tmp_path / "edited.png")
    assert image.mode == "RGBA"
    assert ((np.asarray(image)[..., 3] == 0) == (np.asarray(palette) == 3)).all()


def test_what_is_no_note_of_ours(tmp_path: Path) -> None:
    plain, text = tmp_path / "plain.jpg", tmp_path / "text.png"
    picture().save(plain)
    text.write_text("no picture")
    assert read_note(plain) is None
    assert read_note(text) is None
    assert read_note(tmp_path / "missing.png") is None
    for comment in (b"ASCII\0\0\0words", b"UNICODE\0\xff\xfe", b"ASCII\0\0\0[1]", b"ASCII\0\0\0{}"):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
        picture().save(plain, exif=exif)
        assert read_note(plain) is None


def test_what_is_no_picture_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UnusableImage, match="unreadable"):
        read_photograph(tmp_path / "text.png")
    with pytest.raises(UnusableImage, match="missing"):
        read_photograph(tmp_path / "missing.png")
