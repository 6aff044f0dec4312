"""The claim on prediction: what the narrower widths say about the widest."""

import numpy as np

from saddle.core import Band, Claim, Measured
from saddle.studies.gan_width.measures import Evidence
from saddle.studies.gan_width.sources import claim
from saddle.studies.gan_width.statistics import NOTHING, values_at
from saddle.theory.power_law import PowerLaw, fit_power_law

__all__ = ["held_out", "law_claims"]

CLOSE = 0.1
"Relative error up to which a prediction counts as good."


def law_claims(both: Evidence) -> list[Claim]:
    """Claim 12, where there are widths enough."""
    if len(both.widths) < 4:
        return []
    high = both.widths[-1]
    measured, note = held_out(both)
    return [
        claim(
            "own",
            f"a + b·k⁻ᶜ fitted to the narrower widths predicts the test distance at width {high} to "
            f"{CLOSE:.0%}: predicted over measured, minus 1.",
            Band.around(0, absolute=CLOSE),
            measured,
            note,
        )
    ]


def held_out(both: Evidence) -> tuple[Measured, str]:
    """Relative error of the law's prediction at the largest width, and what stands against it.

    The interval is made of the law's bootstrap over seeds and an independent bootstrap of the mean at that width.
    """
    test = both.tables["test"]
    high = both.widths[-1]
    smaller = sorted((k, y) for (k, _), y in test.items() if k < high)
    law = fit_power_law([k for k, _ in smaller], [y for _, y in smaller])
    held = np.array(list(values_at(test, high).values()))
    if not isinstance(law, PowerLaw):
        return NOTHING, law.reason
    predicted, mean = float(law(high)), float(held.mean())
    interval = (-np.inf, np.inf)
    if law.draws is not None and len(held) > 1:
        generator = np.random.default_rng(1)
        scale = np.sqrt(len(held) / (len(held) - 1))
        means = mean + scale * (generator.choice(held, size=(len(law.draws), len(held))) - mean).mean(axis=1)
        curves = law.curves([high])
        assert curves is not None
        low, up = np.quantile(curves[:, 0] / means - 1, [0.025, 0.975])
        interval = (min(float(low), predicted / mean - 1), max(float(up), predicted / mean - 1))
    error = Measured(
        value=predicted / mean - 1,
        interval=interval,
        n=len(held),
        kind="relative error (bootstrap over seeds)",
    )
    return error, f"Predicted {predicted:.4g}, measured {mean:.4g} (mean of {len(held)} seeds)."
