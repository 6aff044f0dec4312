"""What can be measured of a run at its checkpoint, with the images that it was trained on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Complex
from torch import Tensor

from saddle.core.state import State
from saddle.data import ImageSet, Split
from saddle.errors import UserError
from saddle.gan.batches import member_generators
from saddle.gan.config import GanConfig
from saddle.gan.probes import ProbeBatch, probe
from saddle.gan.problem import GanProblem, make_gan
from saddle.gan.sampling import fixed_latents, sample
from saddle.studies.diagnosis.exhibits import Exhibits
from saddle.studies.diagnosis.measures import images as seen
from saddle.studies.diagnosis.measures.players import BATCH, SEED, Probed
from saddle.studies.diagnosis.measures.rotation import AFFORDABLE, leading_eigenvalues, rotation_facts

__all__ = ["Measured", "measure", "problem_of"]

SAMPLED = 8
"Purpose number of the latents that a diagnosis samples."
FEW = 8
"Pairs of neighbours on the page."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """Numbers by name, why others are missing, and what to show."""

    numbers: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    exhibits: Exhibits = field(default_factory=Exhibits)


def problem_of(config: Mapping[str, Any]) -> GanProblem:
    """The game that a run's configuration describes; `UserError` where it describes none."""
    try:
        known = {field.name for field in fields_of(GanConfig)}
        gan = GanConfig(**{key: value for key, value in config["gan"].items() if key in known})
        return make_gan(
            gan,
            width_g=int(config["width_g"]),
            width_d=int(config["width_d"]),
            size=int(config["data"]["size"]),
            channels=int(config["data"]["channels"]),
        )
    except UserError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"The run's config.json is no configuration of a GAN ({error!r}).") from None


def measure(
    problem: GanProblem,
    payload: Mapping[str, Any],
    split: Split,
    *,
    seed: int,
    spectrum: bool | None,
) -> Measured:
    """Measure everything that the findings ask for. `spectrum=None`: the game's spectrum where it costs seconds."""
    found = Measured()
    found.numbers.update({f"pixels/{key}": v for key, v in seen.data_facts(split.train.images).items()})
    state: State = payload["state"]
    weights = {key: payload["average"].get(key, state[key]) for key in state}
    if not all(bool(torch.isfinite(t).all()) for t in (*state.values(), *weights.values())):
        found.numbers["weights/finite"] = 0.0
        found.missing["checkpoint"] = "the checkpoint's weights are not finite"
        return found
    exhibits = _measure_images(found, problem, weights, split, seed)
    probed = Probed(problem, state, split.train.images, split.test.images)
    found.numbers.update(_probes(problem, payload, split))
    found.numbers.update(probed.overfit())
    first = problem.init(member_generators([seed], 0))
    found.numbers.update(probed.signal(first))
    eigenvalues = _measure_spectrum(found, probed, spectrum)
    return Measured(
        numbers=found.numbers,
        missing=found.missing,
        exhibits=Exhibits(**exhibits, eigenvalues=eigenvalues),
    )


def _probes(problem: GanProblem, payload: Mapping[str, Any], split: Split) -> dict[str, float]:
    """The light probes of training, taken at the checkpoint; without the update's size, which takes two states."""
    batch = ProbeBatch.choose(split.train.images, split.test.images, latent=problem.config.latent)
    (found,) = probe(problem, payload["state"], payload["average"], batch)
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _measure_images(
    found: Measured, problem: GanProblem, weights: State, split: Split, seed: int
) -> dict[str, Tensor]:
    latents = fixed_latents(seed, BATCH, problem.config.latent, purpose=SAMPLED)
    fake = sample(problem.generator, weights, latents)
    train, test = (_few(images, 4096) for images in (split.train, split.test))
    numbers = found.numbers
    numbers["saturated/samples"] = seen.saturation(fake)
    numbers["saturated/data"] = seen.saturation(train.images)
    fake_rows = seen.pixels(fake)
    # All training images: a copy of one that is left out would be none.
    every, flat = split.train.images.flatten(1), fake.flatten(1)
    distances, indices = seen.nearest(flat, every)
    shares = seen.nearest_shares(flat, every, test.images.flatten(1), distances)
    numbers.update({f"memorisation/{name}": value for name, value in shares.items()})
    # The labels of known outliers mean nothing.
    known = train.clean()
    if known.labels is None or len(known.labels.unique()) < 2:
        found.missing["classes/present"] = "the images have no labels"
    else:
        shares = seen.class_shares(fake_rows, seen.pixels(known.images), known.labels)
        real = {c: float((known.labels == c).float().mean()) for c in shares}
        # A class is hit where it has a tenth of its share: one stray image does not count.
        hit = [shares[c] >= 0.1 * real[c] for c in shares]
        numbers["classes/present"] = sum(hit) / len(hit)
        numbers.update({f"share of class/{c}": share for c, share in shares.items()})
    closest = distances.argsort()[:FEW]
    pairs = torch.stack([fake[closest], split.train.images[indices[closest]]], 1).flatten(0, 1)
    return {"samples": fake[:64], "real": train.images[:64], "pairs": pairs}


def _few(images: ImageSet, most: int) -> ImageSet:
    if len(images) <= most:
        return images
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))[:most]
    return images.subset(chosen.sort().values)


def _measure_spectrum(
    found: Measured, probed: Probed, wanted: bool | None
) -> Complex[np.ndarray, " k"] | None:
    problem = probed.problem
    work = probed.batch * (problem.generator.multiply_adds + problem.discriminator.multiply_adds)
    if wanted is False or (wanted is None and work > AFFORDABLE):
        found.missing["spectrum"] = (
            "it was not asked for"
            if wanted is False
            else "it would take minutes here; --spectrum asks for it"
        )
        return None
    try:
        values = leading_eigenvalues(probed)
    except UserError as error:
        found.missing["spectrum"] = str(error)
        return None
    found.numbers.update(rotation_facts(values))
    return values
