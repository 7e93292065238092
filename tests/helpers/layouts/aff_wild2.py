"""Aff-Wild2's annotations with videos or with the faces cut out of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from PIL import Image

from fer_lightning.labels import canonical_emotion
from tests.helpers.layouts.pictures import picture, write

NAMES = ("Neutral", "Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise", "Other")
RATE = 30

VIDEOS: dict[str, tuple[str, list[int]]] = {
    "1-30-1280x720": ("Train", [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, -1]),
    "video2": ("Train", [-1, 4, 4, 4, 6, 6]),
    "video5_left": ("Train", [1, 1, 4, 4]),
    "video5_right": ("Train", [5, 5, -1, 7]),
    "video9": ("Validation", [0, 1, 2, 3, 4, 5, 6]),
}
"""Split and code of every frame, in the order of :data:`NAMES`, by annotation."""


def build(
    root: Path,
    crops: bool = True,
    videos: bool = False,
    names: Sequence[str] = NAMES,
    annotations: str = "EXPR_Classification_Challenge",
    train: str = "Train_Set",
    cropped: str = "cropped_aligned",
    annotated: dict[str, tuple[str, list[int]]] = VIDEOS,
    size: int = 112,
) -> Path:
    """Short videos of which every frame shows what it is annotated with.

    Args:
        root: Where the dataset goes.
        crops: Whether the faces cut out are there.
        videos: Whether the videos are there, in ``batch1/`` and ``batch2/``.
        names: Emotions in the order of the codes; codes are given by the order of NAMES.
        annotations: Folder of the annotations.
        train: Name of the folder of the training part.
        cropped: Folder of the faces.
        annotated: Split and codes by annotation.
        size: Side of the frames.
    """
    pictures: dict[str, list[bytes]] = {}
    for stem, (split, codes) in annotated.items():
        lines = [",".join(names)]
        lines += [str(names.index(NAMES[code]) if code >= 0 else -1) for code in codes]
        folder = train if split == "Train" else f"{split}_Set"
        write(root, {f"{annotations}/{folder}/{stem}.txt": "\n".join(lines) + "\n"})
        shown = [canonical_emotion(NAMES[code]) or "neutral" for code in codes]
        faces = [picture(emotion, size) for emotion in shown]
        pictures.setdefault(stem.removesuffix("_left").removesuffix("_right"), faces)
        if crops:
            for number, face in enumerate(faces, 1):
                write(root, {f"{cropped}/{stem}/{number:05d}.jpg": face})
    if videos:
        for number, (name, faces) in enumerate(pictures.items()):
            suffix = (".mp4", ".avi")[number % 2]
            write_video(root / f"batch{number % 2 + 1}" / f"{name}{suffix}", faces)
    return root


def write_video(path: Path, faces: Sequence[bytes]) -> None:
    """Encode pictures, one a frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        codec = "libx264" if path.suffix == ".mp4" else "mpeg4"
        stream = container.add_stream(codec, rate=RATE)
        images = [np.asarray(Image.open(io.BytesIO(face)).convert("RGB")) for face in faces]
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
