"""The tokenizer learns from reference Docs, and leaves a stock one in its place."""

import multiprocessing
import pickle
import random
import subprocess
import sys

import pytest
import spacy
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import ConfigValidationError

from spacy_pretrained.tokenizer.treebank import TreebankTokenizer

HARD = ["é", "e\u0301", "😀", "👩‍👩‍👧", "ß", "中文", "ا", "०", "\u200b", "\u00a0", "\ud7ff"]
NAME = "spacy-pretrained.TreebankTokenizer.v1"
STOCK = {"@tokenizers": "spacy.Tokenizer.v1"}
# Chunks with a bar between tokens. Nothing of it is so in spaCy's rules for the language "xx".
LESSONS = """
wow|!!! great|!!! so|?! what|?! 646-2600 333-1234 555-6789|. non-human|, non-verbal Non-fiction
well|-|known up|-|front half|-|baked and|/|or his|/|her on|/|off don|'t isn|'t gon|na gon|na
5|km 17|km 30|km *|note *|see *|also mr. mr. mr. (|mr.|) it|s it|s it|s its
"""


def make_lessons(vocab, lessons=LESSONS):
    words, spaces = [], []
    for chunk in lessons.split():
        tokens = chunk.split("|")
        words += tokens
        spaces += [False] * (len(tokens) - 1) + [True]
    doc = Doc(vocab, words=words, spaces=spaces)
    return Example(Doc(vocab, words=words, spaces=spaces), doc)


def make_pipeline(**settings):
    return spacy.blank("xx", config={"nlp": {"tokenizer": {"@tokenizers": NAME, **settings}}})


def teach(nlp, *lessons):
    nlp.initialize(lambda: [make_lessons(nlp.vocab, text) for text in lessons or [LESSONS]])
    return nlp


@pytest.fixture(scope="module")
def taught():
    return teach(make_pipeline())


def split(nlp, text):
    return "|".join(token.text for token in nlp.make_doc(text))


@pytest.mark.parametrize(
    "tokens",
    [
        *("new|!!!", "why|?!", "(|why|?!|)", "888-1234", "(|888-1234|)", "888-1234|,"),
        *("non-stop", "NON-STOP|.", "non-political", "well|-|read", "this|/|that"),
        *("77|km", "77|KM|.", "*|that", "(|mr.|)", "(|gon|na|)", "it|s"),
    ],
)
def test_rules_hold_for_what_the_corpus_lacks(taught, tokens):
    assert split(taught, tokens.replace("|", "")) == tokens


def test_what_the_corpus_shows_too_rarely_is_no_rule():
    nlp = teach(make_pipeline(min_count=3), "wow|!!! and|/|or non-human gon|na", LESSONS[:0])
    assert split(nlp, "so!!") == "so|!|!"
    assert split(nlp, "gonna") == "gon|na"  # a special case needs no second one


def test_special_cases_have_a_limit():
    most = "aa|b aa|b cc|d ee|f"
    none, one = (teach(make_pipeline(max_special_cases=n, min_count=9), most) for n in (0, 1))
    assert split(none, "aab ccd") == "aab|ccd"
    assert split(one, "aab ccd") == "aa|b|ccd"  # the more frequent first


def test_before_it_learns_it_is_the_tokenizer_of_the_language():
    nlp = make_pipeline()
    text = 'Well, "non-human" (so?!) http://a.org/x don\'t'
    assert split(nlp, text) == split(spacy.blank("xx"), text)
    copy = pickle.loads(pickle.dumps(nlp.tokenizer))
    assert isinstance(copy, TreebankTokenizer)
    assert copy.min_count == 2


def test_a_stock_tokenizer_takes_its_place(taught):
    assert type(taught.tokenizer) is Tokenizer
    assert taught.config["nlp"]["tokenizer"] == STOCK
    assert "spacy-pretrained" not in taught.config.to_str()


def test_it_does_not_learn_anew(taught):
    nlp = spacy.blank("xx").from_config(taught.config).from_bytes(taught.to_bytes())
    nlp.add_pipe("tagger").add_label("X")
    with nlp.select_pipes(enable=["tagger"]):
        teach(nlp, "s|o|!|!|! non|-|human")
    assert split(nlp, "so!!! non-human") == "so|!!!|non-human"


def test_without_examples_it_waits_for_some():
    """spaCy makes up a Doc where it is given none."""
    nlp = make_pipeline()
    with pytest.warns(UserWarning, match="nothing to learn from"):
        nlp.initialize()
    assert isinstance(nlp.tokenizer, TreebankTokenizer)
    assert nlp.config["nlp"]["tokenizer"]["@tokenizers"] == NAME
    assert split(teach(nlp), "new!!!") == "new|!!!"


def test_words_without_anything_to_split_are_a_corpus_too(recwarn):
    nlp = teach(make_pipeline(), "Ada sleeps")
    assert type(nlp.tokenizer) is Tokenizer and not recwarn.list


def test_settings_of_initialize_are_refused():
    nlp = make_pipeline()
    nlp.config["initialize"]["tokenizer"] = {"min_count": 3}
    with pytest.raises(ConfigValidationError, match="min_count"):
        teach(nlp)
    with pytest.raises(TypeError, match="min_count"):
        nlp.tokenizer.initialize(lambda: [make_lessons(nlp.vocab)], nlp=nlp, min_count=3)


@pytest.mark.parametrize("way", ["bytes", "disk", "pickle"])
def test_it_comes_back_as_it_was(taught, way, tmp_path):
    if way == "bytes":
        nlp = spacy.blank("xx").from_bytes(taught.to_bytes())
    elif way == "disk":
        taught.to_disk(tmp_path)
        nlp = spacy.load(tmp_path)
    else:
        nlp = spacy.blank("xx")
        nlp.tokenizer = pickle.loads(pickle.dumps(taught.tokenizer))
    text = LESSONS.replace("|", "")
    assert split(nlp, text) == split(taught, text)


@pytest.mark.slow
def test_spawned_processes_split_alike(taught):
    multiprocessing.set_start_method("spawn", force=True)
    try:
        nlp = spacy.blank("xx").from_config(taught.config).from_bytes(taught.to_bytes())
        nlp.add_pipe("sentencizer")
        texts = ["so!!! non-stop 7km"] * 3
        docs = list(nlp.pipe(texts, n_process=2, batch_size=1))
    finally:
        multiprocessing.set_start_method(None, force=True)
    assert ["|".join(token.text for token in doc) for doc in docs] == ["so|!!!|non-stop|7|km"] * 3


def test_the_text_stays_the_text(taught):
    pieces = [*LESSONS.replace("|", "").split(), *HARD, *"!?.-/'(),:*&@#1a", " ", "  ", "\n", "\t"]
    draw = random.Random(0)
    for _ in range(2000):
        text = "".join(draw.choices(pieces, k=draw.randint(0, 12)))
        assert taught.make_doc(text).text == text


@pytest.mark.slow
def test_random_corpora_do_no_harm():
    """Whatever a corpus says: it is learnt, every chunk that it always splits in one way is split
    so, and texts stay what they are."""
    draw = random.Random(1)
    symbols = "!?.-/'()[]{}^$*+\\|_&@#%~\"" + "".join(HARD)
    for _ in range(20):
        chunks = set()
        for _ in range(30):
            characters = draw.choices(symbols + "abAB12é", k=draw.randint(1, 6))
            chunks.add("".join(characters).replace("|", "").replace(" ", "") or "a")
        tokens = [
            [part for part in draw.choice((" ", chunk[0])).join(chunk).split(" ") if part]
            if draw.random() < 0.3
            else [chunk]
            for chunk in sorted(chunks)
        ]
        nlp = make_pipeline()
        words = [word for chunk in tokens for word in chunk]
        spaces = [i + 1 == len(chunk) for chunk in tokens for i in range(len(chunk))]
        doc = Doc(nlp.vocab, words=words, spaces=spaces)
        nlp.initialize(lambda doc=doc: [Example(doc.copy(), doc)])
        assert nlp.make_doc(doc.text).text == doc.text
        again = spacy.blank("xx").from_bytes(nlp.to_bytes())
        assert split(again, doc.text) == split(nlp, doc.text)


@pytest.mark.parametrize("lang", ["de", "fr", "hu", "it", "ru", "sv", "tr"])
def test_the_rules_of_a_language_stay(lang):
    nlp = spacy.blank(lang, config={"nlp": {"tokenizer": {"@tokenizers": NAME}}})
    with pytest.warns(UserWarning, match="says where there are spaces"):
        nlp.initialize(lambda: [Example(Doc(nlp.vocab), Doc(nlp.vocab))])
    text = "Ja (z.B. \"100-as\") http://a.org/x-y, l'eau. 5km d'un 3,5% e-mail! :-) a/b..."
    assert split(nlp, text) == split(spacy.blank(lang), text)


@pytest.mark.parametrize(
    "settings", [{"min_count": 0}, {"min_share": 0.4}, {"max_special_cases": -1}]
)
def test_settings_that_make_no_sense(settings):
    with pytest.raises(ValueError, match="settings of the tokenizer"):
        make_pipeline(**settings)


WITHOUT_US = """
import importlib.metadata as metadata, sys
sys.modules["spacy_pretrained"] = None  # cannot be imported
found = metadata.Distribution.entry_points.fget
metadata.Distribution.entry_points = property(
    lambda self: metadata.EntryPoints(e for e in found(self) if "spacy_pretrained" not in e.value)
)
import spacy
from spacy.util import registry
assert not any("pretrained" in name for name in registry.tokenizers.get_all())
nlp = spacy.load(sys.argv[1])
print("|".join(token.text for token in nlp("so!!! non-stop")))
"""


@pytest.mark.slow
def test_a_saved_pipeline_does_not_know_our_name(taught, tmp_path):
    taught.to_disk(tmp_path)
    arguments = [sys.executable, "-c", WITHOUT_US, str(tmp_path)]
    found = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert found.stdout.strip() == "so|!!!|non-stop", found.stderr


def test_an_address_in_a_script_without_capitals_does_no_harm():
    nlp = make_pipeline()
    words = ["x", "https://th.wikipedia.org/wiki/ไทย", "."]
    doc = Doc(nlp.vocab, words=words, spaces=[True, False, False])
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc)] * 2)
    assert nlp.make_doc(doc.text).text == doc.text


def test_a_language_with_a_tokenizer_of_its_own_is_refused():
    settings = {"nlp": {"tokenizer": {"@tokenizers": "spacy-pretrained.TreebankTokenizer.v1"}}}
    with pytest.raises(ValueError, match=r"'zh' has a tokenizer.*spacy\.zh\.ChineseTokenizer"):
        spacy.blank("zh", config=settings)
