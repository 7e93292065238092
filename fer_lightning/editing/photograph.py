"""Pictures as files: what is read beside the pixels, and the note that an edited one carries.

The note says in three ways that the picture is synthetic: in words and as JSON in the text of a PNG
or the Exif of a JPEG, and for machines as XMP with the IPTC's term for composites that hold
elements made by a trained model (https://cv.iptc.org/newscodes/digitalsourcetype).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from fer_lightning import __version__
from fer_lightning.data.images import UnusableImage, read_image
from fer_lightning.errors import UserError
from fer_lightning.files import whole

SUFFIXES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
"""What is written, by the suffix of the file."""
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
SOFTWARE = f"fer_lightning {__version__}"
SEGMENT = 65533
"""Bytes of Exif that a JPEG can hold."""
QUALITY = 95
"""Of JPEGs; with less, the rest of the picture would visibly change, too."""
CREDIT = 1000
"""Characters that are kept of an artist or a copyright; a JPEG has room for 64 kB in all."""
ASCII = b"ASCII\0\0\0"
"""How Exif's user comment begins where it is ASCII."""

_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmp:CreatorTool="{SOFTWARE}"
    Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


@dataclass(frozen=True)
class Photograph:
    """An upright picture.

    Attributes:
        pixels: RGB of shape (H, W, 3).
        alpha: Opacity of shape (H, W), or None where all is opaque.
        gray: Whether the file holds no colours.
        profile: The ICC profile that says what its grays or colours are, or None.
        credit: Artist and copyright by their Exif numbers, as the file has them.
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None
    gray: bool
    profile: bytes | None
    credit: dict[int, bytes]


def read_photograph(path: Path) -> Photograph:
    """Decode a picture with what has to be kept of its file.

    Raises:
        UnusableImage: If it is ``missing``, ``unreadable``, or ``too_large`` for Pillow.
    """
    try:
        pixels = read_image(path)
    except UnusableImage as error:
        if isinstance(error.__context__, Image.DecompressionBombError):
            raise UnusableImage("too_large") from None
        raise
    with Image.open(path) as image:
        gray = image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I")
        fits = gray or image.mode in ("RGB", "RGBA", "P")  # one of CMYK would distort RGB
        exif = image.getexif()
        alpha = None
        if image.has_transparency_data:
            alpha = np.asarray(ImageOps.exif_transpose(image).convert("RGBA").getchannel("A"))
        profile = image.info.get("icc_profile") if fits else None
    tags = (ExifTags.Base.Artist, ExifTags.Base.Copyright)
    credit = {int(tag): _stored(exif[tag]) for tag in tags if tag in exif}
    return Photograph(pixels, alpha, gray, profile, credit)


def _stored(value: Any) -> bytes:
    """The bytes of a credit, not over :data:`CREDIT` characters; they are UTF-8 as a rule.

    Pillow takes them for Latin-1, and would write the text that it makes of them as ASCII.
    """
    stored = value if isinstance(value, bytes) else str(value).encode("latin-1")
    try:
        return stored.decode()[:CREDIT].encode()
    except UnicodeDecodeError:  # an older encoding, which nothing names
        return stored[:CREDIT]


def write_photograph(
    path: Path, original: Photograph, pixels: NDArray[np.uint8], note: Mapping[str, Any]
) -> None:
    """Write an edited picture as PNG or JPEG, with its note; whole or not at all.

    Of the original's metadata it keeps profile, artist and copyright, but neither place nor
    camera nor the preview, which would show the face as it was.

    Args:
        path: A file with one of :data:`SUFFIXES`.
        original: The picture that was edited.
        pixels: RGB of its shape.
        note: Plain data; says how the picture was made.
    """
    image = Image.fromarray(pixels)
    if original.gray:
        image = image.convert("L")
    if original.alpha is not None and SUFFIXES[path.suffix.lower()] == "PNG":
        image.putalpha(Image.fromarray(original.alpha))
    save_noted(image, path, note, original.profile, original.credit)


def save_noted(
    image: Image.Image,
    path: Path,
    note: Mapping[str, Any],
    profile: bytes | None = None,
    credit: Mapping[int, bytes] | None = None,
) -> None:
    """Write a picture that holds edited faces, with its note; whole or not at all.

    Args:
        image: Gray or RGB; of a PNG, with opacity.
        path: A file with one of :data:`SUFFIXES`.
        note: Plain data; says how the picture was made.
        profile: ICC profile of its colours.
        credit: Artist and copyright by their Exif numbers.

    Raises:
        UserError: If a JPEG has no room for the note.
    """
    words = f"Synthetic: the expression was edited by a neural network ({SOFTWARE})."
    form = SUFFIXES[path.suffix.lower()]
    comment = json.dumps(note)  # ASCII, as Exif wants it
    exif = Image.Exif()
    exif.update(credit or {})
    exif[ExifTags.Base.ImageDescription] = words
    exif[ExifTags.Base.Software] = SOFTWARE
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = ASCII + comment.encode()
    options: dict[str, Any]
    if form == "JPEG":
        if len(exif.tobytes()) > SEGMENT:
            raise UserError(
                f"{path}: a JPEG has no room for the note on its faces and command; give "
                "faces=largest, or an out= that ends in .png"
            )
        options = {"quality": QUALITY, "subsampling": 0, "xmp": _XMP.encode()}
    else:
        text = PngImagePlugin.PngInfo()
        for key, value in (("Description", words), ("Software", SOFTWARE), ("Comment", comment)):
            text.add_itxt(key, value)
        text.add_itxt("XML:com.adobe.xmp", _XMP)
        options = {"pnginfo": text}
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path, private=True) as unfinished:
        image.save(unfinished, form, exif=exif, icc_profile=profile, **options)


def read_note(path: Path) -> dict[str, Any] | None:
    """The note of a picture that was written here; None where it has none."""
    try:
        with Image.open(path) as image:
            comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
            note: Any = json.loads(comment.removeprefix(ASCII)) if comment else None
    except (OSError, ValueError, AttributeError):  # no picture, or another's comment
        return None
    return note if isinstance(note, dict) and note.get("synthetic") is True else None
