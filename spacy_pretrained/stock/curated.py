"""Reads the `curated_transformer` of spacy-curated-transformers 0.3."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model

from ..windows.stock_windows import (
    PIECES,
    ByteBpe,
    SentencePiece,
    StockWindows,
    WordPiece,
    Words,
)
from .curated_tokenizers import make_byte_bpe, make_sentencepiece, make_wordpiece
from .find import StockPipe

SPLITS = {"_bert_preprocess": True, "<lambda>": False}  # by the function's name: at punctuation
ADAPTERS = {"xlmr_adapter": "xlm-r", "camembert_adapter": "camembert"}
ENCODERS = "ByteBpeEncoder, WordpieceEncoder, BertWordpieceEncoder, SentencepieceEncoder"


def read_windows(stock: StockPipe, pooling: str) -> StockWindows:
    """RAISES: ValueError for piece encoders that are not supported."""
    for node in stock.pipe.model.walk():
        if node.name == "with_strided_spans":
            window, stride = node.attrs["window"], node.attrs["stride"]
            break
    else:
        stock.refuse("model.with_spans", "unknown", "WithStridedSpans.v1")
    if 2 * stride < window:
        stock.refuse("model.with_spans.stride", stride, "at least half of window")
    return StockWindows(PIECES, window, stride, pooling, _read_words(stock))


def _read_words(stock: StockPipe) -> Words:
    encoder, _ = _find_encoder(stock)
    if encoder.name == "byte_bpe_encoder":
        return ByteBpe(space=_find_space(encoder))
    if encoder.name == "wordpiece_encoder":
        preprocess = getattr(encoder.attrs["preprocess"], "__name__", "")
        if preprocess not in SPLITS:
            supported = "those of WordpieceEncoder and BertWordpieceEncoder"
            stock.refuse("model.piece_encoder.preprocess", f"'{preprocess}'", supported)
        return WordPiece(
            lowercase=bool(encoder.attrs["lowercase"]),
            strip_accents=bool(encoder.attrs["strip_accents"]),
            split_punctuation=SPLITS[preprocess],
        )
    return SentencePiece()


def _find_encoder(stock: StockPipe) -> tuple[Model, str | None]:
    """The piece encoder, and the kind of its adapter, if it has one."""
    encoder = stock.pipe.model.get_ref("piece_encoder")
    adapter = None
    if len(encoder.layers) == 2:
        encoder, second = encoder.layers
        adapter = ADAPTERS.get(second.name, second.name)
    known = {"byte_bpe_encoder", "wordpiece_encoder", "sentencepiece_encoder"}
    if encoder.name not in known or adapter not in {None, *ADAPTERS.values()}:
        found = " and ".join(filter(None, (encoder.name, adapter)))
        what = f"'{found}'" + (" (characters)" if encoder.name == "char_encoder" else "")
        stock.refuse("model.piece_encoder", what, ENCODERS)
    return encoder, adapter


def _find_space(encoder: Model) -> str:
    """Which rule the installed version has: 0.3.0 takes white space out of a Doc before this
    encoder sees it, so that the space of the word before counts; 0.3.1 does not."""
    doc = Doc(Vocab(), words=["a", " ", "a"], spaces=[True, False, False])
    doc[1].vocab[" "].is_space = True
    (pieces,) = encoder.predict([doc])
    return "word" if pieces.lengths[2] else "token"  # the first piece is a special one


def make_saver(stock: StockPipe) -> Callable[[Path], None]:
    """A function that saves weights and tokenizer to a folder.

    RAISES: ValueError if the encoder is in TorchScript, or of an unknown kind.
    """
    (shim,) = stock.pipe.model.get_ref("transformer").shims
    if "TorchScript" in type(shim).__name__:
        stock.refuse("model.torchscript", "true", "false")
    module = getattr(shim._model, "curated_encoder", None)
    kind = type(module).__name__
    if kind not in ("BertEncoder", "RobertaEncoder", "AlbertEncoder"):
        stock.refuse("model's encoder", f"'{kind}'", "BertEncoder, RobertaEncoder, AlbertEncoder")
    return partial(_save, module, make_definition(stock))


def make_definition(stock: StockPipe) -> str:
    """The text of a tokenizer.json, for the text of one token at a time."""
    encoder, adapter = _find_encoder(stock)
    attrs = encoder.attrs
    if encoder.name == "sentencepiece_encoder":
        return make_sentencepiece(stock, attrs["sentencepiece_processor"], adapter)
    around = attrs["bos_piece"], attrs["eos_piece"]
    if encoder.name == "byte_bpe_encoder":
        processor = attrs["byte_bpe_processor"]
        return make_byte_bpe(processor.vocab, processor.merges, *around)
    return make_wordpiece(attrs["wordpiece_processor"].to_list(), attrs["unk_piece"], *around)


def _save(module: Any, definition: str, folder: Path) -> None:
    from .torch_curated import save_encoder

    save_encoder(module, folder)
    (folder / "tokenizer.json").write_text(definition, "utf8")
    settings = {"model_max_length": module.max_seq_len}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf8")
