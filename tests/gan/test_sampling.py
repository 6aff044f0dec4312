"""Samples depend on their latent and the weights, and nothing else."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from saddle.errors import UserError
from saddle.gan.sampling import fixed_latents, grid_png, sample, write_images
from saddle.gan.saved import open_run
from saddle.networks import generator

PINNED = [-1.8062137365341187, -0.270496129989624, -0.5529390573501587, -0.9401940107345581]


def network():
    net = generator("dcgan", width=2, size=8, channels=1, latent=8)
    return net, net.init([torch.Generator().manual_seed(0)])


def test_an_image_is_the_same_however_many_are_drawn():
    net, state = network()
    many = sample(net, state, fixed_latents(0, 200, 8, purpose=4))
    few = sample(net, state, fixed_latents(0, 200, 8, purpose=4)[:, :3])
    assert many.shape == (200, 1, 8, 8)
    assert torch.equal(many[:3], few)


def test_latents_are_the_same_for_ever():
    # Pinned: a changed stream would change every grid and score of a resumed run.
    assert fixed_latents(0, 2, 2, purpose=3).flatten().tolist() == pytest.approx(PINNED, abs=1e-6)
    assert not torch.equal(fixed_latents(0, 2, 2, purpose=3), fixed_latents(0, 2, 2, purpose=4))


def test_a_grid_shows_each_image_enlarged_by_whole_pixels():
    images = torch.arange(6, dtype=torch.uint8)[:, None, None, None].expand(6, 1, 8, 8) * 40
    picture = np.asarray(Image.open(io.BytesIO(grid_png(images, columns=3))))
    assert picture.shape == (2 * 33 + 1, 3 * 33 + 1)
    for index in range(6):
        row, column = divmod(index, 3)
        cell = picture[row * 33 + 1 : row * 33 + 33, column * 33 + 1 : column * 33 + 33]
        assert (cell == 40 * index).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_written_as_grid_array_or_folder(tmp_path, channels):
    images = torch.randint(0, 256, (5, channels, 8, 8), dtype=torch.uint8)
    write_images(images, tmp_path / "a.npz")
    assert np.array_equal(np.load(tmp_path / "a.npz")["x"], images.permute(0, 2, 3, 1).numpy())
    write_images(images, tmp_path / "folder")
    files = sorted((tmp_path / "folder").iterdir())
    assert [file.name for file in files] == [f"{i:06d}.png" for i in range(5)]
    first = np.asarray(Image.open(files[0]))
    assert np.array_equal(first.reshape(8, 8, channels), images[0].permute(1, 2, 0).numpy())


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no run with a checkpoint"):
        open_run(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        open_run(tmp_path / "nowhere")
