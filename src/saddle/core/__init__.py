"""State, players, problems and their field. Knows no particular system."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

if TYPE_CHECKING:
    from saddle.core.evaluation import Evaluation as Evaluation
    from saddle.core.evaluation import evaluate as evaluate
    from saddle.core.evaluation import field as field
    from saddle.core.problem import Batch as Batch
    from saddle.core.problem import Player as Player
    from saddle.core.problem import Problem as Problem
    from saddle.core.state import State as State
    from saddle.core.state import fleet_size as fleet_size
    from saddle.core.state import member as member
    from saddle.core.state import stack as stack

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Batch": "problem",
        "Evaluation": "evaluation",
        "Player": "problem",
        "Problem": "problem",
        "State": "state",
        "evaluate": "evaluation",
        "field": "evaluation",
        "fleet_size": "state",
        "member": "state",
        "stack": "state",
    },
)
