"""Write a small treebank of sentences that a toy grammar makes, to try every step on.

    python scripts/generate_corpus.py assets/generated

Beside each CoNLL-U file stands one with the entities of its sentences, as Universal NER has them:
train.conllu and train.iob2. Nobody's text, the same on every machine; its scores mean nothing but
that training works.
"""

import random
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

DETERMINERS = [("the", "Definite=Def|PronType=Art"), ("a", "Definite=Ind|PronType=Art")]
NOUNS = ["cat", "engine", "river", "teacher", "market", "song", "letter", "garden", "robot"]
# Some names are of two words, which depend on each other as Universal Dependencies has it.
PEOPLE = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Kurt"]
SURNAMES = ["Hall", "Marsh", "Rivers", "Stone"]
PLACES = [["Lisbon"], ["Nairobi"], ["Oslo"], ["San", "Marino"], ["Port", "Louis"]]
ADJECTIVES = ["small", "old", "bright", "quiet", "red", "heavy"]
VERBS = ["see", "like", "find", "move", "paint", "hear"]
ADVERBS = ["slowly", "often", "gladly", "never"]
PREPOSITIONS = ["near", "behind", "under", "with"]


class Word(NamedTuple):
    form: str
    lemma: str
    upos: str
    xpos: str
    feats: str
    head: int = 0  # its place in the sentence, from 1; 0 is the root
    relation: str = "root"
    entity: str = "O"


def main(
    output: Annotated[Path, typer.Argument(help="Folder for train, dev and test")],
    documents: Annotated[int, typer.Option(help="Documents to train on")] = 60,
    seed: int = 0,
) -> None:
    generator = random.Random(seed)
    output.mkdir(parents=True, exist_ok=True)
    for split, n_documents in (("train", documents), ("dev", 10), ("test", 10)):
        texts = [_document(generator, f"{split}-{i}") for i in range(n_documents)]
        for number, ending in enumerate(("conllu", "iob2")):
            path = output / f"{split}.{ending}"
            path.write_text("".join(text[number] for text in texts), encoding="utf8")
            typer.echo(f"{path}: {n_documents} documents")


def _document(generator: random.Random, name: str) -> tuple[str, str]:
    """A document of some sentences. RETURNS: Its CoNLL-U and its entities."""
    treebank = entities = f"# newdoc id = {name}\n"
    for number in range(1, generator.randint(3, 8) + 1):
        words = _sentence(generator)
        comments = f"# sent_id = {name}-{number}\n# text = {_text(words)}\n"
        treebank += comments + "".join(_line(i, words) for i in range(len(words))) + "\n"
        rows = [f"{i}\t{word.form}\t{word.entity}\t-\t-\n" for i, word in enumerate(words, 1)]
        entities += comments + "".join(rows) + "\n"
    return treebank, entities


def _sentence(generator: random.Random) -> list[Word]:
    """Subject, verb, object; perhaps an adverb, perhaps a prepositional phrase."""
    words: list[Word] = []
    subject = _add_noun_phrase(words, generator)
    adverb = None
    if generator.random() < 0.3:
        form = generator.choice(ADVERBS)
        words.append(Word(form, form, "ADV", "RB", "_"))
        adverb = len(words)
    lemma = generator.choice(VERBS)
    words.append(Word(f"{lemma}s", lemma, "VERB", "VBZ", "Number=Sing|Person=3"))
    verb = len(words)
    thing = _add_noun_phrase(words, generator)
    _attach(words, subject, verb, "nsubj")
    _attach(words, thing, verb, "obj")
    if adverb:
        _attach(words, adverb, verb, "advmod")
    if generator.random() < 0.4:
        _add_prepositional_phrase(words, verb, generator)
    words.append(Word(".", ".", "PUNCT", ".", "_", verb, "punct"))
    words[0] = words[0]._replace(form=words[0].form.capitalize())
    return words


def _add_noun_phrase(words: list[Word], generator: random.Random) -> int:
    """Add a person, or a noun with what belongs to it. RETURNS: The place of its head."""
    if generator.random() < 0.25:
        head = _add_name(words, "PER", generator.choice(PEOPLE))
        if generator.random() < 0.4:
            _add_name(words, "PER", generator.choice(SURNAMES), (head, "flat"))
        return head
    has_adjective = generator.random() < 0.5
    head = len(words) + 2 + has_adjective
    form, feats = generator.choice(DETERMINERS)
    words.append(Word(form, form, "DET", "DT", feats, head, "det"))
    if has_adjective:
        form = generator.choice(ADJECTIVES)
        words.append(Word(form, form, "ADJ", "JJ", "Degree=Pos", head, "amod"))
    form = generator.choice(NOUNS)
    words.append(Word(form, form, "NOUN", "NN", "Number=Sing"))
    return head


def _add_prepositional_phrase(words: list[Word], verb: int, generator: random.Random) -> None:
    """Add "in" and a place, or another preposition and a noun phrase."""
    in_place = generator.random() < 0.5
    form = "in" if in_place else generator.choice(PREPOSITIONS)
    words.append(Word(form, form, "ADP", "IN", "_"))
    case = len(words)
    if in_place:
        *firsts, last = generator.choice(PLACES)
        noun = case + len(firsts) + 1
        for first in firsts:
            _add_name(words, "LOC", first, (noun, "compound"))
        _add_name(words, "LOC", last)
    else:
        noun = _add_noun_phrase(words, generator)
    _attach(words, case, noun, "case")
    _attach(words, noun, verb, "obl")


def _add_name(words: list[Word], label: str, form: str, arc: tuple[int, str] = (0, "root")) -> int:
    """Add a word of an entity, the one that the word before is of. RETURNS: Its place."""
    goes_on = bool(words) and words[-1].entity != "O"
    entity = f"I-{label}" if goes_on else f"B-{label}"
    words.append(Word(form, form, "PROPN", "NNP", "Number=Sing", *arc, entity))
    return len(words)


def _attach(words: list[Word], place: int, head: int, relation: str) -> None:
    words[place - 1] = words[place - 1]._replace(head=head, relation=relation)


def _text(words: list[Word]) -> str:
    return " ".join(word.form for word in words[:-1]) + words[-1].form


def _line(i: int, words: list[Word]) -> str:
    word = words[i]
    misc = "SpaceAfter=No" if i == len(words) - 2 else "_"
    return "\t".join((str(i + 1), *word[:5], str(word.head), word.relation, "_", misc)) + "\n"


if __name__ == "__main__":
    typer.run(main)
