"""Whether a pipeline has a stock transformer, and which."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec

from .errors import Errors

SPACY_TRANSFORMERS, CURATED = "spacy-transformers", "spacy-curated-transformers"
# Packages as Python names them, which a pipeline needs no more.
MODULES = {"spacy_transformers": SPACY_TRANSFORMERS, "spacy_curated_transformers": CURATED}
SUPPORTED = {SPACY_TRANSFORMERS: ("1.", "version 1"), CURATED: ("0.3.", "version 0.3")}


@dataclass(frozen=True)
class StockPipe:
    """The component with a stock transformer."""

    name: str
    pipe: Any
    package: str  # SPACY_TRANSFORMERS or CURATED

    def refuse(self, setting: str, value: object, supported: str) -> None:
        """RAISES: ValueError, always: the component has a setting that is not supported."""
        raise ValueError(
            Errors.STOCK_SETTING.format(
                name=self.name, setting=setting, value=value, supported=supported
            )
        )


def find_stock(nlp: Language) -> StockPipe | None:
    """The pipeline's stock transformer; None if it has none.

    RAISES: ValueError if there are several, if another tok2vec is beside it, or if its package is
        of a version that is not supported.
    """
    found = [
        StockPipe(name, pipe, package)
        for name, pipe in nlp.components
        if hasattr(pipe, "listener_map") and (package := package_of(type(pipe)))
    ]
    if not found:
        return None
    stock = found[0]
    if len(found) > 1:
        names = ", ".join(f"'{other.name}'" for other in found)
        raise ValueError(Errors.TWO_STOCK.format(names=names))
    for name, pipe in nlp.components:
        if isinstance(pipe, Tok2Vec):
            raise ValueError(Errors.STOCK_BESIDE.format(other=name, name=stock.name))
    _check_version(stock)
    return stock


def package_of(thing: Any) -> str | None:
    """Which of the packages a class or a function is of, or inherits from."""
    for kind in getattr(thing, "__mro__", (thing,)):
        if package := MODULES.get(str(getattr(kind, "__module__", "")).split(".")[0]):
            return package
    return None


def _check_version(stock: StockPipe) -> None:
    prefix, supported = SUPPORTED[stock.package]
    try:
        found = version(stock.package)
    except PackageNotFoundError:  # it runs from a folder; the proof will tell
        return
    if not found.startswith(prefix):
        about = {"name": stock.name, "package": stock.package, "version": found}
        raise ValueError(Errors.STOCK_VERSION.format(supported=supported, **about))
