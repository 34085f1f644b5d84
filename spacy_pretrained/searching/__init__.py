"""`python -m spacy pretrained search`: searches settings of a config by trial trainings."""
