"""Generators and discriminators at every width, for a whole fleet of seeds in one call."""

from typing import TYPE_CHECKING

from saddle._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ARCHITECTURES": "config",
        "BASE_WIDTH": "config",
        "NORMS": "config",
        "PARAMETERISATIONS": "config",
        "SIZES": "config",
        "Activation": "activation",
        "BatchNorm": "norm",
        "Chain": "composite",
        "Conv": "conv",
        "DownConv": "conv",
        "Layer": "layer",
        "Linear": "linear",
        "Network": "network",
        "Residual": "composite",
        "TransposedConv": "conv",
        "UpConv": "conv",
        "as_module": "module",
        "check_request": "config",
        "discriminator": "build",
        "generator": "build",
        "maximal_update": "maximal",
        "preactivations": "trace",
    },
)

if TYPE_CHECKING:
    from saddle.networks.activation import Activation as Activation
    from saddle.networks.build import discriminator as discriminator
    from saddle.networks.build import generator as generator
    from saddle.networks.composite import Chain as Chain
    from saddle.networks.composite import Residual as Residual
    from saddle.networks.config import ARCHITECTURES as ARCHITECTURES
    from saddle.networks.config import BASE_WIDTH as BASE_WIDTH
    from saddle.networks.config import NORMS as NORMS
    from saddle.networks.config import PARAMETERISATIONS as PARAMETERISATIONS
    from saddle.networks.config import SIZES as SIZES
    from saddle.networks.config import check_request as check_request
    from saddle.networks.conv import Conv as Conv
    from saddle.networks.conv import DownConv as DownConv
    from saddle.networks.conv import TransposedConv as TransposedConv
    from saddle.networks.conv import UpConv as UpConv
    from saddle.networks.layer import Layer as Layer
    from saddle.networks.linear import Linear as Linear
    from saddle.networks.maximal import maximal_update as maximal_update
    from saddle.networks.module import as_module as as_module
    from saddle.networks.network import Network as Network
    from saddle.networks.norm import BatchNorm as BatchNorm
    from saddle.networks.trace import preactivations as preactivations
