"""`python -m spacy pretrained adapt`: trains an encoder further, on masked words."""
