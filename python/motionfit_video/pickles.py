"""Reads pickles of arrays, lists, tables, texts and numbers; anything else in them is refused, nothing of them is called.

The names that NumPy's pickles hold stand for the classes below, which only keep what they are given.
"""

import io
import pickle

import numpy as np

LARGEST = 1 << 24  # bytes
KINDS = {"b1", "f2", "f4", "f8", *(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8))}


class _Type:
    def __init__(self, code, *_):
        self.code, self.order = str(code), "<"
        if self.code.lstrip("<>|=") not in KINDS:
            raise pickle.UnpicklingError(f"an array of type {code!r}")

    def __setstate__(self, state):
        self.order = ">" if state[1] == ">" else "<"

    def of(self):
        return np.dtype(self.order + self.code.lstrip("<>|="))


class _Array:
    value = None

    def __setstate__(self, state):
        _, shape, kind, columns_first, content = state
        flat = np.frombuffer(_bytes(content), kind.of())
        self.value = flat.reshape(shape, order="F" if columns_first else "C").copy()


def _bytes(content, *_):
    return content.encode("latin1") if isinstance(content, str) else bytes(content)


def _empty(*_):
    return _Array()


def _scalar(kind, content):
    return np.frombuffer(_bytes(content), kind.of())[0].item()


def _of_buffer(content, kind, shape, order):
    array = _Array()
    array.__setstate__((1, shape, kind, order == "F", content))
    return array


_KNOWN = {("numpy", "ndarray"): _Array, ("numpy", "dtype"): _Type, ("_codecs", "encode"): _bytes}
for _core in ("numpy.core", "numpy._core"):
    _KNOWN[_core + ".multiarray", "_reconstruct"] = _empty
    _KNOWN[_core + ".multiarray", "scalar"] = _scalar
    _KNOWN[_core + ".numeric", "_frombuffer"] = _of_buffer


class _Reader(pickle.Unpickler):
    def find_class(self, module, name):
        found = _KNOWN.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name}, which is not read")
        return found

    def persistent_load(self, _):
        raise pickle.UnpicklingError("a reference to something outside, which is not read")


def read_pickle(path):
    """What the pickle holds. Raises ``pickle.UnpicklingError`` with what was found."""
    with open(path, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise pickle.UnpicklingError(f"more than {LARGEST} bytes")
    try:
        return _plain(_Reader(io.BytesIO(content)).load())
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a broken pickle raises whatever its bytes happen to ask for
        raise pickle.UnpicklingError(f"a broken pickle ({type(error).__name__}: {error})")


def _plain(value):
    if isinstance(value, _Array):
        if value.value is None:
            raise pickle.UnpicklingError("an array without content")
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return value
    raise pickle.UnpicklingError(f"a {type(value).__name__}, which is not read")
