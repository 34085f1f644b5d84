"""`python -m spacy pretrained adapt`: masked-language-model training goes on, on texts of one's own."""
