"""Training a fleet of seeds to its last step, which is the one that counts."""

from collections.abc import Callable, Sequence

from saddle.core.problem import Problem
from saddle.core.state import State
from saddle.dynamics import Adam, Alternating, Steps
from saddle.gan.batches import member_generators

__all__ = ["annealing", "train"]

RATE = 6e-3
"The best of 1e-3, 2e-3, 3e-3 and 6e-3 by the source's own test part (MNIST, USPS), trained on the source alone."
BETAS = (0.5, 0.999)
FRESH, DRAWS = 11, 12
"Purposes of a member's generators: its first weights, and its batches."


def train(
    problem: Problem, *, seeds: Sequence[int], steps: int, look: Callable[[int, State], None], looks: int = 10
) -> State:
    """Alternate Adam's steps, the discriminator first, and return the state after the last of `steps`.

    Every player's step is `RATE · annealing(p)`. `look(step, state)` is called `looks` times, evenly, the last time at
    the end; it decides nothing.
    """
    state = problem.init(member_generators(seeds, FRESH))
    batches = problem.batches(member_generators(seeds, DRAWS))
    base = Adam(beta1=BETAS[0], beta2=BETAS[1])
    memory = Alternating(steps=Steps.equal(RATE), base=base).init(problem, state)
    due = {max(1, round(steps * part / looks)) for part in range(1, looks + 1)}
    for step in range(steps):
        scheme = Alternating(steps=Steps.equal(RATE * annealing(step / steps)), base=base)
        state, memory = scheme.step(problem, state, memory, batches)
        if step + 1 in due:
            look(step + 1, state)
    return state


def annealing(progress: float | int) -> float:
    """`(1 + 10 p)^(−3/4)`, from 1 to 0.17 (Ganin et al. 2016, section 5.2.2, as recalled; theirs is of SGD's step)."""
    return (1 + 10 * progress) ** -0.75
