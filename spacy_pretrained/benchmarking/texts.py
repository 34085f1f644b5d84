"""Texts to measure on: sentences of ours in a row, cut into texts of a given length.

They have no punctuation, so that a text is one sentence, and with that one window of the encoder.
Speed and memory do not depend on what a text says, but on how many words and wordpieces it has:
these have about 1.2 wordpieces a word with an English vocabulary, as news has.
"""

import random

SENTENCES = (
    "The committee published its annual report on the fisheries of the northern coast in March",
    "Ada Lovelace wrote the first program for a machine that was never built in her lifetime",
    "Heavy rain flooded several villages along the river and closed two railway lines",
    "A small workshop near the harbour repairs clocks barometers and other old instruments",
    "Researchers in Zürich measured how glaciers have retreated since the nineteenth century",
    "She bought a second hand bicycle for 240 euros and rode it to Lisbon",
    "The orchestra rehearses every Thursday evening in the gymnasium behind the school",
    "Prices of wheat and maize rose by twelve percent after the drought in Argentina",
    "Nobody could explain why the lighthouse keeper had left without his coat",
    "The new vaccine protects against three variants of the virus for at least a year",
    "Engineers replaced the hydraulic pumps of the lock between the two canals",
    "My grandmother used to bake bread with walnuts and dried apricots on Sundays",
    "The minister refused to comment on the negotiations with the trade unions",
    "An astronomer from Chile discovered a comet that returns every 73 years",
    "The translation of the novel keeps the rhythm of the original surprisingly well",
    "Farmers protested in front of parliament against the planned motorway",
    "The museum lends forty paintings to galleries in Kraków Oslo and Edinburgh",
    "He forgot his password again and waited an hour for somebody to reset it",
    "Photosynthesis turns carbon dioxide and water into sugar and oxygen",
    "The goalkeeper saved two penalties before the match was interrupted by fog",
    "A court in The Hague ruled that the contract had been void from the beginning",
    "Children under six travel free of charge on all buses and trams of the region",
    "The company announced that it would recall 18,000 dishwashers because of faulty valves",
    "Migrating storks rest on the chimneys of the abandoned brickworks",
    "Our neighbours have planted an orchard of cherries plums and quinces",
    "The algorithm sorts a list of strings without comparing any two of them directly",
    "Passengers complained about the delay but praised the patience of the crew",
    "The bridge was designed by an architect who had never built one before",
    "In autumn the monastery opens its library to students of medieval manuscripts",
    "Whoever finds the missing page of the logbook is promised a generous reward",
)


def make_texts(words_a_text: int, n_texts: int, seed: int = 0) -> list[str]:
    """Texts of so many words, the same each time.

    >>> make_texts(3, 2)[0].count(" ")
    2
    """
    draw = random.Random(seed)
    words: list[str] = []
    while len(words) < words_a_text * n_texts:
        words += draw.choice(SENTENCES).split()
    starts = range(0, words_a_text * n_texts, words_a_text)
    return [" ".join(words[start : start + words_a_text]) for start in starts]


def count_texts(words_a_text: int, words_a_batch: int) -> int:
    """Texts of a batch, at least one."""
    return max(1, round(words_a_batch / words_a_text))
