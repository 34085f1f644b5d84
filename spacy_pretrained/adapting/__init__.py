"""`python -m spacy pretrained adapt`: training on masked words goes on, with texts of one's own."""
