"""Which arithmetic a GPU has."""

from saddle.errors import UserError

__all__ = ["check_precision"]

AMPERE = (8, 0)
"Compute capability from which NVIDIA's GPUs multiply in TF32 and bfloat16 (A100, RTX 30 and later)."


def check_precision(precision: str, capability: tuple[int, int], name: str) -> None:
    """Raise `UserError` where the GPU `name` cannot train in `precision`: emulated, it would be slower than float32."""
    if precision != "float32" and capability < AMPERE:
        raise UserError(
            f"--precision {precision} needs a GPU of compute capability 8.0 or more, and the {name} has "
            f"{capability[0]}.{capability[1]}; use --precision float32."
        )
