"""How large an encoder of the catalogue is, as far as one can know."""

from dataclasses import dataclass
from typing import Any

from ..checkpoints.catalogue import CATALOGUE

BASE = "bert-base-cased"  # whose cost is 1
USUAL_RATIO = 4  # of the inner width of a layer to its width
USUAL_VOCABULARY = 32_000


@dataclass(frozen=True)
class Sizes:
    parameters: int
    outside: int  # of these, outside of the embeddings
    layers: int
    width: int
    relative_cost: float  # FLOPs a wordpiece; 1 is BERT base
    estimated: bool = False  # not all of it was read or computed


def find_sizes(entry: dict[str, Any]) -> Sizes | None:
    """The computed sizes of an entry of the catalogue. Where its config was not read in full, an
    estimate by what was: layers four times as wide inside as outside, which nearly all BERT-like
    encoders have, and the number of parameters that its authors give. None without layers and
    width and without that number."""
    layers, width, computed = entry["layers"], entry["width"], entry["computed"]
    if computed:
        known = (computed["parameters"], computed["parameters_outside_embeddings"])
        return Sizes(*known, layers, width, computed["relative_cost"])
    stated = (entry["parameters_millions"] or 0) * 1e6
    if layers and width:
        inner = entry["intermediate"] or USUAL_RATIO * width
        outside = layers * (4 * width**2 + 2 * width * inner)
        parameters = stated or outside + (entry["vocabulary"] or USUAL_VOCABULARY) * width
    elif stated and entry["vocabulary"] and width:
        parameters, outside = stated, stated - entry["vocabulary"] * width
        layers = round(outside / ((4 + 2 * USUAL_RATIO) * width**2))
    else:
        return None
    cost = outside / CATALOGUE[BASE]["computed"]["parameters_outside_embeddings"]
    return Sizes(round(parameters), round(outside), layers, width, round(cost, 3), True)
