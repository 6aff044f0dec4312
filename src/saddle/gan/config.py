"""What a GAN and its training are made of. Standard library only: the command line reads its help from here."""

from dataclasses import dataclass, fields
from typing import Literal, final

from saddle.errors import UserError

__all__ = ["GanConfig"]


@final
@dataclass(frozen=True, kw_only=True)
class GanConfig:
    """Networks, objectives and the scheme that trains them; everything here changes the result of a run."""

    arch: Literal["mlp", "dcgan", "resnet"] = "dcgan"
    """Architecture of generator and discriminator."""
    latent: int = 128
    """Dimension of the generator's input, drawn from N(0, I)."""
    norm_d: Literal["auto", "batch", "none"] = "auto"
    """Normalisation in the discriminator; auto: batch norm for dcgan, unless a penalty, spectral norm or the Wasserstein loss forbids it."""
    spectral_norm: Literal["none", "discriminator", "both"] = "none"
    """Networks whose layers are divided by their largest singular value."""
    parameterisation: Literal["standard", "mup"] = "standard"
    """How fresh weights and Adam's steps depend on the width; mup (maximal update): so that one step size suits all widths."""
    loss: Literal["non-saturating", "least-squares", "hinge", "wasserstein", "relativistic"] = (
        "non-saturating"
    )
    """Objective of the two players."""
    gradient_penalty: float = 0.0
    """Weight of (|gradient| - 1)^2 between real and fake images (10 for WGAN-GP)."""
    r1: float = 0.0
    """Weight γ of (γ/2)|gradient|^2 at real images."""
    r2: float = 0.0
    """Weight γ of (γ/2)|gradient|^2 at generated images."""
    penalty_every: int = 1
    """Apply the penalties only every this many steps, that many times stronger (lazy regularisation)."""
    critic_steps: int = 1
    """Discriminator steps per generator step (5 for WGAN-GP); alternating scheme only."""
    scheme: Literal["alternating", "simultaneous", "extragradient", "optimistic"] = "alternating"
    """Order and form of the players' steps; alternating moves the discriminator first."""
    lr_g: float = 2e-4
    """Adam's step of the generator."""
    lr_d: float = 2e-4
    """Adam's step of the discriminator."""
    beta1: float = 0.5
    """Adam's decay of the mean (0 for ResNets with a gradient penalty)."""
    beta2: float = 0.999
    """Adam's decay of the mean square."""
    ema: float = 0.999
    """Decay of the generator's moving average, which samples and scores use; 0: none. Ramps up as (1+t)/(10+t)."""
    batch: int = 64
    """Images per batch and member."""
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"
    """Arithmetic of the networks; tf32 and bfloat16 need a CUDA device."""
    robust: float = 0.0
    """Share of the training images that may not belong (0.05, say): each batch is reweighted so that as much can be ignored; 0: off."""
    robust_by: Literal["exact", "network", "trim"] = "exact"
    """Who chooses the weights: the closed form in a chi-square ball, a network that learns them in it, or the closed form that trims the share."""
    robust_scale: float = 1.0
    """Radius of the ball over the smallest one that can ignore the share completely (with trim: factor of the share)."""
    robust_every: int = 5
    """Discriminator steps between steps of the weight network."""
    robust_after: int = 300
    """Discriminator steps before the weight network's first step; all weights are about 1 until then."""
    robust_penalty: float = 100.0
    """Weight of the penalty on the weight network for leaving the ball."""

    def __post_init__(self) -> None:
        for name in ("latent", "critic_steps", "penalty_every", "batch"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("gradient_penalty", "r1", "r2"):
            _require(
                0 <= getattr(self, name) < float("inf"), name, getattr(self, name), "0 (off) or positive"
            )
        for name in ("lr_g", "lr_d"):
            _require(0 < getattr(self, name) < float("inf"), name, getattr(self, name), "positive and finite")
        for name in ("beta1", "beta2", "ema"):
            _require(0 <= getattr(self, name) < 1, name, getattr(self, name), "at least 0 and below 1")
        if self.critic_steps > 1 and self.scheme != "alternating":
            raise UserError(
                f"--critic-steps {self.critic_steps} has no meaning in the {self.scheme} scheme, where both players "
                "move at once; use --scheme alternating, or --critic-steps 1 with a larger --lr-d."
            )
        self._check_robust()
        if self.norm_d == "batch" and self._gradient_wanted:
            raise UserError(
                "--norm-d batch makes one image's gradient depend on the others of its batch, so a gradient penalty "
                "has no meaning with it; leave --norm-d auto."
            )

    def _check_robust(self) -> None:
        _require(
            0 <= self.robust < 0.5,
            "robust",
            self.robust,
            "at least 0 and below 0.5: it is the share of the training images to ignore, and the majority is what is learnt",
        )
        for name in ("robust_scale", "robust_penalty"):
            _require(0 < getattr(self, name) < float("inf"), name, getattr(self, name), "positive and finite")
        _require(self.robust_every >= 1, "robust_every", self.robust_every, "at least 1")
        _require(self.robust_after >= 0, "robust_after", self.robust_after, "0 or more")
        if self.robust > 0 and self.batch == 1:
            raise UserError("--robust compares the images of a batch, and --batch is 1; choose a larger one.")
        if self.robust_by == "trim" and self.robust * self.robust_scale >= 1:
            raise UserError(
                f"--robust {self.robust:g} with --robust-scale {self.robust_scale:g} would trim every image; "
                "their product must be below 1."
            )
        idle = _changed(self, ("robust_by", "robust_scale")) if self.robust == 0 else []
        if self.robust == 0 or self.robust_by != "network":
            idle += _changed(self, ("robust_every", "robust_after", "robust_penalty"))
        if idle:
            needed = "--robust" if self.robust == 0 else "--robust-by network"
            raise UserError(
                f"{idle[0]} has no effect without {needed}; add {needed}{' 0.05, say' * (self.robust == 0)}, "
                f"or leave {idle[0]} out."
            )

    @property
    def _gradient_wanted(self) -> bool:
        return max(self.gradient_penalty, self.r1, self.r2) > 0

    @property
    def discriminator_norm(self) -> Literal["batch", "none"]:
        """`norm_d` with `auto` resolved."""
        if self.norm_d != "auto":
            return self.norm_d
        forbidden = self._gradient_wanted or self.spectral_norm != "none" or self.loss == "wasserstein"
        return "batch" if self.arch == "dcgan" and not forbidden else "none"


def _changed(config: GanConfig, names: tuple[str, ...]) -> list[str]:
    """The options of these names that do not stand at their defaults, as they are written."""
    defaults = {field.name: field.default for field in fields(config)}
    return [f"--{name.replace('_', '-')}" for name in names if getattr(config, name) != defaults[name]]


def _require(good: bool, name: str, value: object, rule: str) -> None:
    if not good:
        raise UserError(f"--{name.replace('_', '-')} is {value}; it must be {rule}.")
