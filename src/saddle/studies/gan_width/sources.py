"""Where the claims come from, and how well each is known."""

from saddle.core import Claim, Measured
from saddle.core.claim import Band, Certainty

__all__ = ["PAPER", "claim"]

PAPER = "Balaji et al. 2021, arXiv 2104.05605, section 3"
SADDLE = "Saddle's own statement"

SOURCES: dict[str, tuple[str, Certainty]] = {
    "figure 1": (f"{PAPER}, figure 1", "stated"),
    "80 %": (f"{PAPER}; recalled, 80 % sure", "recalled"),
    "75 %": (f"{PAPER}, appendix; recalled, 75 % sure", "recalled"),
    "60 %": (f"{PAPER}, appendix; recalled, 60 % sure", "recalled"),
    "sanity": ("Gulrajani, Raffel and Metz 2019, definition of the divergence", "derived"),
    "own": (SADDLE, "derived"),
}


def claim(known: str, statement: str, predicted: Band, measured: Measured, note: str = "") -> Claim:
    """A claim whose source and certainty are `SOURCES[known]`."""
    source, certainty = SOURCES[known]
    return Claim(
        statement=statement,
        source=source,
        certainty=certainty,
        predicted=predicted,
        measured=measured,
        note=note,
    )
