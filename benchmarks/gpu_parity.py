"""How alike the annotation of the same texts is on two devices."""

from typing import Any

import numpy as np
from spacy.tokens import Doc

# What has to be the same for a token to be alike, of each measure.
ALIKE = {
    "tags": ["TAG", "POS", "MORPH"],
    "heads": ["HEAD", "SENT_START"],
    "labels": ["DEP"],
    "lemmas": ["LEMMA"],
    "entities": ["ENT_IOB", "ENT_TYPE"],
}


def compare_docs(docs: list[Doc], others: list[Doc]) -> dict[str, Any]:
    """The share of tokens, in percent, that are annotated alike; how many different annotations
    there are, since with one of a kind that says nothing; and the largest difference of a number in
    a vector, beside the largest number."""
    vectors, other_vectors = ([read_vectors(doc) for doc in side] for side in (docs, others))
    differences = [np.abs(a - b).max(initial=0) for a, b in zip(vectors, other_vectors)]
    return {
        "words": sum(map(len, docs)),
        "percent": {name: count_alike(docs, others, names) for name, names in ALIKE.items()},
        "kinds": {name: count_kinds(docs, names) for name, names in ALIKE.items()},
        "vectors": {
            "largest_difference": float(max(differences)),
            "largest_number": float(max(np.abs(array).max(initial=0) for array in vectors)),
        },
    }


def count_alike(docs: list[Doc], others: list[Doc], names: list[str]) -> float:
    """In percent. Both have the same tokens, each side with a vocab of its own."""
    same = [
        np.all([one.to_array(name) == two.to_array(name) for name in names], axis=0)
        for one, two in zip(docs, others, strict=True)
    ]
    return round(100 * float(np.concatenate(same).mean()), 4)


def count_kinds(docs: list[Doc], names: list[str]) -> int:
    """How many different annotations tokens have."""
    return len(np.unique(np.concatenate([doc.to_array(names) for doc in docs]), axis=0))


def read_vectors(doc: Doc) -> np.ndarray:
    tensor = doc.tensor
    return tensor.get() if hasattr(tensor, "get") else tensor  # of CuPy
