"""Official weights: taken over, turned from BGR, or refused with what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.config import GANmutConfig, Space
from fer_lightning.models.ganmut.module import GANmut
from fer_lightning.models.ganmut.space import GaussianSpace

SMALL = {"generator_width": 4, "generator_blocks": 1, "discriminator_width": 4, "depth": 4}
FACES = FaceFormat(image_size=32, channels=3, classes=EMOTIONS[:7], frequencies=[1] * 7)


class OfficialResidual(nn.Module):
    """As the official code builds it."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
            nn.InstanceNorm2d(filters, affine=True, track_running_stats=True),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
            nn.InstanceNorm2d(filters, affine=True, track_running_stats=True),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = hidden + self.main(hidden)
        return out


class OfficialGenerator(nn.Module):
    """Its layers under their names, for a width of 4 and one block."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        if space is Space.linear:
            self.axes = nn.Linear(2, 6)
        else:
            self.mu = nn.Linear(2, 7, bias=False)
            self.covariance_angles = nn.Linear(7, 1, bias=False)
            self.covariance_axes = nn.Linear(2, 7, bias=False)
        layers: list[nn.Module] = []
        for kind, inputs, outputs, how in (
            (nn.Conv2d, 5, 4, (7, 1, 3)),
            (nn.Conv2d, 4, 8, (4, 2, 1)),
            (nn.Conv2d, 8, 16, (4, 2, 1)),
            (None, 16, 16, ()),
            (nn.ConvTranspose2d, 16, 8, (4, 2, 1)),
            (nn.ConvTranspose2d, 8, 4, (4, 2, 1)),
        ):
            if kind is None:
                layers.append(OfficialResidual(16))
                continue
            norm = nn.InstanceNorm2d(outputs, affine=True, track_running_stats=True)
            layers += [kind(inputs, outputs, *how, bias=False), norm, nn.ReLU()]
        layers += [nn.Conv2d(4, 3, 7, 1, 3, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3)

    def forward(self, images: Tensor, points: Tensor) -> Tensor:
        planes = points[:, :, None, None].repeat(1, 1, *images.shape[2:])
        edits: Tensor = self.main(torch.cat([images, planes], 1))
        return edits


class OfficialDiscriminator(nn.Module):
    """Its layers under their names, for a width of 4 and 32 pixels."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, 4), (4, 8), (8, 16), (16, 32)):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.01)]
        self.main = nn.Sequential(*layers)
        self.conv1 = nn.Conv2d(32, 1, 3, 1, 1, bias=False)
        joint = space is Space.gaussian
        self.conv2 = nn.Conv2d(32, 9 if joint else 7, 2, bias=False)
        self.conv3 = nn.Identity() if joint else nn.Conv2d(32, 2, 2, bias=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        hidden = self.main(images)
        read = self.conv2(hidden).flatten(1)
        points = read[:, 7:] if read.shape[1] == 9 else self.conv3(hidden).flatten(1)
        return [self.conv1(hidden), read[:, :7], points]


@pytest.fixture(params=list(Space), ids=lambda space: space.name)
def space(request: pytest.FixtureRequest) -> Space:
    chosen: Space = request.param
    return chosen


@pytest.fixture
def files(space: Space, tmp_path: Path) -> dict[str, nn.Module]:
    torch.manual_seed(1)
    networks = {"G": OfficialGenerator(space), "D": OfficialDiscriminator(space)}
    for name, network in networks.items():
        torch.save(network.state_dict(), tmp_path / name)
    return networks


def loaded(folder: Path, faces: FaceFormat = FACES, **settings: Any) -> GANmut:
    given = {"official_weights": folder / "G", "official_discriminator": folder / "D", **SMALL}
    module = GANmutConfig(**{**given, **settings}).build(faces, seed=0)
    module.load_pretrained()
    return module


@torch.no_grad()
def test_rgb_faces_are_edited_as_the_official_code_edits_bgr(
    files: dict[str, nn.Module], space: Space, tmp_path: Path
) -> None:
    module = loaded(tmp_path, space=space, ema_half_life=10)
    images, points = torch.rand(3, 3, 32, 32) * 2 - 1, torch.rand(3, 2)
    bgr = images.flip(1)
    # In training mode, as the official code always is; nn.InstanceNorm2d then has no use for its
    # running statistics.
    edits = files["G"](bgr, points)
    torch.testing.assert_close(module.edit(images, points).flip(1), edits, atol=1e-4, rtol=1e-3)
    said = files["D"](bgr)
    torch.testing.assert_close(module.criticise(images), said[0].mean((1, 2, 3)))
    torch.testing.assert_close(module.discriminator(images).logits, said[1])
    torch.testing.assert_close(module.locate(images), said[2])


@torch.no_grad()
def test_the_space_is_taken_over(files: dict[str, nn.Module], space: Space, tmp_path: Path) -> None:
    module = loaded(tmp_path, space=space)
    generator: Any = files["G"]
    ours = module.points(torch.arange(7), 1.0)
    if space is Space.linear:
        wanted = F.normalize(generator.axes.weight, dim=1)
        torch.testing.assert_close(ours, torch.cat([torch.zeros(1, 2), wanted]))
        return
    torch.testing.assert_close(ours, generator.mu.weight.tanh())
    own = module.generator.space
    assert isinstance(own, GaussianSpace)
    torch.testing.assert_close(own.angles, generator.covariance_angles.weight[0])
    torch.testing.assert_close(own.variances, generator.covariance_axes.weight)


@pytest.mark.parametrize("space", [Space.linear], indirect=True)
def test_a_generator_alone_will_do(files: dict[str, nn.Module], tmp_path: Path) -> None:
    module = loaded(tmp_path, official_discriminator=None)
    images, points = torch.rand(2, 3, 32, 32), torch.rand(2, 2)
    with torch.no_grad():
        edits = files["G"](images.flip(1), points).flip(1)
    torch.testing.assert_close(module.edit(images, points), edits, atol=1e-4, rtol=1e-3)
    fresh = GANmutConfig(**SMALL).build(FACES, seed=0).discriminator.state_dict()
    assert all(torch.equal(v, fresh[k]) for k, v in module.discriminator.state_dict().items())


@pytest.mark.parametrize("space", [Space.linear], indirect=True)
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"generator_width": 8}, r"official_weights=.*/G: .* pass model\.generator_width=4$"),
        ({"generator_blocks": 2}, r"pass model\.generator_blocks=1$"),
        ({"dimension": 3}, r"pass model\.dimension=2$"),
        ({"space": Space.gaussian}, r"pass model\.space=linear$"),
        ({"discriminator_width": 8, "depth": 3},
         r"official_discriminator=.*/D: .*pass model\.discriminator_width=4 model\.depth=4$"),
    ],
)  # fmt: skip
def test_weights_of_another_network_name_the_keys(
    files: dict[str, nn.Module], tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        loaded(tmp_path, **settings)


@pytest.mark.parametrize("space", [Space.linear], indirect=True)
def test_other_faces_are_refused(files: dict[str, nn.Module], tmp_path: Path) -> None:
    for size, channels, told in ((64, 3, "pass image_size=32$"), (32, 1, "pass channels=3$")):
        faces = FaceFormat(
            image_size=size, channels=channels, classes=EMOTIONS[:7], frequencies=[1] * 7
        )
        with pytest.raises(UserError, match=told):
            loaded(tmp_path, faces)
    for classes in (EMOTIONS, EMOTIONS[:6]):
        faces = FaceFormat(image_size=32, channels=3, classes=classes, frequencies=[1] * 8)
        with pytest.raises(UserError, match=r"data\.only=\[neutral,.*,anger\]$"):
            loaded(tmp_path, faces)


@pytest.mark.parametrize("space", [Space.gaussian], indirect=True)
def test_the_official_gaussian_of_three_dimensions_is_refused(
    files: dict[str, nn.Module], tmp_path: Path
) -> None:
    weights = files["G"].state_dict()
    first = weights["main.0.weight"]
    weights["main.0.weight"] = torch.cat([first, first[:, -1:]], 1)
    weights["mu.weight"] = torch.zeros(7, 3)
    torch.save(weights, tmp_path / "G3")
    for dimension in (2, 3):  # nobody is told first to ask for three
        settings = {"space": Space.gaussian, "dimension": dimension, "official_discriminator": None}
        with pytest.raises(UserError, match=r"G3: the official Gaussian space of three dimensions"):
            loaded(tmp_path, official_weights=tmp_path / "G3", **settings)


@pytest.mark.parametrize("space", [Space.linear], indirect=True)
def test_a_file_of_something_else_is_refused(files: dict[str, nn.Module], tmp_path: Path) -> None:
    (tmp_path / "no").write_bytes(b"nothing")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other")
    with pytest.raises(UserError, match=r"official_weights=.*/no: it cannot be read"):
        loaded(tmp_path, official_weights=tmp_path / "no")
    for name in ("other", "D"):
        with pytest.raises(UserError, match="of no network that model=ganmut has"):
            loaded(tmp_path, official_weights=tmp_path / name)
