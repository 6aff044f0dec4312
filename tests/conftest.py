"""Fixtures and the run-time check of every shape annotation."""

import signal
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# Shapes in public signatures are checked while the tests run, and only then.
install_import_hook("saddle", "beartype.beartype")

# A shell starts what it puts in the background with Ctrl-C ignored, and every child inherits that: tests of Ctrl-C, and the
# programs that they start, could not hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The developers' real data sets; a test that asks for them is skipped where they are missing."""
    if not (SHARED / "cifar10.npz").exists():
        pytest.skip("the shared data sets are not on this machine")
    return SHARED
