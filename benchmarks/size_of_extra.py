"""How much an extra of this package adds to an environment."""

from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "spacy-pretrained"


def megabytes_of(extra: str) -> dict[str, float]:
    """Of each installed package that only the extra brings: its files on the disk, modules that
    Python has compiled among them."""
    more = requirements(PACKAGE, extra) - requirements(PACKAGE, "")
    return {name: round(size_of(name) / 1e6, 1) for name in sorted(more)}


def requirements(name: str, extra: str) -> set[str]:
    """All that are installed of a package's, and those of these."""
    found: set[str] = set()
    todo = [(name, extra)]
    seen = set(todo)
    while todo:
        package, extra = todo.pop()
        try:
            required = distribution(package).requires or []
        except PackageNotFoundError:  # optional, or of another system
            continue
        found.add(canonicalize_name(package))
        for one in map(Requirement, required):
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                new = {(one.name, inner) for inner in (one.extras or {""})} - seen
                seen |= new
                todo += new
    return found


def size_of(name: str) -> int:
    paths = [file.locate() for file in distribution(name).files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())
