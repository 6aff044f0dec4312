"""Every probe against a case whose answer is known."""

import math

import pytest
import torch
from pytest import approx
from tests.gan.helpers import blobs, small

from saddle.core.state import State
from saddle.dynamics import Sgd, Simultaneous, Steps
from saddle.gan import make_gan
from saddle.gan.batches import member_generators
from saddle.gan.losses import make_loss
from saddle.gan.probes import PROBES, ProbeBatch, describe, probe
from saddle.gan.probes.activations import observed, unit_shares
from saddle.gan.probes.batch import game_batch
from saddle.gan.probes.classes import classifier_of
from saddle.gan.probes.critic import input_gradients, logits
from saddle.gan.probes.decisions import decisions
from saddle.gan.probes.game import ritz_values, spectrum_readings
from saddle.gan.probes.gradients import gradients, updates
from saddle.gan.probes.jacobian import effective_rank, generator_jacobian, jacobian_readings
from saddle.gan.probes.pictures import class_readings, diversity, spread
from saddle.gan.probes.singular import layer_singular_values, singular_values
from saddle.networks import Linear, Network
from saddle.networks.layout import Flatten, Score, Unflatten
from saddle.theory import game_spectrum


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def batch(images: int = 16, latent: int = 8) -> ProbeBatch:
    return ProbeBatch.choose(blobs()[:100], blobs()[100:], latent=latent, images=images)


def test_the_batch_is_the_same_for_everybody_and_draws_from_nobody():
    before = torch.get_rng_state()
    first, second = batch(), batch()
    assert torch.equal(before, torch.get_rng_state())
    for name in ("train", "test", "latents", "mix"):
        assert torch.equal(getattr(first, name), getattr(second, name))
    # A smaller choice begins the larger one, so two settings look at the same images.
    assert torch.equal(batch(8).train, first.train[:8])


def test_update_ratio_of_a_gradient_step_is_the_step_times_the_gradients_norm():
    # θ⁺ = θ − h ∇L, so ‖θ⁺ − θ‖ / ‖θ‖ = h ‖∇L‖ / ‖θ‖.
    gan = make_gan(small(arch="mlp"), width_g=3, width_d=3, size=8, channels=1)
    state = gan.init(member_generators([0, 1], 0))
    scheme = Simultaneous(steps=Steps.equal(0.1), base=Sgd())
    after, _ = scheme.step(gan, state, scheme.init(gan, state), iter([game_batch(batch(), 2, 16)]))
    slopes, moved = gradients(gan, state, game_batch(batch(), 2, 16)), updates(gan, state, after)
    for player in gan.players:
        length = torch.cat([state[key].flatten(1) for key in player.keys], dim=1).norm(dim=1)
        expected = 0.1 * slopes[f"gradient_norm/{player.name}"] / length
        torch.testing.assert_close(moved[f"update_ratio/{player.name}"], expected, rtol=1e-4, atol=0.0)
    # Squared norms of a player's layers add up to the player's.
    parts = [v for k, v in slopes.items() if k.startswith("gradient_norm/generator.")]
    total = torch.stack(parts).square().sum(0).sqrt()
    torch.testing.assert_close(total, slopes["gradient_norm/generator"])


@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 7, 3), (2, 1, 5)])
def test_singular_values_are_those_of_the_decomposition(shape):
    matrix = normal(*shape)
    torch.testing.assert_close(
        singular_values(matrix).float(), torch.linalg.svdvals(matrix), rtol=1e-5, atol=1e-6
    )
    matrix[1, 0, 0] = torch.nan
    found = singular_values(matrix)
    assert found[1].isnan().all() and found[0].isfinite().all()


def test_spectral_norm_shows_as_a_largest_singular_value_of_one():
    # A fresh layer has run 15 power iterations; they give a lower estimate of σ, so W/σ is at least 1.
    gan = make_gan(small(spectral_norm="discriminator"), width_g=2, width_d=2, size=8, channels=1)
    found = layer_singular_values(gan.discriminator, gan.init(member_generators([0], 0)))
    largest = torch.cat([value for name, value in found.items() if name.startswith("sigma_max/")])
    assert ((largest > 1 - 1e-5) & (largest < 1.05)).all()


def linear_critic() -> tuple[Network, State]:
    score = Linear(name="score", inputs=4, outputs=1, std=1.0)
    critic = Network(layers=(Flatten(), score, Score()), input_shape=(1, 2, 2))
    return critic, {"score.weight": normal(2, 1, 4), "score.bias": normal(2, 1, seed=1)}


def test_input_gradients_of_a_linear_critic_are_the_norm_of_its_weight():
    critic, state = linear_critic()
    images = [normal(2, 5, 1, 2, 2, seed=seed) for seed in (2, 3)]
    for found in input_gradients(critic, state, images):
        torch.testing.assert_close(found, state["score.weight"].flatten(1).norm(dim=1))
    for found, at in zip(logits(critic, state, images, size=3), images, strict=True):
        torch.testing.assert_close(found, critic(state, at))


LOSSES = ("non-saturating", "least-squares", "hinge", "wasserstein", "relativistic")


@pytest.mark.parametrize("name", LOSSES)
def test_accuracy_is_one_when_separated_and_half_for_a_constant(name):
    loss, ones = make_loss(name), torch.ones(1, 6)
    apart = decisions(loss, 3 * ones, 2 * ones, -3 * ones)
    assert all(apart[f"{kind}/{side}"] == 1 for kind in ("accuracy", "ranking") for side in ("train", "test"))
    same = decisions(loss, ones, ones, ones)
    assert all(
        same[f"{kind}/{side}"] == 0.5 for kind in ("accuracy", "ranking") for side in ("train", "test")
    )
    unknown = decisions(loss, ones * torch.nan, None, ones)
    assert unknown["accuracy/train"].isnan() and "accuracy/test" not in unknown


def test_a_critics_accuracy_does_not_depend_on_its_constant():
    train, test, fake = normal(1, 50), normal(1, 50, seed=1), normal(1, 50, seed=2) - 1
    plain, shifted = (decisions(make_loss("wasserstein"), train + c, test + c, fake + c) for c in (0.0, 7.0))
    for kind in ("accuracy/train", "accuracy/test", "accuracy/fake", "ranking/test"):
        assert float(plain[kind]) == approx(float(shifted[kind]), abs=0.021)  # one image may round over


def test_held_out_images_are_worse_for_a_critic_that_knows_its_training_images():
    found = decisions(make_loss("non-saturating"), torch.ones(1, 4), -torch.ones(1, 4), -torch.ones(1, 4))
    assert (float(found["accuracy/train"]), float(found["accuracy/test"])) == (1.0, 0.5)
    assert (float(found["margin/train"]), float(found["margin/test"])) == (1.0, -1.0)


def linear_generator(weight: torch.Tensor) -> tuple[Network, State]:
    fleet, pixels, latent = weight.shape
    image = Linear(name="image", inputs=latent, outputs=pixels, std=1.0)
    shape = (1, 2, pixels // 2)
    network = Network(layers=(image, Unflatten(shape=shape)), input_shape=(latent,))
    return network, {"image.weight": weight, "image.bias": torch.zeros(fleet, pixels)}


def test_the_jacobian_of_a_linear_generator_is_its_matrix():
    weight = normal(2, 6, 3)
    network, state = linear_generator(weight)
    latents = normal(2, 5, 3, seed=1)
    torch.testing.assert_close(generator_jacobian(network, state, latents[:, 0]), weight.transpose(1, 2))
    found, values = jacobian_readings(network, state, latents), torch.linalg.svdvals(weight.double())
    torch.testing.assert_close(found["jacobian/sigma_max"], values[:, 0], rtol=1e-5, atol=0.0)
    torch.testing.assert_close(found["jacobian/sigma_min"], values[:, -1], rtol=1e-5, atol=0.0)
    torch.testing.assert_close(found["jacobian/condition"], values[:, 0] / values[:, -1], rtol=1e-5, atol=0.0)


def test_the_jacobian_of_a_dcgan_is_that_of_autograd():
    gan = make_gan(small(), width_g=2, width_d=2, size=8, channels=1)
    state = gan.init(member_generators([0], 0))
    frozen = state | gan.generator.statistics(state, normal(1, 32, 8))
    latent = normal(8, seed=1)

    def image(z: torch.Tensor) -> torch.Tensor:
        return gan.generator(frozen, z.view(1, 1, -1)).flatten()

    expected = torch.autograd.functional.jacobian(image, latent)
    assert isinstance(expected, torch.Tensor)
    found = generator_jacobian(gan.generator, frozen, latent[None])[0]
    torch.testing.assert_close(found, expected.T, rtol=1e-4, atol=1e-6)


def test_effective_rank_counts_equal_directions():
    # k equal values: p = 1/k, entropy ln k. One value: entropy 0. (1, 1, 1, 1, 0, 0) has rank 4.
    values = torch.tensor([[1.0] * 6, [1.0] + [0.0] * 5, [2.0] * 4 + [0.0] * 2])
    torch.testing.assert_close(effective_rank(values), torch.tensor([6.0, 1.0, 4.0]))


def test_dead_and_saturated_units_are_counted():
    gan = make_gan(small(arch="mlp"), width_g=4, width_d=4, size=8, channels=1)
    state = gan.init(member_generators([0, 1], 0))
    # Biases far below 0 silence three of four units of member 1; a bias far above saturates its output.
    state["generator.hidden2.bias"][1, :3] = -1e3
    state["generator.image.bias"][1] = 1e3
    state["discriminator.hidden1.bias"][1, :2] = -1e3
    network, seen = observed(gan.generator)
    latents = normal(2, 32, 8)
    torch.testing.assert_close(network(state, latents), gan.generator(state, latents))
    found = unit_shares(seen, 2)
    assert found["dead/generator.hidden2"].tolist()[1] >= 0.75 > found["dead/generator.hidden2"].tolist()[0]
    assert found["saturated/output"].tolist() == [0, 1]
    critic, seen = observed(gan.discriminator)
    critic(state, normal(2, 32, 1, 8, 8))
    assert unit_shares(seen, 2)["saturated/discriminator.hidden1"].tolist() == [0, 0.5]


@pytest.mark.parametrize("together_up_to", [0, 250_000_000])
def test_a_channel_is_dead_where_it_is_at_every_pixel(together_up_to):
    from dataclasses import replace

    gan = make_gan(small(), width_g=2, width_d=2, size=8, channels=1)
    state = gan.init(member_generators([0, 1], 0))
    # Batch norm with gain 0 and a negative shift gives a constant negative channel: 1 of the 2 of the last map.
    state["generator.up3_norm.weight"][1, 0], state["generator.up3_norm.bias"][1, 0] = 0.0, -1.0
    network, seen = observed(replace(gan.generator, together_up_to=together_up_to))
    network(state, normal(2, 16, 8))
    assert unit_shares(seen, 2)["dead/generator.up3"].tolist() == [0, 0.5]


def test_diversity_is_the_ratio_of_root_mean_square_distances():
    images = normal(1, 7, 1, 3, 3)
    flat = images.flatten(2)[0]
    pairs = [(flat[i] - flat[j]).square().sum() for i in range(7) for j in range(i)]
    torch.testing.assert_close(spread(images)[0], torch.stack(pairs).mean().sqrt())
    assert float(diversity(images, images)) == 1
    assert float(diversity(images[:, :1].expand(-1, 7, -1, -1, -1), images)) == 0
    torch.testing.assert_close(diversity(0.3 * images, images), torch.tensor([0.3]))


def test_classes_are_counted_and_those_that_are_missed():
    # Grey levels 0, 100 and 200 are classes 0, 1 and 2; the generator shows class 0 three times and class 2 once.
    fake = torch.tensor([-1.0, -1.0, 200 / 127.5 - 1, -1.0]).view(1, 4, 1, 1, 1).expand(1, 4, 1, 2, 2)

    def classify(images: torch.Tensor) -> torch.Tensor:
        return images[:, 0, 0, 0].long() // 100

    found = class_readings(fake, classify, classes=3, real=[0.25, 0.5, 0.25])
    assert [float(found[f"histogram/{index}"]) for index in range(3)] == [0.75, 0, 0.25]
    assert float(found["coverage/classes"]) == approx(2 / 3)
    assert float(found["histogram/distance"]) == approx(0.5)  # ½ (½ + ½ + 0)


def test_linear_discriminants_tell_well_separated_classes_apart():
    # Class 1 has no image, so nothing is ever taken for it.
    labels = torch.arange(60) % 2 * 2
    images = (normal(60, 1, 2, 2).mul(5) + 60 + 60 * labels.view(-1, 1, 1, 1)).clamp(0, 255).to(torch.uint8)
    classify = classifier_of(lambda shown: shown.flatten(1).float(), images, labels, classes=3)
    assert torch.equal(classify(images), labels)


def test_ritz_values_of_a_whole_space_are_the_eigenvalues():
    # Member 0: a rotation and a decay, λ = −1 ± 2i, −3. Member 1: symmetric, λ = 5, 2, −1.
    turning = torch.tensor([[-1.0, 2.0, 0.0], [-2.0, -1.0, 0.0], [0.0, 0.0, -3.0]])
    matrices = torch.stack([turning, torch.diag(torch.tensor([2.0, 5.0, -1.0]))]).double()

    def multiply(vectors: torch.Tensor) -> torch.Tensor:
        return torch.bmm(matrices, vectors.unsqueeze(2)).squeeze(2)

    values, residual = ritz_values(multiply, like=torch.zeros(2, 3, dtype=torch.float64), count=8)
    by_size = [(-3, 0), (-1, 2), (-1, -2)]
    found = sorted((round(z.real, 9), round(z.imag, 9)) for z in values[0].tolist())
    assert found == sorted((float(a), float(b)) for a, b in by_size)
    assert values[1].real.tolist() == approx([5, 2, -1])
    assert float(residual.max()) < 1e-9


def test_the_leading_ritz_value_of_a_gan_is_the_eigenvalue_of_game_spectrum():
    gan = make_gan(small(arch="mlp", latent=4), width_g=2, width_d=2, size=8, channels=1)
    state = gan.init(member_generators([0], 0))
    chosen = batch(latent=4)
    found = spectrum_readings(gan, state, chosen, size=16)
    exact = game_spectrum(gan, state, game_batch(chosen, 1, 16), largest=2)
    assert float(found["spectrum/residual"]) < 1e-2
    assert float(found["spectrum/radius"]) == approx(float(exact.radius), rel=1e-2)


def test_a_checkpoint_alone_is_enough_and_every_name_is_described():
    config = small(arch="mlp", ema=0.0)
    gan = make_gan(config, width_g=3, width_d=3, size=8, channels=1)
    state = gan.init(member_generators([0], 0))
    average = {key: state[key] for key in gan.generator.parameters}
    (row,) = probe(gan, state, average, batch())
    assert row["ema_distance"] == 0
    assert -1 <= row["data/min"] < row["data/mean"] < row["data/max"] <= 1
    assert all(describe(name) in PROBES.values() for name in row)
    assert describe("update_ratio/generator.up1") != describe("update_ratio/generator") != ""
    assert describe("histogram/3") and describe("raw/FD(random)/test") and not describe("nothing/at/all")
    assert all(isinstance(value, float) and not math.isnan(value) for value in row.values())
