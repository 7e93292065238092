"""SFEW 2.0, with whole frames or with aligned faces."""

from __future__ import annotations

from pathlib import Path

from fer_lightning.labels import canonical_emotion
from tests.helpers.layouts.pictures import picture, write

FOLDERS = ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
OFFICIAL = {"Train": (178, 66, 98, 198, 150, 172, 96), "Val": (77, 23, 47, 73, 86, 73, 57)}
"""Images of each folder."""

PLAIN = {"Train": "Train", "Val": "Val", "Test": "Test"}
ALIGNED = {
    "Train": "Train_Aligned_Faces",
    "Val": "Val_Aligned_Faces_new/Val_Aligned_Faces",
    "Test": "Test_Aligned_Faces",
}
EACH = {"Train": 2, "Val": 1}


def build(root: Path, folders: dict[str, str] = PLAIN, test: int = 3, size: int = 96) -> Path:
    """Two images of each emotion to train, one to validate, and some without labels to test.

    Args:
        root: Where the folders of the splits go.
        folders: Name of each split's folder, or path of its class folders.
        test: How many images without labels.
        size: Side of the images.
    """
    for split, each in EACH.items():
        for folder in FOLDERS:
            face = picture(canonical_emotion(folder) or "", size, ".png")
            for number in range(each):
                write(
                    root, {f"{folders[split]}/{folder}/Film_00012{number}_0000{number}.png": face}
                )
    for number in range(test):
        face = picture("happiness", size, ".png")
        write(root, {f"{folders['Test']}/Film_00099{number}_00000001.png": face})
    return root
