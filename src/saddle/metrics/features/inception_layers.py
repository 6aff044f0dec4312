"""The Inception network of 2015-12-05, on which FID is defined, written as data.

It differs from the Inception-v3 of torchvision in two places: average pools do not count their padding, and the
last block pools by maximum. Every layer carries its name in the TensorFlow graph and its name in pytorch-fid.
Sources: Szegedy et al. 2015, arXiv 1512.00567; Heusel et al. 2017, arXiv 1706.08500.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import final

__all__ = ["DIMS", "PLAN", "Block", "Convolution", "Pool", "convolutions", "plan_for"]


@final
@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution with bias and ReLU."""

    name: str
    torch_name: str
    inputs: int
    outputs: int
    kernel: tuple[int, int]
    stride: int
    padding: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of its weight."""
        return (self.outputs, self.inputs, *self.kernel)


@final
@dataclass(frozen=True, kw_only=True)
class Pool:
    """A 3x3 pool: `average` (padding not counted) or maximum; stride 1 is padded, stride 2 is not."""

    average: bool
    stride: int


Step = Convolution | Pool | tuple[Convolution, Convolution]
"One step of a branch; a pair reads the same input, and its outputs are concatenated."


@final
@dataclass(frozen=True, kw_only=True)
class Block:
    """Branches that read the same input; their outputs are concatenated in this order."""

    name: str
    branches: tuple[tuple[Step, ...], ...]


_HALVE = Pool(average=False, stride=2)
_AVERAGE = Pool(average=True, stride=1)
_MAXIMUM = Pool(average=False, stride=1)


def _convolution(
    prefix: str,
    torch_prefix: str,
    name: str,
    torch_name: str,
    channels: tuple[int, int],
    kernel: tuple[int, int] = (1, 1),
    *,
    stride: int = 1,
) -> Convolution:
    """A layer of a block: the picture keeps its size at stride 1 and is not padded at stride 2."""
    height, width = kernel
    return Convolution(
        name=f"{prefix}_{name}",
        torch_name=f"{torch_prefix}.{torch_name}",
        inputs=channels[0],
        outputs=channels[1],
        kernel=kernel,
        stride=stride,
        padding=(height // 2, width // 2) if stride == 1 else (0, 0),
    )


def _stem(name: str, torch_name: str, channels: tuple[int, int], kernel: int, stride: int, pad: int) -> Block:
    layer = Convolution(
        name=name,
        torch_name=torch_name,
        inputs=channels[0],
        outputs=channels[1],
        kernel=(kernel, kernel),
        stride=stride,
        padding=(pad, pad),
    )
    return Block(name=name, branches=((layer,),))


def _block_a(name: str, torch_name: str, inputs: int, pooled: int) -> Block:
    conv = partial(_convolution, name, torch_name)
    return Block(
        name=name,
        branches=(
            (conv("conv", "branch1x1", (inputs, 64)),),
            (
                conv("tower_conv", "branch5x5_1", (inputs, 48)),
                conv("tower_conv_1", "branch5x5_2", (48, 64), (5, 5)),
            ),
            (
                conv("tower_1_conv", "branch3x3dbl_1", (inputs, 64)),
                conv("tower_1_conv_1", "branch3x3dbl_2", (64, 96), (3, 3)),
                conv("tower_1_conv_2", "branch3x3dbl_3", (96, 96), (3, 3)),
            ),
            (_AVERAGE, conv("tower_2_conv", "branch_pool", (inputs, pooled))),
        ),
    )


def _block_b(name: str, torch_name: str) -> Block:
    conv = partial(_convolution, name, torch_name)
    return Block(
        name=name,
        branches=(
            (conv("conv", "branch3x3", (288, 384), (3, 3), stride=2),),
            (
                conv("tower_conv", "branch3x3dbl_1", (288, 64)),
                conv("tower_conv_1", "branch3x3dbl_2", (64, 96), (3, 3)),
                conv("tower_conv_2", "branch3x3dbl_3", (96, 96), (3, 3), stride=2),
            ),
            (_HALVE,),
        ),
    )


def _block_c(name: str, torch_name: str, inner: int) -> Block:
    conv = partial(_convolution, name, torch_name)
    row, column = (1, 7), (7, 1)
    return Block(
        name=name,
        branches=(
            (conv("conv", "branch1x1", (768, 192)),),
            (
                conv("tower_conv", "branch7x7_1", (768, inner)),
                conv("tower_conv_1", "branch7x7_2", (inner, inner), row),
                conv("tower_conv_2", "branch7x7_3", (inner, 192), column),
            ),
            (
                conv("tower_1_conv", "branch7x7dbl_1", (768, inner)),
                conv("tower_1_conv_1", "branch7x7dbl_2", (inner, inner), column),
                conv("tower_1_conv_2", "branch7x7dbl_3", (inner, inner), row),
                conv("tower_1_conv_3", "branch7x7dbl_4", (inner, inner), column),
                conv("tower_1_conv_4", "branch7x7dbl_5", (inner, 192), row),
            ),
            (_AVERAGE, conv("tower_2_conv", "branch_pool", (768, 192))),
        ),
    )


def _block_d(name: str, torch_name: str) -> Block:
    conv = partial(_convolution, name, torch_name)
    return Block(
        name=name,
        branches=(
            (
                conv("tower_conv", "branch3x3_1", (768, 192)),
                conv("tower_conv_1", "branch3x3_2", (192, 320), (3, 3), stride=2),
            ),
            (
                conv("tower_1_conv", "branch7x7x3_1", (768, 192)),
                conv("tower_1_conv_1", "branch7x7x3_2", (192, 192), (1, 7)),
                conv("tower_1_conv_2", "branch7x7x3_3", (192, 192), (7, 1)),
                conv("tower_1_conv_3", "branch7x7x3_4", (192, 192), (3, 3), stride=2),
            ),
            (_HALVE,),
        ),
    )


def _block_e(name: str, torch_name: str, inputs: int, pool: Pool) -> Block:
    conv = partial(_convolution, name, torch_name)

    def pair(tower: str, branch: str) -> tuple[Convolution, Convolution]:
        return (
            conv(f"{tower}_mixed_conv", f"{branch}a", (384, 384), (1, 3)),
            conv(f"{tower}_mixed_conv_1", f"{branch}b", (384, 384), (3, 1)),
        )

    return Block(
        name=name,
        branches=(
            (conv("conv", "branch1x1", (inputs, 320)),),
            (conv("tower_conv", "branch3x3_1", (inputs, 384)), pair("tower", "branch3x3_2")),
            (
                conv("tower_1_conv", "branch3x3dbl_1", (inputs, 448)),
                conv("tower_1_conv_1", "branch3x3dbl_2", (448, 384), (3, 3)),
                pair("tower_1", "branch3x3dbl_3"),
            ),
            (pool, conv("tower_2_conv", "branch_pool", (inputs, 192))),
        ),
    )


PLAN: tuple[Block | int, ...] = (
    _stem("conv", "Conv2d_1a_3x3", (3, 32), 3, 2, 0),
    _stem("conv_1", "Conv2d_2a_3x3", (32, 32), 3, 1, 0),
    _stem("conv_2", "Conv2d_2b_3x3", (32, 64), 3, 1, 1),
    Block(name="pool", branches=((_HALVE,),)),
    64,
    _stem("conv_3", "Conv2d_3b_1x1", (64, 80), 1, 1, 0),
    _stem("conv_4", "Conv2d_4a_3x3", (80, 192), 3, 1, 0),
    Block(name="pool_1", branches=((_HALVE,),)),
    192,
    _block_a("mixed", "Mixed_5b", 192, 32),
    _block_a("mixed_1", "Mixed_5c", 256, 64),
    _block_a("mixed_2", "Mixed_5d", 288, 64),
    _block_b("mixed_3", "Mixed_6a"),
    _block_c("mixed_4", "Mixed_6b", 128),
    _block_c("mixed_5", "Mixed_6c", 160),
    _block_c("mixed_6", "Mixed_6d", 160),
    _block_c("mixed_7", "Mixed_6e", 192),
    768,
    _block_d("mixed_8", "Mixed_7a"),
    1280,
    _block_e("mixed_9", "Mixed_7b", 1280, _AVERAGE),
    # The maximum is probably a slip of 2015 (the paper averages), but FID is defined with it.
    _block_e("mixed_10", "Mixed_7c", 2048, _MAXIMUM),
    2048,
)
"The network from input to pool; a number marks where the features of that length are averaged over the picture."

DIMS = tuple(entry for entry in PLAN if isinstance(entry, int))


def plan_for(dim: int) -> tuple[Block, ...]:
    """Return the blocks that features of length `dim` need, in order."""
    return tuple(entry for entry in PLAN[: PLAN.index(dim)] if isinstance(entry, Block))


def convolutions(blocks: tuple[Block, ...]) -> Iterator[tuple[Block, Convolution]]:
    """Yield every convolution with the block that holds it."""
    for block in blocks:
        for branch in block.branches:
            for step in branch:
                if isinstance(step, Convolution):
                    yield block, step
                elif isinstance(step, tuple):
                    yield from ((block, part) for part in step)
