"""`saddle train` in several processes: the first does what it always does, the others help with its training steps."""

from saddle.errors import UserError
from saddle.gan.distributed import joined
from saddle.runs import listening_for_stop
from saddle.studies.width_sweep.checks import choose_device
from saddle.studies.width_sweep.config import TrainConfig
from saddle.studies.width_sweep.job import help_training
from saddle.studies.width_sweep.sweep import SweepOutcome, run_train

__all__ = ["run_train_together"]


def run_train_together(config: TrainConfig) -> SweepOutcome | None:
    """`run_train` by all processes that `torchrun` started; None in those that only help.

    All see the same files: the others read the images that the first one stored beside the run. Raises `UserError`
    in the others when the first one ends early.
    """
    device = choose_device(config.run, config.gan)
    with joined(device) as world:
        if config.gan.batch % world.size:
            raise UserError(
                f"--batch {config.gan.batch} cannot be shared out evenly among {world.size} processes; choose a multiple "
                f"of {world.size}, or another number of processes."
            )
        if not world.first:
            # Signals are the first process's to insist on: all stop at one step, with its checkpoint.
            with listening_for_stop(insist=False):
                while asked := world.from_first(lambda: ""):
                    help_training(asked, device, world)
            return None
        try:
            outcome = run_train(config)
        except UserError:
            world.from_first(lambda: "")
            raise
        if not outcome.failures:  # a failure left the others inside a step: they end with this process
            world.from_first(lambda: "")
        return outcome
