"""The exception type for what a user can cause."""

__all__ = ["UserError"]


class UserError(ValueError):
    """Something the user gave cannot work; the message is whole sentences: what, why, what to do.

    The command line prints it after `error: ` and exits with code 2, without a traceback. Our own bugs raise
    `AssertionError`; divergence of training is data (a status), not an exception.
    """
