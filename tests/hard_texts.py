"""Texts that break tokenizers: what real ones hold here and there, close together."""

import numpy as np

HARD_TEXTS = [
    "",
    " ",
    "\n",
    "\t \r\n  \n",
    "a",
    "Hello world.",
    "  two  spaces   and three at the end   ",
    "tabs\tand\r\nline breaks\n\nhere\r",
    "naïve café, cafe\u0301 nai\u0308ve, Zu\u0308rich",  # composed and combining accents
    "q\u0323\u0307 \u0301lone accents \u0301\u0308",  # which a normalizer may reorder
    "emoji 😀 family 👨\u200d👩\u200d👧\u200d👦 flag 🇩🇪 thumb 👍🏽 heart ❤\ufe0f",
    "zero\u200bwidth \u200b and soft\u00adhyphen \u00ad and \ufeffBOM and \u200e\u200f marks",
    "مرحبا بالعالم، كيف حالك؟ مُحَمَّد",
    "他们在北京大学学习。東京に行きました。한국어 텍스트",
    "wait… what?! “quoted” ‘single’ ``old'' «guillemets»",
    "ﬁne ½ ㎏ Ⅷ ﷺ",  # one character to several
    "no\u00a0break\u2003em space\u3000wide",
    "x" * 250,  # longer than WordPiece's longest word
    "https://example.com/" + "a/b" * 60,
    "[CLS] [SEP] <s> </s> [MASK] <pad>",
    "control\x00\x07chars\x7f\x85here",
    "ΑΣ ΌΔΟΣ İstanbul ß ẞ ǅ",  # case that changes lengths
    "คำภาษาไทย हिन्दी क्षत्रिय தமிழ்",
    "\U00010348 \U0001d400\U0001d401 \ufffd \ue000",
]

CHARACTERS = (
    list("abcXYZ019.,;:!?'\"()-_/@#$%&*+=…—“”«»")
    + [" "] * 14
    + ["\n", "\r\n", "\t", "\u00a0", "\u2003", "\u3000", "\u2028"]
    + ["é", "e\u0301", "\u0301", "\u0323", "ü", "ß", "İ", "ﬁ", "½", "ﷺ"]
    + ["😀", "👨\u200d👩\u200d👧", "🇩🇪", "👍🏽", "❤\ufe0f", "\u200d", "\u200b", "\u00ad", "\ufeff"]
    + list("مرحبا") + list("北京大学。") + list("कติ")
    + ["\x00", "\x07", "\ufffd", "\ue000", "\U00010348"]
)  # fmt: skip


def random_text(rng: np.random.Generator, length: int) -> str:
    return "".join(CHARACTERS[i] for i in rng.integers(len(CHARACTERS), size=length))


def random_texts(n: int, longest: int = 60) -> list[str]:
    rng = np.random.default_rng(0)
    return [random_text(rng, int(rng.integers(1, longest + 1))) for _ in range(n)]
