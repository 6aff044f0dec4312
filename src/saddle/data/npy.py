"""The .npy format read without trust: no pickle, and no allocation that the file's own length does not cover."""

import math
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import cast, final

import numpy as np
from jaxtyping import Shaped
from numpy.lib import format as npy_format

from saddle.data.memory import check_memory
from saddle.data.problems import printable
from saddle.errors import UserError

__all__ = ["NpyHeader", "map_npy", "members", "read_member", "read_npy_header"]

BLOCK = 2**22


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class NpyHeader:
    """Shape, type and order of an array, and where its values begin."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    offset: int

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy_header(stream: BufferedIOBase, where: str) -> NpyHeader:
    """Read the header at the start of `stream`.

    Raises:
        UserError: for another format, and for arrays of Python objects, which are pickles and could run code.
    """
    try:
        with warnings.catch_warnings():
            # Headers of Python 2 warn, and so do odd escapes in a damaged one.
            warnings.simplefilter("ignore")
            version = npy_format.read_magic(stream)
            read = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}[
                version
            ]
            shape, fortran, dtype = read(stream)
            offset = stream.tell()
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise  # The archive around it is damaged; its reader says so.
    # NumPy parses the header as a Python literal; damage shows as ValueError, SyntaxError, TypeError, KeyError, …
    except Exception as error:
        raise UserError(f"{where} is not a whole .npy array. Save it again with numpy.save.") from error
    if dtype.hasobject:
        raise UserError(
            f"{where} holds Python objects, which are stored as pickles and can run code; Saddle never reads them. "
            "Save a uint8 array of shape (n, height, width, channels)."
        )
    if dtype.names is not None or dtype.subdtype is not None or any(side < 0 for side in shape):
        raise UserError(f"{where} holds type {dtype} and shape {shape}. Save a plain uint8 array.")
    return NpyHeader(shape=shape, dtype=dtype, fortran=fortran, offset=offset)


def check_length(header: NpyHeader, length: int, where: str) -> None:
    if header.offset + header.nbytes != length:
        raise UserError(
            f"{where} is cut short or damaged: its header says {header.offset + header.nbytes:,} bytes and it holds "
            f"{length:,}. Copy or save it again."
        )


def map_npy(path: Path, where: str) -> Shaped[np.ndarray, "..."]:
    """The array in a .npy file, mapped and not read."""
    try:
        with path.open("rb") as stream:
            header = read_npy_header(stream, where)
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror}. Check its permissions.") from error
    check_length(header, path.stat().st_size, where)
    order = "F" if header.fortran else "C"
    if header.nbytes == 0:
        return np.empty(header.shape, header.dtype)
    mapped = np.memmap(
        path, dtype=header.dtype, mode="r", offset=header.offset, shape=header.shape, order=order
    )
    return mapped.view(np.ndarray)


def members(path: Path, where: str) -> dict[str, NpyHeader]:
    """Name and header of every array in a .npz; other members are ignored."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = {}
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    name = info.filename.removesuffix(".npy")
                    shown = f"{where}[{printable(name)}]"
                    with cast(BufferedIOBase, archive.open(info)) as stream:
                        found[name] = read_npy_header(stream, shown)
                    check_length(found[name], info.file_size, shown)
            return found
    except UserError:
        raise
    # A damaged zip fails with BadZipFile, zlib.error, struct.error, RuntimeError (encrypted), EOFError, …
    except Exception as error:
        raise broken_npz(where, error) from error


def read_member(path: Path, where: str, key: str) -> Shaped[np.ndarray, "..."]:
    """One array of a .npz, its checksum checked."""
    shown = f"{where}[{printable(key)}]"
    try:
        with zipfile.ZipFile(path) as archive, cast(BufferedIOBase, archive.open(f"{key}.npy")) as stream:
            header = read_npy_header(stream, shown)
            check_memory(header.nbytes, shown, "the array")
            values = np.empty(header.nbytes, np.uint8)
            at = 0
            while block := stream.read(BLOCK):
                values[at : at + len(block)] = np.frombuffer(block, np.uint8)
                at += len(block)
    except UserError:
        raise
    except Exception as error:
        raise broken_npz(where, error) from error
    if at != header.nbytes:
        raise UserError(f"{shown} is cut short: {at:,} bytes of {header.nbytes:,}. Copy or save it again.")
    return values.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")


def broken_npz(where: str, error: Exception) -> UserError:
    reason = printable(str(error) or type(error).__name__)
    return UserError(f"{where} is not a whole .npz file: {reason}. Copy or save it again.")
