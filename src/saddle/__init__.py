"""Saddle: min-max learning at every width. Real GANs, measured properly, and the theory that predicts them.

The public names, nothing else; each is imported when it is first used.
"""

from typing import TYPE_CHECKING

from saddle import _lazy

if TYPE_CHECKING:
    from saddle import problems as problems
    from saddle import sklearn as sklearn
    from saddle import testing as testing
    from saddle import theory as theory
    from saddle import torch as torch
    from saddle import transport as transport
    from saddle.core import Band as Band
    from saddle.core import Claim as Claim
    from saddle.core import Measured as Measured
    from saddle.core import Player as Player
    from saddle.core import Problem as Problem
    from saddle.core import Recorder as Recorder
    from saddle.core import State as State
    from saddle.core import Status as Status
    from saddle.core import Trajectory as Trajectory
    from saddle.core import ZeroSum as ZeroSum
    from saddle.core import differentiable_field as differentiable_field
    from saddle.core import evaluate as evaluate
    from saddle.core import field as field
    from saddle.core import fit_power as fit_power
    from saddle.core import fit_rate as fit_rate
    from saddle.core import normal as normal
    from saddle.core import phases as phases
    from saddle.core import run as run
    from saddle.data import DataConfig as DataConfig
    from saddle.data import ImageSet as ImageSet
    from saddle.data import load_split as load_split
    from saddle.data import read_images as read_images
    from saddle.dynamics import Adam as Adam
    from saddle.dynamics import Alternating as Alternating
    from saddle.dynamics import BestResponse as BestResponse
    from saddle.dynamics import CompetitiveGradient as CompetitiveGradient
    from saddle.dynamics import Consensus as Consensus
    from saddle.dynamics import Dynamics as Dynamics
    from saddle.dynamics import Extragradient as Extragradient
    from saddle.dynamics import GradientDescent as GradientDescent
    from saddle.dynamics import Jump as Jump
    from saddle.dynamics import Jumping as Jumping
    from saddle.dynamics import LookAhead as LookAhead
    from saddle.dynamics import Momentum as Momentum
    from saddle.dynamics import Optimistic as Optimistic
    from saddle.dynamics import Persistent as Persistent
    from saddle.dynamics import ProximalPoint as ProximalPoint
    from saddle.dynamics import Sgd as Sgd
    from saddle.dynamics import Simultaneous as Simultaneous
    from saddle.dynamics import Steps as Steps
    from saddle.dynamics import SymplecticAdjustment as SymplecticAdjustment
    from saddle.dynamics import Unrolled as Unrolled
    from saddle.errors import UserError as UserError
    from saddle.gan import GanConfig as GanConfig
    from saddle.gan import make_dynamics as make_dynamics
    from saddle.gan import make_gan as make_gan
    from saddle.gan import train_fleet as train_fleet
    from saddle.metrics import Reference as Reference
    from saddle.metrics import frechet_distance as frechet_distance
    from saddle.metrics import kernel_distance as kernel_distance
    from saddle.metrics import make_extractor as make_extractor
    from saddle.problems import Bilinear as Bilinear
    from saddle.problems import Cournot as Cournot
    from saddle.problems import DeepGan as DeepGan
    from saddle.problems import DiracGan as DiracGan
    from saddle.problems import EightGaussians as EightGaussians
    from saddle.problems import FeatureGan as FeatureGan
    from saddle.problems import Forsaken as Forsaken
    from saddle.problems import GmmGan as GmmGan
    from saddle.problems import LinearGan as LinearGan
    from saddle.problems import Quadratic as Quadratic
    from saddle.problems import QuadraticGame as QuadraticGame

_ROOMS = {
    "core": (
        "Band",
        "Claim",
        "Measured",
        "Player",
        "Problem",
        "Recorder",
        "State",
        "Status",
        "Trajectory",
        "ZeroSum",
        "differentiable_field",
        "evaluate",
        "field",
        "fit_power",
        "fit_rate",
        "normal",
        "phases",
        "run",
    ),
    "data": ("DataConfig", "ImageSet", "load_split", "read_images"),
    "dynamics": (
        "Adam",
        "Alternating",
        "BestResponse",
        "CompetitiveGradient",
        "Consensus",
        "Dynamics",
        "Extragradient",
        "GradientDescent",
        "Jump",
        "Jumping",
        "LookAhead",
        "Momentum",
        "Optimistic",
        "Persistent",
        "ProximalPoint",
        "Sgd",
        "Simultaneous",
        "Steps",
        "SymplecticAdjustment",
        "Unrolled",
    ),
    "errors": ("UserError",),
    "gan": ("GanConfig", "make_dynamics", "make_gan", "train_fleet"),
    "metrics": ("Reference", "frechet_distance", "kernel_distance", "make_extractor"),
    "problems": (
        "Bilinear",
        "Cournot",
        "DeepGan",
        "DiracGan",
        "EightGaussians",
        "FeatureGan",
        "Forsaken",
        "GmmGan",
        "LinearGan",
        "Quadratic",
        "QuadraticGame",
    ),
}

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    {name: room for room, names in _ROOMS.items() for name in names},
    packages=("problems", "simulators", "sklearn", "testing", "theory", "torch", "transport"),
)
