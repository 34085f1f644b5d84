"""The README of a wheel: what it is, how to install and use it, and spaCy's tables."""

from pathlib import Path
from typing import Any

from spacy.cli.package import generate_readme
from spacy.util import load_config

from .licences import list_licences

# What a component's user will want to see of a Doc, by factory.
USES = {
    "pretrained_tagger": "print([(token.text, token.pos_, token.tag_) for token in doc])",
    "biaffine_parser": "print([(token.text, token.dep_, token.head.text) for token in doc])",
    "pretrained_ner": "print([(entity.text, entity.label_) for entity in doc.ents])",
    "pretrained_lemmatizer": "print([token.lemma_ for token in doc])",
    "trainable_lemmatizer": "print([token.lemma_ for token in doc])",
    "pretrained_textcat": "print(doc.cats)",
    "few_shot_textcat": "print(doc.cats)",
    "zero_shot_textcat": "print(doc.cats)",
}
TEMPLATE = """# {name}

{description}

## Install

```bash
python -m pip install {wheel}
```

## Use

```python
import spacy

nlp = spacy.load("{name}")
doc = nlp("Ada Lovelace was born in London.")
{uses}
```

## About

{about}
{licences}"""
LICENCES = """
## Licences of what it was made of

{list}
"""


def make_readme(pipeline: Path, meta: dict[str, Any]) -> str:
    """meta: That of the package. Its tables of components, sources, license, labels and scores are
    those of spaCy's own packages."""
    name = f"{meta['lang']}_{meta['name']}"
    components = load_config(pipeline / "config.cfg", interpolate=False)["components"]
    factories = (components.get(name, {}).get("factory") for name in meta["pipeline"])
    uses = dict.fromkeys(USES[factory] for factory in factories if factory in USES)
    sources = list_licences(meta.get("sources") or [])
    return TEMPLATE.format(
        name=name,
        description=meta["description"],
        wheel=f"{name}-{meta['version']}-py3-none-any.whl",
        uses="\n".join(uses) or "print(doc)",
        about=generate_readme(meta | {"description": ""}).strip(),
        licences=LICENCES.format(list="\n".join(sources)) if sources else "",
    )
