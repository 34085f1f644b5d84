"""`python -m spacy pretrained search`: settings of a config, found by trying some."""
