"""Labels of a made-up task, as in assets/textcat."""

LABELS = """
title: Made up
task: two topics
template: "This text is about {}."
descriptions:
  food: Recipes, cooking, baking, meals and how they taste.
  music: Songs, bands, concerts, singers and instruments.
"""
