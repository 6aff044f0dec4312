"""The leading eigenvalues of the game's Jacobian at a checkpoint: does the field turn?"""

import math

import numpy as np
import torch
from jaxtyping import Complex

from saddle.errors import UserError
from saddle.studies.diagnosis.measures.players import Probed
from saddle.theory import game_spectrum

__all__ = ["AFFORDABLE", "leading_eigenvalues", "rotation_facts"]

WANTED = 8
"Eigenvalues of largest modulus."
AFFORDABLE = 3e7
"""Multiply-adds of a batch through both networks above which the spectrum is left out: a DCGAN with 2.4e8 took 90 s on
one core, so this is some ten seconds."""


def leading_eigenvalues(probed: Probed) -> Complex[np.ndarray, " k"]:
    """Those of largest modulus and of largest real part of the field's Jacobian on one batch, in train mode."""
    spectrum = game_spectrum(
        probed.problem, probed.state, next(probed.batches()), largest=WANTED, iterations=WANTED * 20
    )
    found = torch.cat([spectrum.eigenvalues[0], spectrum.rightmost[0]]).numpy()
    found = found[np.isfinite(found)]
    if not len(found):
        raise UserError("Arnoldi's iteration did not find an eigenvalue; the field may be flat here.")
    return found


def rotation_facts(values: Complex[np.ndarray, " k"]) -> dict[str, float]:
    """`spectrum/…` of the eigenvalues that were found, in the names of `saddle.gan.probes`."""
    leading = values[np.argmax(np.abs(values))]
    squares = np.abs(values) ** 2
    return {
        "spectrum/max_real": float(values.real.max()),
        "spectrum/radius": float(np.abs(values).max()),
        "spectrum/imaginary_share": float((values.imag**2).sum() / squares.sum()),
        "spectrum/rotation": abs(leading.imag / leading.real) if leading.real != 0 else math.inf,
    }
