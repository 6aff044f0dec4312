"""How a training step is carried out. Standard library only: it is read and written with the records of runs."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, final

__all__ = ["PLAIN", "Execution"]

MEMBERS = ("auto", "together", "apart")
LAYOUTS = ("channels-last", "contiguous")


@final
@dataclass(frozen=True, kw_only=True)
class Execution:
    """One way to compute a fleet's step; all of them agree up to float rounding.

    A run keeps the one that it began with, since its rounding is part of its numbers.
    """

    members: Literal["auto", "together", "apart"] = "auto"
    "One kernel for all members, one after the other, or by the size of the network (`Network.together_up_to`)."
    layout: Literal["channels-last", "contiguous"] = "channels-last"
    "Memory order of the maps inside the networks."
    compiled: bool = False
    "`torch.compile` of what is differentiated once (CUDA only)."
    captured: bool = False
    "Evaluations of the field as CUDA graphs: recorded once, then launched in one call (CUDA only)."

    def __str__(self) -> str:
        extra = [name for name in ("compiled", "captured") if getattr(self, name)]
        return ", ".join([f"members {self.members}", self.layout, *extra])

    @classmethod
    def read(cls, stored: Any) -> "Execution | None":
        """What `asdict` made of an execution, from a file that anybody may have written; None where it is none."""
        if not isinstance(stored, dict) or stored.keys() != asdict(PLAIN).keys():
            return None
        good = (
            stored["members"] in MEMBERS
            and stored["layout"] in LAYOUTS
            and type(stored["compiled"]) is bool
            and type(stored["captured"]) is bool
        )
        return cls(**stored) if good else None


PLAIN = Execution()
"What every device can do, and what a run without a record began with."
