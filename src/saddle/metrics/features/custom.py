"""Any function of the user's as features: in Python, or `module:function` on the command line."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import final

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from saddle.errors import UserError
from saddle.metrics.features.base import FeatureExtractor

__all__ = ["CallableFeatures", "load_function"]


@final
class CallableFeatures(FeatureExtractor):
    """A function from uint8 images `(n, c, h, w)` on `device` to floating features `(n, d)`.

    Every answer is checked: a tensor, `n` rows, floating, finite, always the same `d`. Its features are never
    kept in a cache file, because nothing says when the function's own weights change (`cacheable` is False).
    """

    cacheable = False

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        name: str,
        *,
        device: torch.device | str = "cpu",
        batch: int = 64,
    ) -> None:
        super().__init__(name, dim=None, batch=batch, device=device)
        self._function = function

    @property
    def identity(self) -> str:
        return f"{self.name} (a user's function)"

    def features(self, images: UInt8[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        try:
            answer = self._function(images)
        # Whatever the user's function raises is theirs to see, in one sentence; the cause stays attached.
        except Exception as error:
            raise UserError(
                f"The feature function {self.name!r} failed on {images.dtype} images of shape {tuple(images.shape)} "
                f"({type(error).__name__}: {error})."
            ) from error
        self._check(answer, len(images))
        self._dim = answer.shape[1]
        return answer.float()

    def _check(self, answer: object, count: int) -> None:
        what = f"The feature function {self.name!r} returned"
        need = f"Return a floating tensor of shape ({count}, d) for {count} images."
        if not isinstance(answer, Tensor):
            raise UserError(f"{what} a {type(answer).__name__}. {need}")
        if answer.ndim != 2 or len(answer) != count or answer.shape[1] == 0 or not answer.is_floating_point():
            raise UserError(f"{what} {answer.dtype} of shape {tuple(answer.shape)}. {need}")
        if self._dim is not None and answer.shape[1] != self._dim:
            raise UserError(f"{what} {answer.shape[1]} features after {self._dim} before. {need}")
        if not bool(answer.isfinite().all()):
            raise UserError(f"{what} values that are not finite (NaN or infinite). {need}")


def load_function(reference: str) -> Callable[[Tensor], Tensor]:
    """Return the function that `module:function` names; the current folder is searched too.

    Raises `UserError` if there is no such module or function, or if the module cannot be imported.
    """
    module_name, _, function_name = reference.partition(":")
    try:
        with _current_folder_importable():
            module = import_module(module_name)
    # Whatever a user's module raises while it is imported is theirs to see, in one sentence.
    except Exception as error:
        raise UserError(
            f"The feature module {module_name!r} of {reference!r} cannot be imported "
            f"({type(error).__name__}: {error}). Check its name, and run in the folder that holds it."
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise UserError(
            f"The module {module_name!r} has no function {function_name!r} to take features with."
        )
    return function


@contextmanager
def _current_folder_importable():
    # A console script does not search the current folder, but a user's own module usually lies there.
    folder = str(Path.cwd())
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
