"""Fixtures and the run-time check of every shape annotation."""

from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# Shapes in public signatures are checked while the tests run, and only then.
install_import_hook("saddle", "beartype.beartype")

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The developers' real data sets; a test that asks for them is skipped where they are missing."""
    if not (SHARED / "cifar10.npz").exists():
        pytest.skip("the shared data sets are not on this machine")
    return SHARED
