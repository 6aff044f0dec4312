"""The maximal update parameterisation: what it is at the base width, what it scales, and what that does to training."""

import math

import pytest
import torch
from pytest import approx

from saddle.data import DataConfig, load_split
from saddle.errors import UserError
from saddle.gan import GanConfig, make_dynamics, make_gan
from saddle.gan.batches import GanBatches, member_generators
from saddle.networks import (
    BASE_WIDTH,
    Network,
    TransposedConv,
    discriminator,
    generator,
    maximal_update,
    preactivations,
)
from saddle.networks.layer import Layer
from saddle.networks.weighted import Weighted
from saddle.studies.width_transfer.coordinates import Coordinates, coordinate_check

ARCHITECTURES = ("mlp", "dcgan", "resnet")


def pair(arch: str, width: int, parameterisation: str, spectral: bool = False) -> tuple[Network, Network]:
    return (
        generator(
            arch,
            width=width,
            size=8,
            channels=1,
            latent=5,
            spectral_norm=spectral,
            parameterisation=parameterisation,  # type: ignore[arg-type]
        ),
        discriminator(
            arch,
            width=width,
            size=8,
            channels=1,
            spectral_norm=spectral,
            parameterisation=parameterisation,  # type: ignore[arg-type]
        ),
    )


def weighted(layer: Layer) -> dict[str, Weighted]:
    if isinstance(layer, Weighted):
        return {layer.name: layer}
    return {name: each for part in getattr(layer, "parts", ()) for name, each in weighted(part).items()}


def layers(network: Network) -> dict[str, Weighted]:
    return {name: each for layer in network.layers for name, each in weighted(layer).items()}


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_at_the_base_width_nothing_changes(arch, spectral):
    standard, mup = pair(arch, BASE_WIDTH, "standard", spectral), pair(arch, BASE_WIDTH, "mup", spectral)
    for one, other in zip(standard, mup, strict=True):
        first, second = one.init(member_generators([3], 0)), other.init(member_generators([3], 0))
        assert first.keys() == second.keys()
        assert all(torch.equal(first[key], second[key]) for key in first)
        x = torch.randn(1, 4, *one.input_shape, generator=torch.Generator().manual_seed(0))
        assert torch.equal(one(first, x), other(second, x))


# At r = 4 times the base width: multiplier of layers with one finite end and of those with none (maximal_update's table).
ROLES = {
    "mlp": {"hidden1": "input", "hidden2": "hidden", "image": "output", "score": "output"},
    "dcgan": {"base": "input", "up1": "hidden", "up3": "hidden", "image": None, "down1": "hidden", "score": "output"},
    "resnet": {
        "base": "input", "up1.conv1": "hidden", "up1.shortcut": "hidden", "down1.conv1": "input",
        "down1.shortcut": "input", "down1.conv2": "hidden", "plain2.conv2": "hidden", "score": "output",
    },
}  # fmt: skip


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_multipliers_and_deviations_are_the_tables(arch):
    multiplier = {"input": 1.0, "hidden": 0.25, "output": 0.25}
    stored = {"input": 1.0, "hidden": 2.0, "output": 1.0}
    for made, base in zip(pair(arch, 4 * BASE_WIDTH, "mup"), pair(arch, BASE_WIDTH, "standard"), strict=True):
        at_base = layers(base)
        for name, layer in layers(made).items():
            role = ROLES[arch].get(name.split(".", 1)[1])
            if role is not None:
                assert layer.multiplier == multiplier[role]
                assert layer.std == approx(stored[role] * at_base[name].std)
    # The two ends of a DCGAN are both called image.
    if arch == "dcgan":
        made = [layers(network) for network in pair(arch, 4 * BASE_WIDTH, "mup")]
        assert made[0]["generator.image"].multiplier == 0.25
        assert made[1]["discriminator.image"].multiplier == 1


def test_a_transposed_convolution_has_its_role_from_its_channels_not_its_axes():
    # Its weight is (inputs, outputs, 4, 4): read as (outputs, inputs, …), the two ends would change places.
    def of(inputs: int, outputs: int) -> Network:
        layer = TransposedConv(name="up", inputs=inputs, outputs=outputs, std=0.02)
        return Network(layers=(layer,), input_shape=(inputs, 2, 2))

    for base, wide, multiplier, std in (
        (of(5, 16), of(5, 128), 1.0, 0.02),  # input: latent → channels
        (of(16, 3), of(128, 3), 1 / 8, 0.02),  # output: channels → pixels
        (of(32, 16), of(256, 128), 1 / 8, 0.02 * math.sqrt(8)),
    ):
        (layer,) = maximal_update(wide, base).layers
        assert isinstance(layer, Weighted)
        assert layer.multiplier == approx(multiplier) and layer.std == approx(std)


def test_a_transposed_convolution_keeps_the_size_of_its_output_at_every_width():
    # Effective variance σ²/r over r times as many terms: fan-in is 16 · inputs / 4 to an output pixel, away from borders.
    def of(channels: int) -> Network:
        layer = TransposedConv(name="up", inputs=channels, outputs=channels, std=0.02, bias=False)
        return Network(layers=(layer,), input_shape=(channels, 8, 8))

    for r in (1, 8):
        network = maximal_update(of(16 * r), of(16))
        state = network.init(member_generators([0], 0))
        x = torch.randn(1, 4, 16 * r, 8, 8, generator=torch.Generator().manual_seed(1))
        inner = network.layers[0].apply(state, x[0])[:, :, 1:-1, 1:-1]
        # The variance of 4 · 16 · 16 r · 196 outputs that share 16² r² · 16 weights.
        assert float(inner.square().mean()) == approx(0.02**2 * 4 * 16, rel=0.1)


def test_adams_first_step_moves_a_hidden_layer_r_times_less():
    # m/√s of the first step is the gradient's sign: every stored entry moves by h, and what the layer uses by h/r.
    config = GanConfig(arch="mlp", parameterisation="mup", latent=5, batch=8, lr_g=1e-3, lr_d=1e-3)
    problem = make_gan(config, width_g=64, width_d=64, size=8, channels=1)
    dynamics = make_dynamics(config)
    state = problem.init(member_generators([0], 0))
    images = torch.randint(256, (16, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    batches = GanBatches(images, seeds=[0], batch=8, latent=5)
    after, _ = dynamics.step(problem, state, dynamics.init(problem, state), batches)
    for name, factor in (("hidden1", 1.0), ("hidden2", 0.25), ("hidden3", 0.25), ("score", 0.25)):
        layer = layers(problem.discriminator)[f"discriminator.{name}"]
        moved = (layer.weight_of(after) - layer.weight_of(state)).abs()
        assert float(moved.median()) == approx(1e-3 * factor, rel=2e-3)


def test_under_spectral_norm_the_multiplier_is_the_largest_singular_value():
    # √r at the input and 1/√r at the output, here at r = 4.
    score = pair("resnet", 4 * BASE_WIDTH, "mup", spectral=True)[1]
    found = layers(score)
    ends = {"down1.conv1": 2.0, "down1.shortcut": 2.0, "score": 0.5}
    for name, each in found.items():
        assert each.multiplier == approx(ends.get(name.removeprefix("discriminator."), 1.0))
    name, layer = next(iter(found.items()))
    state = score.init(member_generators([0], 0))
    state |= {key: tensor for _ in range(30) for key, tensor in layer.refresh(state).items()}
    assert name == layer.name
    assert float(torch.linalg.matrix_norm(layer.matrix(layer.weight_of(state))[0], 2)) == approx(2, rel=0.02)


def test_preactivations_end_with_what_the_network_puts_out():
    for network, activation in zip(pair("resnet", 3, "standard"), (torch.tanh, lambda x: x), strict=True):
        state = network.init(member_generators([0, 1], 0))
        x = torch.randn(2, 6, *network.input_shape, generator=torch.Generator().manual_seed(0))
        found = preactivations(network, state, x)
        assert list(found) == list(layers(network))
        assert torch.allclose(activation(list(found.values())[-1]), network(state, x).flatten(1), atol=1e-6)


@pytest.mark.parametrize("arch", ["mlp", "dcgan"])
def test_under_spectral_norm_a_fresh_discriminator_is_the_standard_one(arch):
    # Biases are 0 and leaky ReLU is homogeneous, so √r · 1 ⋯ 1 · 1/√r = 1 comes out; the scale of w is divided away.
    standard, mup = (pair(arch, 64, name, spectral=True)[1] for name in ("standard", "mup"))
    x = torch.randn(2, 6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    one, other = (network(network.init(member_generators([0, 1], 0)), x) for network in (standard, mup))
    assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)


WIDTHS = (128, 256, 512)


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    return load_split(DataConfig(data="digits")).train.images[:64]


def check(digits: torch.Tensor, parameterisation: str, **options: object) -> Coordinates:
    config = GanConfig(arch="mlp", latent=16, parameterisation=parameterisation, **options)  # type: ignore[arg-type]
    return coordinate_check(config, WIDTHS, images=digits, steps=1, seeds=(0, 1, 2, 3))


def test_only_the_standard_networks_first_steps_grow_with_the_width(digits):
    # A sign step h on a hidden layer moves its output by h Σ|x_j| ~ h · width, in mup by (h/r) Σ|x_j|: slopes 1 and 0.
    # The movement that comes from below adds a term of slope 0, so at finite width the standard slope is below 1.
    # At an output layer: 1 (its own step) to 3/2 (the steps below it, seen through weights ~ width^-½).
    # The output of mup starts at width^-½, a term that dies out with the width.
    standard, mup = check(digits, "standard"), check(digits, "mup")
    for player, last in (("generator", "image"), ("discriminator", "score")):
        for layer in ("hidden2", "hidden3"):
            assert 0.6 < standard.slope(f"{player}.{layer}", 1).mean() < 1.1
            assert abs(mup.slope(f"{player}.{layer}", 1).mean()) < 0.12
        assert 0.9 < standard.slope(f"{player}.{last}", 1).mean() < 1.6
        assert abs(mup.slope(f"{player}.{last}", 1).mean()) < 0.25
        for found in (standard, mup):  # fan-in is finite
            assert abs(found.slope(f"{player}.hidden1", 1).mean()) < 0.12


def test_the_change_is_zero_before_the_first_step_and_the_value_is_not(digits):
    found = check(digits, "mup")
    assert (
        (found.change[:, :, 0] == 0).all() and (found.change[:, :, 1] > 0).all() and (found.value > 0).all()
    )
    assert found.layers[0] == "generator.hidden1" and found.layers[-1] == "discriminator.score"


def test_spectral_norm_does_not_bring_the_width_back(digits):
    # Inputs of d = 64 pixels: σ ∝ √width + √d where the table has √width, so every change has the excess slope
    # ½ − slope of log(√width + √d) = 0.17 over these widths; without the multiplier √r the first layer has 0.17 − ½.
    standard, mup = (check(digits, name, spectral_norm="discriminator") for name in ("standard", "mup"))
    excess = 0.5 - (math.log2(math.sqrt(512) + 8) - math.log2(math.sqrt(128) + 8)) / 2
    for layer in ("hidden1", "hidden2", "hidden3", "score"):
        assert abs(mup.slope(f"discriminator.{layer}", 1).mean() - excess) < 0.12
    assert abs(standard.slope("discriminator.hidden1", 1).mean() - (excess - 0.5)) < 0.12


def test_a_check_of_one_width_or_too_few_images_is_refused(digits):
    with pytest.raises(UserError, match="compares widths"):
        coordinate_check(GanConfig(arch="mlp"), [8], images=digits)
    with pytest.raises(UserError, match="give more"):
        coordinate_check(GanConfig(arch="mlp"), [8, 16], images=digits[:10])
