"""Files: what is kept of the original, and the note that says that the picture is synthetic."""

from __future__ import annotations

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
    SOURCE_TYPE,
    read_note,
    read_photograph,
    save_noted,
    write_photograph,
)

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
