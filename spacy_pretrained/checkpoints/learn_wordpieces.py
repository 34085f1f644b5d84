"""A WordPiece vocabulary learnt from texts, in a tokenizer like BERT's (lower case)."""

from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from .errors import Errors
from .wordpieces import PieceTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LEAST = 100  # pieces of a vocabulary
LONGEST = 100  # characters of a word; a longer one is unknown
MIN_COUNT = 2  # of a piece of several characters, in the texts
PER_LINE = 1000  # words of a line that the library counts
SHARE_OF_CHARACTERS = 4  # the alphabet has at most the vocabulary's size by this


def learn_wordpieces(texts: Iterable[str], size: int) -> PieceTokenizer:
    """Learn a vocabulary: all characters, but for the rarest where there are too many, and the
    pieces of words that merging the most frequent pairs gives. The same texts give the same.

    size: Pieces at most, special ones included; of few texts there are fewer.
    RAISES: ValueError if the texts have no words, or the size is below LEAST.

    >>> tokenizer = learn_wordpieces(["low lower lowest"] * 2, 100)
    """
    if size < LEAST:
        raise ValueError(Errors.VOCABULARY_SIZE.format(size=size, least=LEAST))
    # Accents stay: the vocabulary is of these texts, and needs no help with rare characters.
    normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    words = _count_words(texts, normalizer)
    if not words:
        raise ValueError(Errors.VOCABULARY_NO_TEXTS)
    vocabulary = {piece: number for number, piece in enumerate(_learn_pieces(words, size))}
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=LONGEST)
    )
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(piece, vocabulary[piece]) for piece in ("[CLS]", "[SEP]")],
    )
    return PieceTokenizer(tokenizer.to_str())


def _count_words(texts: Iterable[str], normalizer: normalizers.Normalizer) -> Counter[str]:
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word, _ in split(normalizer.normalize_str(text)))
    return Counter({word: n for word, n in words.items() if len(word) <= LONGEST})


def _learn_pieces(words: Counter[str], size: int) -> list[str]:
    """The pieces in order: special ones, the alphabet, then the most frequent first."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        counts.update(dict.fromkeys(word, count))
    ranked = sorted(counts, key=lambda char: (-counts[char], char))
    alphabet = sorted(ranked[: size // SHARE_OF_CHARACTERS])
    inside = {char for word in words for char in word[1:]}
    characters = [*alphabet, *(f"##{char}" for char in alphabet if char in inside)]
    # The library numbers characters in the order in which a hash table happens to give the words,
    # and breaks ties between pairs by these numbers; those of special pieces are as given.
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=MIN_COUNT,
        special_tokens=[*SPECIAL, *characters],
        show_progress=False,
    )
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    known = set(alphabet)
    learnt = {word: count for word, count in words.items() if known.issuperset(word)}
    learner.train_from_iterator(_repeat(learnt), trainer)
    numbers = learner.get_vocab()
    return sorted(numbers, key=numbers.__getitem__)


def _repeat(words: dict[str, int]) -> Iterator[str]:
    """Lines with each word as often as it counts: the library takes texts, and no counts."""
    for word, count in words.items():
        for done in range(0, count, PER_LINE):
            yield " ".join([word] * min(PER_LINE, count - done))
