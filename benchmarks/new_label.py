"""Sentences with a label that the sample corpus does not have, of products that do not exist."""

import re
from collections.abc import Iterable

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

LABEL = "PRODUCT"

TRAIN = """
I bought a [Zentro X200] last week.
The new [Kalvex Pro] has a bright screen.
My [Nimbra 5] stopped working after two days.
Have you tried the [Orvello Mini]?
She returned her [Tasko Air] because of the noise.
The [Vexor 12] costs less than the [Zentro X100].
We replaced our old printer with a [Brelta Jet].
He never leaves the house without his [Quillo Band].
A [Mirano Plus] was lying on the table.
The battery of the [Dulcor S3] lasts a week.
They sold thousands of [Feltra One] phones in a month.
Our reviewers liked the [Pondera Max] best.
I charge my [Yovra Lite] every night.
The [Harkon 900] is too heavy to carry.
This update makes the [Sabrix Pro] faster.
Nobody needs a [Lumetta 7] in the kitchen.
The camera of the [Grento Ultra] takes sharp pictures.
You can order the [Wistra Cam] on their site.
Her [Novexa 3] fell into the water and still works.
The manual of the [Jorvik Plus] is hard to read.
"""
HELD_OUT = """
I sold my [Veltra X50] yesterday.
The new [Rondo Pro] has a small keyboard.
His [Pylonix 4] stopped charging.
Have you seen the [Arbello Mini]?
We returned the [Cortina Air] on Monday.
The battery of the [Sorvex S2] is empty again.
They replaced the [Haldor 300] with a better one.
The screen of the [Trimba Ultra] is broken.
I would not buy a [Gelvano Plus] again.
You can find the [Mokra Lite] in every shop.
"""


def read_examples(nlp: Language, text: str) -> list[Example]:
    """One example a line; the entities are in brackets, and there are no others."""
    return [Example(nlp.make_doc(d.text), d) for d in _read_docs(nlp, text)]


def _read_docs(nlp: Language, text: str) -> Iterable[Doc]:
    for line in text.strip().splitlines():
        parts = re.split(r"[\[\]]", line)
        doc = nlp.make_doc("".join(parts))
        ents, low = [], 0
        for number, part in enumerate(parts):
            if number % 2:
                ents.append(doc.char_span(low, low + len(part), LABEL))
            low += len(part)
        doc.ents = ents
        yield doc
