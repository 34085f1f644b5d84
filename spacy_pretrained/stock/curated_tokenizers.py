"""The tokenizers of spacy-curated-transformers, which see the text of one token at a time, as those
of the library `tokenizers`. Special pieces in a text are ordinary text for them, so that none is
among the added ones."""

from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from .errors import Errors
from .find import StockPipe

NO_LIMIT = 10**9
NORMAL, UNKNOWN, CONTROL, UNUSED = 1, 2, 3, 5  # kinds of pieces, of sentencepiece's protocol buffer
UNIGRAM = 1  # a kind of model, there

# Numbers that a kind of model has for SentencePiece's: of its first pieces, and what is added to
# all others. fairseq, in which they were trained, put special pieces of its own first.
ADAPTED = {
    None: ({}, 0),
    "xlm-r": ({0: 3, 1: 0, 2: 2}, 1),
    "camembert": ({0: 3}, 4),
}


def make_byte_bpe(
    vocabulary: dict[str, int], merges: list[tuple[str, str]], before: str, behind: str
) -> str:
    """GPT-2's byte-level BPE."""
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return _surround(tokenizer, (before, vocabulary[before]), (behind, vocabulary[behind]))


def make_wordpiece(pieces: list[str], unknown: str, before: str, behind: str) -> str:
    """BERT's WordPiece, without what is done to a text before, but that white space parts words."""
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    model = models.WordPiece(vocabulary, unk_token=unknown, max_input_chars_per_word=NO_LIMIT)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return _surround(tokenizer, (before, vocabulary[before]), (behind, vocabulary[behind]))


def make_sentencepiece(stock: StockPipe, processor: Any, adapter: str | None) -> str:
    """SentencePiece's Unigram, with the numbers that the model has.

    RAISES: ValueError for other kinds of SentencePiece models, and for pieces of kinds that the
        models of spaCy's pipelines do not have.
    """
    proto = _parse(stock, processor.to_protobuf())
    if proto.trainer_spec.model_type != UNIGRAM:
        kind = proto.trainer_spec.model_type
        stock.refuse("model.piece_encoder", f"SentencePiece of the kind {kind}", "Unigram (1)")
    kinds = {piece.type for piece in proto.pieces} - {NORMAL, UNKNOWN, CONTROL, UNUSED}
    if kinds:
        what = "pieces of the kind " + ", ".join(map(str, sorted(kinds)))
        stock.refuse("model.piece_encoder", what, "normal, unknown, control and unused pieces")
    first, shift = ADAPTED[adapter]
    numbers = [first.get(number, number + shift) for number in range(len(proto.pieces))]
    # What is not to be found in a text has a space in it, which no text has by then.
    vocabulary = [(f" {number}", 0.0) for number in range(max(numbers) + 1)]
    for number, piece in zip(numbers, proto.pieces):
        hidden = piece.type != NORMAL
        vocabulary[number] = (f" {piece.piece}" if hidden else piece.piece, piece.score)
    unknown = numbers[processor.unk_id()]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = _make_normalizer(proto.normalizer_spec)
    prepend = "always" if proto.normalizer_spec.add_dummy_prefix else "never"
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prepend, split=False)
    before, behind = numbers[processor.bos_id()], numbers[processor.eos_id()]
    return _surround(tokenizer, ("<s>", before), ("</s>", behind))


def _parse(stock: StockPipe, data: bytes) -> Any:
    try:
        from sentencepiece import sentencepiece_model_pb2
    except ImportError as error:
        missing = {"name": stock.name, "missing": error.name or "protobuf"}
        raise ValueError(Errors.NEEDS_SENTENCEPIECE.format(**missing)) from error
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(data)
    return proto


def _make_normalizer(spec: Any) -> normalizers.Normalizer:
    steps: list[normalizers.Normalizer] = []
    if spec.precompiled_charsmap:
        steps.append(normalizers.Precompiled(spec.precompiled_charsmap))
    if spec.remove_extra_whitespaces:
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    return normalizers.Sequence(steps)


def _surround(tokenizer: Tokenizer, before: tuple[str, int], behind: tuple[str, int]) -> str:
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{before[0]} $A {behind[0]}", special_tokens=[before, behind]
    )
    return tokenizer.to_str()
