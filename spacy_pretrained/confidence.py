"""How sure a component is of each token: `token._.tag_confidence` and its like.

The numbers of a Doc lie in one array in `doc.user_data`, not in an entry a token, so that they
travel in `doc.to_bytes()` and in a DocBin that stores user data at little cost.
"""

from spacy.tokens import Doc, Token
from thinc.types import Floats1d


def register(name: str) -> None:
    """Make `token._.{name}_confidence`, a probability, or None where nothing was predicted."""
    key = _key(name)

    def get(token: Token) -> float | None:
        values = token.doc.user_data.get(key)
        return None if values is None else float(values[token.i])

    Token.set_extension(key, getter=get, force=True)


def store(doc: Doc, name: str, probabilities: Floats1d) -> None:
    """Keep the probability (N,) of what was predicted for each of N tokens."""
    doc.user_data[_key(name)] = probabilities


def _key(name: str) -> str:
    return f"{name}_confidence"
