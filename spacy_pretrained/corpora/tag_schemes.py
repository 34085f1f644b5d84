"""Entities as tags of tokens, in IOB1, IOB2 (BIO), BIOES (IOBES) or BILUO, and as spans.

    tags                        spans                            scheme
    B-PER  I-PER  O  B-PER      (0, 2, "PER"), (3, 4, "PER")     iob2
    I-PER  I-PER  O  I-PER      the same                         iob1: B- only behind its like
    B-PER  E-PER  O  S-PER      the same                         bioes: end, single
    B-PER  L-PER  O  U-PER      the same                         biluo: last, unit

All four are read in one way, whether or not the tags keep to the scheme:

- An entity begins at B-, S- and U-, and where I-, E- or L- cannot go on with the token before.
- I-, E- and L- go on with the token before if that is B- or I- of the same label.

So the scheme decides what is a mistake of the file, which is then counted as a repair: in iob2 an
I- that begins an entity; in iob1 a B- that does not stand behind an entity of the same label; in
bioes and biluo an I- or E- (L-) that begins an entity, and an entity of several tokens without E-
(L-).

A label is all behind the first "-": that of "B-creative-work" is "creative-work". "-" (as in spaCy)
and "_" are tokens whose annotation is missing, which is not the same as "O".
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from .errors import Errors

SCHEMES = ("iob1", "iob2", "bioes", "biluo")
AUTO = "auto"
OUTSIDE = "O"
MISSING = ("-", "_")
# More mistakes than this share of the entities are no mistakes: the file is of another scheme, or
# mixes several.
MAX_REPAIRS = 0.1

Span = tuple[int, int, str]  # first token, behind the last token, label
Where = Callable[[int, int], str]  # the numbers of a sentence and of a token in it to "sentence 3"

# Names of the ends and the singles, by scheme; iob1 and iob2 have none.
ENDS = {"bioes": ("E", "S"), "biluo": ("L", "U")}
PREFIXES = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S"}


@dataclass
class Entities:
    """The entities of a sentence, in order."""

    spans: list[Span]
    missing: list[int]  # tokens whose annotation is missing
    repairs: int  # places where the tags do not keep to their scheme


def to_spans(tags: Sequence[str], scheme: str) -> Entities:
    """Read the tags of a sentence.

    ValueError if the scheme is unknown, or a tag is none or none of this scheme.
    """
    check_scheme(scheme)
    spans: list[Span] = []
    start = -1
    repairs = 0
    for i, (left, right) in enumerate(_pairs(tags)):
        goes_on, begins, is_repair = _step(left, right, scheme)
        if start >= 0 and not goes_on:
            spans.append((start, i, parse_tag(left)[1]))
            start = -1
        if begins:
            start = i
        repairs += is_repair
    missing = [i for i, tag in enumerate(tags) if tag in MISSING]
    return Entities(spans, missing, repairs)


def to_tags(
    spans: Iterable[Span], n_tokens: int, scheme: str, missing: Iterable[int] = ()
) -> list[str]:
    """Write the entities of a sentence, the inverse of `to_spans`.

    ValueError if spans overlap, or one is empty or not inside of the sentence.
    """
    check_scheme(scheme)
    end, single = ENDS.get(scheme, ("I", "B"))
    tags = [OUTSIDE] * n_tokens
    for i in missing:
        tags[i] = MISSING[0]
    last, last_label = 0, ""
    for start, stop, label in sorted(spans):
        if not last <= start < stop <= n_tokens:
            raise ValueError(Errors.TAGS_SPAN.format(span=(start, stop, label), n_tokens=n_tokens))
        if stop - start == 1:
            letters = single
        else:
            letters = "B" + "I" * (stop - start - 2) + end
        if scheme == "iob1" and not (start and start == last and label == last_label):
            letters = "I" + letters[1:]
        tags[start:stop] = [f"{letter}-{label}" for letter in letters]
        last, last_label = stop, label
    return tags


def detect_scheme(sentences: Iterable[Sequence[str]], *, where: Where | None = None) -> str:
    """Find the scheme of the tags of many sentences, which are gone through once.

    Any L- or U- makes it biluo, any E- or S- bioes. Of iob1 and iob2 it is the one that takes fewer
    repairs; iob2 if there are no entities. A scheme that takes more repairs than a tenth of the
    entities is none: some 2 % of entities that begin with I- in a file of IOB2 are mistakes, 30 %
    are another scheme, and only who made the file knows which.

    where: names the place of a tag in a message, by the numbers of its sentence and of its token.

    ValueError if a tag is none, or no scheme fits.
    """
    where = where or (lambda sentence, token: f"sentence {sentence + 1}, token {token + 1}")
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for number, tags in enumerate(sentences):
        pairs = list(_pairs(tags))
        for pair in set(pairs) - counts.keys():
            first[pair] = number, min(pairs.index(pair), len(tags) - 1)
            _parse_at(pair[1], where, *first[pair])
        counts.update(pairs)
    repairs = {
        scheme: {pair for pair in counts if _is_repair(*pair, scheme)}
        for scheme in _candidates({right[0] for _, right in counts})
    }
    scheme = min(repairs, key=lambda name: _total(counts, repairs[name]))
    n_entities = _total(counts, {pair for pair in counts if _joint(*pair)[1]})
    if _total(counts, repairs[scheme]) > MAX_REPAIRS * n_entities:
        kinds = ", ".join(f"{name} {_total(counts, repairs[name])}" for name in repairs)
        place = where(*min(first[pair] for pair in repairs[scheme]))
        raise ValueError(
            Errors.TAGS_MIXED.format(entities=n_entities, kinds=kinds, where=place, scheme=scheme)
        )
    return scheme


def check_scheme(scheme: str, *others: str) -> None:
    """ValueError if the scheme is none of SCHEMES, nor of `others`."""
    if scheme not in (*SCHEMES, *others):
        raise ValueError(
            Errors.TAGS_SCHEME.format(scheme=scheme, known=", ".join((*SCHEMES, *others)))
        )


@lru_cache(maxsize=10_000)
def parse_tag(tag: str) -> tuple[str, str]:
    """A tag's letter, with E for L and S for U, and its label; "" and "" for "O" and missing ones.

    ValueError if it is no tag.
    """
    if tag == OUTSIDE or tag in MISSING:
        return "", ""
    letter, dash, label = tag.partition("-")
    if letter not in PREFIXES or not dash or not label.strip():
        raise ValueError(Errors.TAGS_UNKNOWN.format(tag=tag))
    return PREFIXES[letter], label


def is_tag(tag: str) -> bool:
    try:
        parse_tag(tag)
    except ValueError:
        return False
    return True


def _pairs(tags: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each tag with the one before it, and what is behind the last one with that."""
    return pairwise([OUTSIDE, *tags, OUTSIDE])


@lru_cache(maxsize=10_000)
def _step(left: str, right: str, scheme: str) -> tuple[bool, bool, bool]:
    """Whether an entity continues from one tag to the next, begins there, takes a repair there."""
    _check_letter(right, scheme)
    goes_on, begins = _joint(left, right)
    return goes_on, begins, _is_repair(left, right, scheme)


def _joint(left: str, right: str) -> tuple[bool, bool]:
    (left_letter, left_label), (letter, label) = parse_tag(left), parse_tag(right)
    goes_on = letter in ("I", "E") and left_letter in ("B", "I") and left_label == label
    return goes_on, bool(letter) and not goes_on


def _is_repair(left: str, right: str, scheme: str) -> bool:
    (left_letter, left_label), (letter, label) = parse_tag(left), parse_tag(right)
    goes_on, begins = _joint(left, right)
    if scheme == "iob1":
        return letter == "B" and not (left_letter and left_label == label)
    begins_wrong = begins and letter in ("I", "E")
    if scheme == "iob2":
        return begins_wrong
    return begins_wrong or (left_letter in ("B", "I") and not goes_on)


def _check_letter(tag: str, scheme: str) -> None:
    letters = ("B", "I", *ENDS.get(scheme, ()))
    if parse_tag(tag)[0] and not tag.startswith(letters):
        raise ValueError(
            Errors.TAGS_LETTER.format(tag=tag, scheme=scheme, letters=", ".join(letters))
        )


def _candidates(letters: set[str]) -> list[str]:
    found = [scheme for scheme, ends in ENDS.items() if letters & set(ends)]
    if len(found) > 1:
        raise ValueError(Errors.TAGS_LETTERS.format(letters=", ".join(sorted(letters - {"O"}))))
    return found or ["iob2", "iob1"]


def _parse_at(tag: str, where: Where, sentence: int, token: int) -> None:
    try:
        parse_tag(tag)
    except ValueError as error:
        raise ValueError(f"{where(sentence, token)}: {error}") from error


def _total(counts: Counter, pairs: set) -> int:
    return sum(counts[pair] for pair in pairs)
