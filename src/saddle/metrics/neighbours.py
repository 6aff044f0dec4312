"""The nearest neighbours of one set in another, exact and in bounded memory."""

from typing import final

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics._check import check_pair
from saddle.metrics.pairs import CELLS, Points, exact_distances, squared_distances, sweep

__all__ = ["nearest"]


def nearest(
    fake: Float[Tensor, "m d"], train: Float[Tensor, "n e"], k: int = 1
) -> tuple[Int64[Tensor, "m k"], Float[Tensor, "m k"]]:
    """Return the k nearest rows of `train` to every row of `fake`: indices and distances, nearest first.

    Distances are |x - y| from differences in float64, so an exact copy is at exactly 0; of equal distances, the
    smaller index comes first. Blocks of inner products choose the candidates: every row that may be among the k
    nearest within their rounding error is measured again.

    Raises UserError unless 1 ≤ k ≤ n, for different numbers of features, or NaN.
    """
    check_pair(train, fake, least=1)
    if not 1 <= k <= len(train):
        raise UserError(
            f"{k} neighbours cannot be found among {len(train)} images. Pass k between 1 and {len(train)}."
        )
    centre = train.double().mean(dim=0)
    found = _Nearest(Points(fake.to(train.device), centre), Points(train, centre), k)
    sweep(found.fake, found.train, found)
    return found.indices, found.distances


@final
class _Nearest:
    """A visitor of `sweep` over (fake, train)."""

    def __init__(self, fake: Points, train: Points, k: int) -> None:
        self.fake, self.train, self.k = fake, train, k
        self.indices = torch.zeros(fake.count, k, dtype=torch.int64, device=train.squares.device)
        self.distances = train.squares.new_zeros(fake.count, k)

    def __call__(self, rows: slice, products: Float[Tensor, "r n"]) -> None:
        k = self.k
        squares, slack = squared_distances(self.fake, self.train, rows, products)
        reach = (squares + slack).kthvalue(k, dim=1, keepdim=True).values
        possible = squares.sub_(slack) <= reach
        counts = possible.sum(dim=1)
        # Rows with equally many candidates are measured together; usually all have k.
        for count in counts.unique().tolist():
            chosen = (counts == count).nonzero().flatten()
            step = max(CELLS // (count * self.train.dim), 1)
            for part in chosen.split(step):
                others = possible[part].nonzero()[:, 1].view(len(part), count)
                own = self.fake.values[rows][part][:, None]
                distances = exact_distances(own, self.train.values[others])[:, 0]
                # Stable: candidates stand in the order of their index.
                ordered, order = distances.sort(dim=1, stable=True)
                at = part + rows.start
                self.distances[at] = ordered[:, :k]
                self.indices[at] = others.gather(1, order[:, :k])
