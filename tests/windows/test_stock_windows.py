"""The setting goes into a config and back, and what does not go together is refused."""

import pytest
from thinc.api import Config

from spacy_pretrained.windows.stock_windows import (
    ByteBpe,
    SentencePiece,
    StockWindows,
    WordPiece,
)

SETTINGS = [
    StockWindows("tokens", 128, 96),
    StockWindows("sentences", pooling="sum"),
    StockWindows("docs"),
    StockWindows("pieces", 144, 104, words=ByteBpe(space="word")),
    StockWindows("pieces", 12, 12, words=SentencePiece()),
    StockWindows("seeming_sentences", words=WordPiece(lowercase=True, split_punctuation=False)),
    StockWindows("seeming_sentences"),
]


@pytest.mark.parametrize("stock", SETTINGS)
def test_a_config_says_it_all(stock):
    text = Config({"model": {"stock_windows": stock.to_config()}}).to_str()
    assert StockWindows.from_config(Config().from_str(text)["model"]["stock_windows"]) == stock


@pytest.mark.parametrize(
    "block, message",
    [
        ({"spans": "words"}, "spans is 'words', but has to be one of tokens"),
        ({"spans": "docs", "pooling": "max"}, "pooling is 'max', but has to be one of mean, sum"),
        ({"spans": "docs", "window": 9}, "window is 9, but has to be null"),
        ({"spans": "tokens", "window": 9}, "stride is None, but has to be from 1 to window"),
        ({"spans": "tokens", "window": 9, "stride": 10}, "stride is 10"),
        ({"spans": "pieces", "window": 9, "stride": 9}, "words is None"),
        ({"spans": "docs", "words": {"kind": "wordpiece"}}, "only there"),
        ({"spans": "docs", "words": {"kind": "chars"}}, "words.kind is 'chars'"),
        ({"spans": "docs", "overlap": 3}, "overlap is 3, but has to be left out"),
        (
            {"spans": "pieces", "window": 145, "stride": 72, "words": {"kind": "sentencepiece"}},
            "stride is 72, but has to be at least half of window",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(block, message):
    with pytest.raises(ValueError, match=message):
        StockWindows.from_config(block)
