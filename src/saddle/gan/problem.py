"""The GAN as a game between two networks."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.problem import Player, Problem
from saddle.core.state import State
from saddle.errors import UserError
from saddle.gan.batches import GanBatch
from saddle.gan.config import GanConfig
from saddle.gan.losses import Loss, make_loss
from saddle.gan.penalties import gradient_penalty, squared_gradient
from saddle.gan.weighing import NetworkWeighing, Weighing, make_weighing, network_weights
from saddle.networks import Network, discriminator, generator

__all__ = ["DISCRIMINATOR", "GENERATOR", "WEIGHTS", "GanProblem", "make_gan"]

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
WEIGHTS = "weights"
"The third player of a robust GAN with a weight network, which steps on a schedule of its own."


@final
@dataclass(frozen=True, kw_only=True)
class GanProblem(Problem):
    """Two players that both descend: the discriminator its loss plus penalties, the generator its loss.

    The state holds the parameters of both networks and the untrained vectors of spectral normalisation. With a
    `weighing` the real images count by their weights (`saddle.gan.weighing`), which the players take as they are; a
    network that learns them has its parameters in the state too, and `objective_of(WEIGHTS)` is what it descends.
    """

    generator: Network
    discriminator: Network
    loss: Loss
    config: GanConfig
    weighing: Weighing | None = None

    def __post_init__(self) -> None:
        players = (
            Player(name=DISCRIMINATOR, keys=self.discriminator.parameters),
            Player(name=GENERATOR, keys=self.generator.parameters),
        )
        object.__setattr__(self, "players", players)

    def init(self, generators: Sequence[torch.Generator]) -> State:
        state = self.generator.init(generators) | self.discriminator.init(generators)
        # Drawn last: the other two start as they do without it.
        network = self.weight_network
        return state if network is None else state | network.init(generators)

    @property
    def weight_network(self) -> Network | None:
        """The network that learns the weights of the real images, or None."""
        return self.weighing.network if isinstance(self.weighing, NetworkWeighing) else None

    def objective(self, state: State, batch: GanBatch) -> dict[str, Float[Tensor, " fleet"]]:
        return {player.name: self.objective_of(player.name, state, batch) for player in self.players}

    def objective_of(self, player: str, state: State, batch: GanBatch) -> Float[Tensor, " fleet"]:
        if player == GENERATOR:
            return self._generator_loss(state, batch)
        if player == WEIGHTS:
            return self._weights_loss(state, batch)
        return self._discriminator_loss(state, batch)

    def project(self, player: str, state: State) -> State:
        network = self.generator if player == GENERATOR else self.discriminator
        return network.refresh(state) if network.buffers else {}

    def _generator_loss(self, state: State, batch: GanBatch) -> Float[Tensor, " fleet"]:
        real = None
        with self._precision(batch.latent.device):
            fake = self.discriminator(state, self.generator(state, batch.latent))
            if self.loss.paired:
                with _standing(state, self.discriminator):
                    real = self.discriminator(state, batch.real)
        terms = self.loss.generator_terms(fake.float(), None if real is None else real.float())
        if self.weighing is None or real is None:
            return terms.mean(1)
        weights, _ = self.weighing(state, batch.real, self.loss.real_terms(real.float(), fake.float()))
        return (weights * terms).mean(1)

    def _weights_loss(self, state: State, batch: GanBatch) -> Float[Tensor, " fleet"]:
        """`−E[w ℓ] + penalty · max(0, E(w − 1)²/2 − rho)`: the weights raise the discriminator's loss, inside the ball."""
        assert isinstance(self.weighing, NetworkWeighing)
        with self._precision(batch.real.device), torch.no_grad():
            real = fake = self.discriminator(state, batch.real).float()
            if self.loss.paired:
                fake = self.discriminator(state, self.generator(state, batch.latent)).float()
            terms = self.loss.real_terms(real, fake)
        with self._precision(batch.real.device):
            weights = network_weights(self.weighing.network, state, batch.real)
        outside = torch.relu((weights - 1).square().mean(1) / 2 - self.weighing.rho)
        return self.config.robust_penalty * outside - (weights * terms).mean(1)

    def _discriminator_loss(self, state: State, batch: GanBatch) -> Float[Tensor, " fleet"]:
        config = self.config
        penalised = batch.step % config.penalty_every == 0
        with self._precision(batch.latent.device):
            with _standing(state, self.generator):
                fake_images = self.generator(state, batch.latent).to(batch.real.dtype)
            if penalised and config.r1 > 0:
                batch.real.requires_grad_()
            if penalised and config.r2 > 0:
                fake_images.requires_grad_()
            real, fake = self._logits(state, batch.real, fake_images)
        value = self._matching_loss(state, batch, real.float(), fake.float())
        if not penalised:
            return value
        if config.r1 > 0:
            value = value + 0.5 * config.r1 * config.penalty_every * squared_gradient(real, batch.real)
        if config.r2 > 0:
            value = value + 0.5 * config.r2 * config.penalty_every * squared_gradient(fake, fake_images)
        if config.gradient_penalty > 0:
            penalty = gradient_penalty(
                lambda images: self._critic(state, images),
                batch.real.detach(),
                fake_images if _live(state, self.generator) else fake_images.detach(),
                batch.uniform(),
            )
            value = value + config.gradient_penalty * config.penalty_every * penalty
        return value

    def _matching_loss(
        self, state: State, batch: GanBatch, real: Tensor, fake: Tensor
    ) -> Float[Tensor, " fleet"]:
        """The discriminator's loss without penalties."""
        if self.weighing is None:
            return self.loss.discriminator(real, fake)
        terms = self.loss.real_terms(real, fake)
        weights, whole = self.weighing(state, batch.real, terms)
        batch.note_weights(whole)
        return (weights * terms).mean(1) + self.loss.fake_terms(fake).mean(1)

    def _critic(self, state: State, images: Tensor) -> Float[Tensor, "fleet batch"]:
        # Reduced precision for the forward pass only: the gradient is taken outside.
        with self._precision(images.device):
            return self.discriminator(state, images).float()

    def _logits(self, state: State, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        if config_needs_two_passes(self.config):
            return self.discriminator(state, real), self.discriminator(state, fake)
        # Without batch norm the images do not meet, and one pass over both halves costs less than two.
        both = self.discriminator(state, torch.cat([real, fake], dim=1))
        return both[:, : real.shape[1]], both[:, real.shape[1] :]

    def _precision(self, device: torch.device) -> AbstractContextManager[object]:
        if self.config.precision == "bfloat16" and device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()


def _live(state: State, network: Network) -> bool:
    """Whether someone differentiates through `network`: its own step, or the derivatives of the other's field."""
    return any(state[key].requires_grad for key in network.parameters)


def _standing(state: State, network: Network) -> AbstractContextManager[object]:
    """No graph through a network that stands still while the other player steps."""
    return nullcontext() if _live(state, network) else torch.no_grad()


def config_needs_two_passes(config: GanConfig) -> bool:
    """Batch norm keeps separate statistics for real and generated images; R1 and R2 need separate inputs."""
    return config.discriminator_norm == "batch" or config.r1 > 0 or config.r2 > 0


def make_gan(config: GanConfig, *, width_g: int, width_d: int, size: int, channels: int) -> GanProblem:
    """Networks of `config` at the given widths for `channels` x `size` x `size` images, as a game."""
    if config.arch == "mlp" and config.spectral_norm == "both":
        raise UserError(
            "--spectral-norm both with --arch mlp gives a generator whose images hardly vary (four layers of norm 1 and "
            "no batch norm to restore the scale); use --spectral-norm discriminator."
        )
    return GanProblem(
        generator=generator(
            config.arch,
            width=width_g,
            size=size,
            channels=channels,
            latent=config.latent,
            spectral_norm=config.spectral_norm == "both",
            parameterisation=config.parameterisation,
            prefix="generator.",
        ),
        discriminator=discriminator(
            config.arch,
            width=width_d,
            size=size,
            channels=channels,
            spectral_norm=config.spectral_norm != "none",
            norm=config.discriminator_norm,
            parameterisation=config.parameterisation,
            prefix="discriminator.",
        ),
        loss=make_loss(config.loss),
        config=config,
        weighing=make_weighing(config, width=width_d, size=size, channels=channels),
    )
