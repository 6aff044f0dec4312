"""Public names that are imported when first used, so that `saddle --help` imports no torch."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["attach"]


def attach(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for a package whose name `n` lives in `package.homes[n]`.

    PEP 562; the pattern of scientific-python's SPEC 1. The package repeats its imports under `TYPE_CHECKING`
    for type checkers.
    """
    names = sorted(homes)

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return get, lambda: names, names
