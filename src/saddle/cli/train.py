"""`saddle train`: one GAN."""

from collections.abc import Sequence

from saddle.cli.parse import parse
from saddle.cli.stored import stored_default
from saddle.studies.width_sweep.config import TrainConfig

__all__ = ["command"]


def command(words: Sequence[str]) -> int:
    """Train one run, or go on with it; prints its folder, its scores and the path of the report.

    Started by `torchrun`, all processes train it together, and the first one prints.
    """
    words, default = stored_default(words, TrainConfig)
    config = parse(TrainConfig, words, name="train", default=default)
    from saddle.cli.finish import finish, print_scores
    from saddle.studies.width_sweep.together import run_train_together

    outcome = run_train_together(config)
    if outcome is None:
        return 0
    print_scores(outcome)
    return finish(outcome)
