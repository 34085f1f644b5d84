"""Which packages are there, without importing them."""

from importlib.util import find_spec

MODULES = {"protobuf": "google.protobuf"}


def is_installed(package: str) -> bool:
    try:
        return find_spec(MODULES.get(package, package)) is not None
    except ModuleNotFoundError:  # there is no package `google` at all
        return False
