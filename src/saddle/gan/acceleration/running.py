"""A GAN as the game that a chosen execution computes."""

import sys
from dataclasses import replace

import torch

from saddle.core.problem import Problem
from saddle.gan.acceleration.captured import Captured, differentiated_twice
from saddle.gan.acceleration.execution import PLAIN, Execution
from saddle.gan.problem import GanProblem
from saddle.networks import Network

__all__ = ["accelerated"]

BACKEND = "inductor"
TOGETHER_UP_TO = {"together": sys.maxsize, "apart": -1}


def accelerated(problem: GanProblem, execution: Execution, device: torch.device) -> Problem:
    """`problem` computed as `execution` says, for training steps; equal to it up to float rounding.

    What the device cannot do is left out (a run that began on a GPU goes on with a CPU). Sampling, scoring and
    probes take `problem` itself.
    """
    if execution == PLAIN:
        return problem
    compiled = execution.compiled and device.type == "cuda"
    # Compiled functions have no second derivatives.
    faster = replace(
        problem,
        generator=_network(problem.generator, execution, compiled=compiled),
        discriminator=_network(
            problem.discriminator, execution, compiled=compiled and not differentiated_twice(problem.config)
        ),
    )
    return Captured(faster) if execution.captured and device.type == "cuda" else faster


def _network(network: Network, execution: Execution, *, compiled: bool) -> Network:
    return replace(
        network,
        together_up_to=TOGETHER_UP_TO.get(execution.members, network.together_up_to),
        channels_last=execution.layout == "channels-last",
        compiler=BACKEND if compiled else None,
    )
