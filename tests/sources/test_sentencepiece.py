"""Tokenizers that are sentencepiece models only give the pieces that sentencepiece gives."""

import pytest
from tiny_models import BEHIND_PADDING, SMALL, TEXTS
from transformers import AutoConfig, AutoModel

from spacy_pretrained.backends.torch_weights import load_pretrained
from spacy_pretrained.sources.find import find_source

sentencepiece = pytest.importorskip("sentencepiece", reason="the extra `train` brings it")
pytest.importorskip("google.protobuf", reason="the extra `train` brings it")

TEXT = "She sold sea shells, e.g. in Zürich."
FIRST = {"unk_id": 0, "bos_id": 1, "eos_id": 2}
KINDS = {
    "xlm-roberta": ("sentencepiece.bpe.model", FIRST, SMALL | BEHIND_PADDING),
    "camembert": ("sentencepiece.bpe.model", FIRST, SMALL | BEHIND_PADDING),
    "deberta-v2": ("spm.model", {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3}, SMALL),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_those_of_sentencepiece(kind, tmp_path):
    file, ids, settings = KINDS[kind]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 3),
        model_prefix=str(tmp_path / "trained"),
        vocab_size=150,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **ids,
    )
    (tmp_path / "trained.vocab").unlink()
    (tmp_path / "trained.model").rename(tmp_path / file)
    config = AutoConfig.for_model(kind, vocab_size=200, **settings)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    _, checkpoint = load_pretrained(find_source(str(tmp_path)), None)
    tokenizer = checkpoint.tokenizer
    (pieces,) = tokenizer.encode([TEXT])
    names = {number: piece for piece, number in tokenizer.vocabulary().items()}
    original = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / file))
    assert [names[i] for i in pieces.ids] == original.encode(TEXT, out_type=str)
    assert tokenizer.prefix and tokenizer.suffix
