"""Short configs to train with, one a purpose: installed as `spacy_pretrained.configs`."""
