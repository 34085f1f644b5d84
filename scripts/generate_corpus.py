"""Write a small treebank of sentences that a toy grammar makes, to try every step on.

    python scripts/generate_corpus.py assets/generated

Nobody's text, the same on every machine; its scores mean nothing but that training works.
"""

import random
from pathlib import Path
from typing import Annotated

import typer

DETERMINERS = [("the", "Definite=Def|PronType=Art"), ("a", "Definite=Ind|PronType=Art")]
NOUNS = ["cat", "engine", "river", "teacher", "market", "song", "letter", "garden", "robot"]
NAMES = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Kurt"]
ADJECTIVES = ["small", "old", "bright", "quiet", "red", "heavy"]
VERBS = ["sees", "likes", "finds", "moves", "paints", "hears"]
ADVERBS = ["slowly", "often", "gladly", "never"]
PREPOSITIONS = ["near", "behind", "under", "with"]

# A word: form, UPOS, XPOS, FEATS, head (its place in the sentence, from 1), relation.
Word = tuple[str, str, str, str, int, str]


def main(
    output: Annotated[Path, typer.Argument(help="Folder for train, dev and test.conllu")],
    documents: Annotated[int, typer.Option(help="Documents to train on")] = 60,
    seed: int = 0,
) -> None:
    generator = random.Random(seed)
    output.mkdir(parents=True, exist_ok=True)
    for split, n_documents in (("train", documents), ("dev", 10), ("test", 10)):
        texts = [_document(generator, f"{split}-{i}") for i in range(n_documents)]
        (output / f"{split}.conllu").write_text("".join(texts), encoding="utf8")
        typer.echo(f"{output / split}.conllu: {n_documents} documents")


def _document(generator: random.Random, name: str) -> str:
    sentences = [_sentence(generator) for _ in range(generator.randint(3, 8))]
    blocks = [
        f"# sent_id = {name}-{number}\n# text = {_text(words)}\n"
        + "".join(_line(i, words) for i in range(len(words)))
        for number, words in enumerate(sentences, start=1)
    ]
    return f"# newdoc id = {name}\n" + "\n".join(blocks) + "\n"


def _sentence(generator: random.Random) -> list[Word]:
    """Subject, verb, object; perhaps an adverb, perhaps a prepositional phrase."""
    words: list[Word] = []
    subject = _add_noun_phrase(words, generator)
    adverb = None
    if generator.random() < 0.3:
        words.append((generator.choice(ADVERBS), "ADV", "RB", "_", 0, "advmod"))
        adverb = len(words)
    words.append((generator.choice(VERBS), "VERB", "VBZ", "Number=Sing|Person=3", 0, "root"))
    verb = len(words)
    thing = _add_noun_phrase(words, generator)
    _attach(words, subject, verb, "nsubj")
    _attach(words, thing, verb, "obj")
    if adverb:
        _attach(words, adverb, verb, "advmod")
    if generator.random() < 0.4:
        words.append((generator.choice(PREPOSITIONS), "ADP", "IN", "_", 0, "case"))
        case = len(words)
        place = _add_noun_phrase(words, generator)
        _attach(words, case, place, "case")
        _attach(words, place, verb, "obl")
    words.append((".", "PUNCT", ".", "_", verb, "punct"))
    first = words[0]
    words[0] = (first[0].capitalize(), *first[1:])
    return words


def _add_noun_phrase(words: list[Word], generator: random.Random) -> int:
    """Add a name, or a noun with what belongs to it. RETURNS: The place of its head."""
    if generator.random() < 0.25:
        words.append((generator.choice(NAMES), "PROPN", "NNP", "Number=Sing", 0, "dep"))
        return len(words)
    has_adjective = generator.random() < 0.5
    head = len(words) + 2 + has_adjective
    form, features = generator.choice(DETERMINERS)
    words.append((form, "DET", "DT", features, head, "det"))
    if has_adjective:
        words.append((generator.choice(ADJECTIVES), "ADJ", "JJ", "Degree=Pos", head, "amod"))
    words.append((generator.choice(NOUNS), "NOUN", "NN", "Number=Sing", 0, "dep"))
    return head


def _attach(words: list[Word], place: int, head: int, relation: str) -> None:
    words[place - 1] = (*words[place - 1][:4], head, relation)


def _text(words: list[Word]) -> str:
    return " ".join(word[0] for word in words[:-1]) + words[-1][0]


def _line(i: int, words: list[Word]) -> str:
    form, upos, xpos, features, head, relation = words[i]
    misc = "SpaceAfter=No" if i == len(words) - 2 else "_"
    columns = (i + 1, form, form.lower(), upos, xpos, features, head, relation, "_", misc)
    return "\t".join(str(column) for column in columns) + "\n"


if __name__ == "__main__":
    typer.run(main)
