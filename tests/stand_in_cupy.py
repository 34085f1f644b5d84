"""A stand-in for CuPy, for machines without a GPU: its arrays are in the memory of this process,
but mix with NumPy's no more than CuPy's do.

What CuPy refuses is refused: to become a NumPy array by itself, to take part in an operation with
one, to be filled with one. As in CuPy, sums and single numbers are arrays, and NumPy arrays may be
indices. Where Thinc has CUDA kernels, its `NumpyOps` do the work.

`install()` comes before the first import of Thinc, in a process of its own.
"""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import numpy as np

PROPERTIES = "shape dtype ndim size nbytes itemsize flags strides"
METHODS = """
all any argmax argmin argsort astype clip copy cumsum dot fill max mean min prod ravel repeat
reshape round squeeze std sum take transpose var view
"""
BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift"
COMPARED, UNARY = "lt le eq ne gt ge", "neg pos abs invert"
# They make arrays of anything.
MAKERS = {"array", "asarray", "ascontiguousarray", "split", "array_split"}
# What Thinc's `CupyOps` have CUDA kernels for.
KERNELS = """
backprop_maxout backprop_reduce_max backprop_reduce_mean backprop_reduce_sum backprop_seq2col
gather_add hash maxout pad reduce_max reduce_mean reduce_sum seq2col
"""


class ndarray:
    __hash__ = None

    def __init__(self, values: np.ndarray):
        self._values = np.asarray(values)

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return wrap(getattr(ufunc, method)(*unwrap(inputs), **unwrap(kwargs)))

    def __array_function__(self, function, types, args, kwargs):
        return wrap(function(*unwrap(args), **unwrap(kwargs)))

    def get(self, **kwargs) -> np.ndarray:
        return self._values.copy()

    def tolist(self):
        return self._values.tolist()

    def item(self):
        return self._values.item()

    @property
    def T(self) -> "ndarray":
        return ndarray(self._values.T)

    def __getitem__(self, index) -> "ndarray":
        return ndarray(self._values[as_index(index)])

    def __setitem__(self, index, value) -> None:
        self._values[as_index(index)] = unwrap(value)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self):
        return (ndarray(row) for row in self._values)

    def __bool__(self) -> bool:
        return bool(self._values)

    def __float__(self) -> float:
        return float(self._values)

    def __int__(self) -> int:
        return int(self._values)

    def __index__(self) -> int:
        return self._values.__index__()

    def __repr__(self) -> str:
        return f"stand-in {self._values!r}"


def wrap(value):
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(value)
    if isinstance(value, list | tuple) and any(isinstance(v, np.ndarray) for v in value):
        return type(value)(map(wrap, value))
    return value


def unwrap(value):
    if isinstance(value, ndarray):
        return value._values
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, list | tuple):
        return type(value)(map(unwrap, value))
    if isinstance(value, dict):
        return {name: unwrap(one) for name, one in value.items()}
    return value


def unwrap_any(value):
    """As `unwrap`, where NumPy's arrays are welcome."""
    if isinstance(value, list | tuple):
        return type(value)(map(unwrap_any, value))
    return value if isinstance(value, np.ndarray) else unwrap(value)


as_index = unwrap_any


def lift(function: Callable, take: Callable = unwrap) -> Callable:
    """A function of NumPy's, for arrays of this kind."""
    return lambda *args, **kwargs: wrap(function(*map(take, args), **unwrap(kwargs)))


def _make_in_place(name: str) -> Callable:
    method = getattr(np.ndarray, name)

    def change(self: ndarray, other) -> ndarray:
        method(self._values, unwrap(other))
        return self

    return change


for name in PROPERTIES.split():
    setattr(ndarray, name, property(lambda self, name=name: getattr(self._values, name)))
for name in METHODS.split():
    setattr(ndarray, name, lift(getattr(np.ndarray, name)))
for op in f"{BINARY} {COMPARED} {UNARY}".split():
    setattr(ndarray, f"__{op}__", lift(getattr(np.ndarray, f"__{op}__")))
for op in BINARY.split():
    setattr(ndarray, f"__r{op}__", lift(getattr(np.ndarray, f"__r{op}__")))
    setattr(ndarray, f"__i{op}__", _make_in_place(f"__i{op}__"))


class Functions(ModuleType):
    """NumPy's functions by their names."""

    def __init__(self, name: str, source: object):
        super().__init__(name)
        self._source = source

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._source, name)
        if not callable(found) or isinstance(found, type):  # such as `float32`
            return found
        return lift(found, unwrap_any if name in MAKERS else unwrap)


def scatter_add(table: ndarray, indices, values: ndarray) -> None:
    np.add.at(table._values, as_index(indices), unwrap(values))


def run_adam(grad, lr, one_minus_beta1, one_minus_beta2, eps, param, m, v) -> None:
    grad, param, m, v = map(unwrap, (grad, param, m, v))
    m += one_minus_beta1 * (grad - m)
    v += one_minus_beta2 * (grad * grad - v)
    param -= lr * m / (np.sqrt(v) + eps)


def install() -> None:
    """Have Thinc and spaCy find a GPU. Torch has none: encoders need `device = "cpu"`."""
    cupy, cupyx = Functions("cupy", np), ModuleType("cupyx")
    cupy.__version__ = "14.0.0"
    cupy.ndarray = ndarray
    cupy.get_array_module = lambda *args: np if isinstance(args[0], np.ndarray) else cupy
    cupy.random = Functions("cupy.random", np.random)
    runtime = SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=RuntimeError)
    device = SimpleNamespace(Device=lambda number: SimpleNamespace(use=lambda: None))
    cupy.cuda = SimpleNamespace(runtime=runtime, device=device)
    cupy.cublas = ModuleType("cupy.cublas")
    cupy.cublas.nrm2 = lift(np.linalg.norm)
    kernel = lambda *args, **kwargs: None  # noqa: E731
    cupy.RawModule = cupy.RawKernel = cupy.ReductionKernel = kernel
    cupy.ElementwiseKernel = lambda *args: run_adam  # Thinc has one
    cupyx.scatter_add = scatter_add
    modules = (cupy, cupy.random, cupy.cublas, cupyx)
    sys.modules.update({module.__name__: module for module in modules})
    from thinc.api import CupyOps, NumpyOps

    for name in KERNELS.split():
        run = lift(getattr(NumpyOps(), name))
        setattr(CupyOps, name, lambda self, *args, run=run, **kwargs: run(*args, **kwargs))
