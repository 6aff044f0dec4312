"""`Player` and `Problem`: who moves what, and which number each wants smaller or larger."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from saddle.core.state import State
from saddle.errors import UserError

__all__ = ["Batch", "Player", "Problem"]

Batch = Any
"""What one evaluation of an objective needs beyond the state: minibatch and noise, or None."""


@final
@dataclass(frozen=True, kw_only=True)
class Player:
    """A player of a game: the entries of the state that it moves, and whether it descends or ascends."""

    name: str
    "How objectives, steps and records refer to the player."
    keys: tuple[str, ...]
    "Entries of the state that this player moves."
    sense: Literal[-1, 1] = -1
    "−1 descends its objective, +1 ascends it."

    def __post_init__(self) -> None:
        if not self.keys:
            raise UserError(f"Player {self.name!r} moves no entry of the state; give it at least one key.")


class Problem(ABC):
    """An n-player differentiable game (one player: a minimisation; two with opposite senses: min-max).

    Player `p` with entries `θ_p` and sense `σ_p` moves along `v_p = σ_p ∇_{θ_p} L_p(θ; batch)`.
    """

    players: tuple[Player, ...]

    @abstractmethod
    def objective(self, state: State, batch: Batch) -> dict[str, Float[Tensor, " fleet"]]:
        """Every player's objective `L_p`, one number a member. Members must not mix."""

    @abstractmethod
    def init(self, generators: Sequence[torch.Generator]) -> State:
        """A starting state with one member a generator; member `i` depends on `generators[i]` only."""

    def objective_of(self, player: str, state: State, batch: Batch) -> Float[Tensor, " fleet"]:
        """One player's objective. Override where it is cheaper than all of them."""
        return self.objective(state, batch)[player]

    def gradient(self, player: str, state: State, batch: Batch) -> State | None:
        """`∇_{θ_p} L_p` in closed form for the player's entries, or None: automatic differentiation."""
        return None

    def project(self, player: str, state: State) -> State:
        """Entries that change after `player` has moved, without gradient.

        For constraints (the projection back on the feasible set) and for entries that no player moves but that
        follow one, such as the power-iteration vectors of spectral normalisation.
        """
        return {}

    def player(self, name: str) -> Player:
        """The player called `name`."""
        for player in self.players:
            if player.name == name:
                return player
        names = ", ".join(player.name for player in self.players)
        raise UserError(f"There is no player {name!r} in {type(self).__name__}; its players are: {names}.")
