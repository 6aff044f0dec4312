"""`saddle sweep`: the main job."""

from collections.abc import Sequence

from saddle.cli.parse import parse
from saddle.cli.stored import stored_default
from saddle.errors import UserError
from saddle.studies.width_sweep.config import SweepConfig

__all__ = ["command"]


def command(words: Sequence[str]) -> int:
    """Train, score and report; the last line printed is the path of the report."""
    words, default = stored_default(words, SweepConfig)
    config = parse(SweepConfig, words, name="sweep", default=default)
    from saddle.cli.finish import finish
    from saddle.gan.distributed import launched
    from saddle.studies.width_sweep.sweep import run_sweep

    if launched():
        raise UserError(
            "torchrun has started several processes, and a sweep spreads its runs over processes of its own; start "
            "`saddle sweep` alone, or train one wide GAN with `torchrun … -m saddle train`."
        )
    return finish(run_sweep(config))
