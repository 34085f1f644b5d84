"""check.py: each finding on a tiny corpus that has it, and none on one that has not."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from safetensors.numpy import save_file
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from thinc.api import Config
from tiny_pipelines import make_examples, make_nlp, make_reference

from spacy_pretrained.corpora.check import check_corpus
from spacy_pretrained.corpora.checks.labels import FEW
from spacy_pretrained.corpora.convert import convert_folder
from spacy_pretrained.parser.gold import find_cycles

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "assets" / "sample"
WORDS = ["Ada", "Lovelace", "sleeps", "in", "New", "York"]


@pytest.fixture
def vocab():
    return spacy.blank("xx").vocab


@pytest.fixture
def write(tmp_path):
    def write(*docs: Doc, name: str = "train") -> Path:
        path = tmp_path / f"{name}.spacy"
        DocBin(docs=docs).to_disk(path)
        return path

    return write


@pytest.fixture
def configure(tmp_path, tiny_bert):
    """Writes a short config with components: settings by name, with the factory of that name."""

    def configure(encoder: dict | None = None, *, reader: dict | None = None, **components) -> Path:
        blocks = {"pretrained_encoder": {"model": encoder}} if encoder is not None else {}
        blocks |= components
        config = {
            "nlp": {"lang": "en", "pipeline": list(blocks)},
            "components": {
                name: {"factory": name} | {k: v for k, v in block.items() if v is not None}
                for name, block in blocks.items()
            },
            "corpora": {"train": {"@readers": "spacy-pretrained.Corpus.v1", "path": None}},
            "training": {},
            "initialize": {"components": {"pretrained_encoder": {"source": tiny_bert}}},
        }
        config["corpora"]["train"] |= reader or {}
        path = tmp_path / "config.cfg"
        Config(config).to_disk(path)
        return path

    return configure


def make_many(vocab, n: int = FEW) -> list[Doc]:
    return [make_reference(vocab, [0, 1, 2, 3]) for _ in range(n)]


def make_doc(vocab, words=WORDS, **annotation) -> Doc:
    return Doc(vocab, words=list(words), **annotation)


def find(report, level: str, *parts: str) -> str:
    """The one finding of a level that has these parts."""
    found = [text for text in report.find(level) if all(part in text for part in parts)]
    assert len(found) == 1, [report.findings, parts]
    return found[0]


def has(report, *parts: str) -> bool:
    return any(all(part in finding.text for part in parts) for finding in report.findings)


# A good corpus


@pytest.mark.usefixtures("needs_torch")
@pytest.mark.parametrize("purpose", ["pipeline", "tagger_parser", "ner"])
def test_the_sample_has_no_errors(tmp_path, purpose):
    convert_folder(SAMPLE, tmp_path)
    report = check_corpus(
        tmp_path / "train.spacy", ROOT / "configs" / f"{purpose}.cfg", tmp_path / "dev.spacy"
    )
    assert report.find("error") == [] and report.find("note") == []
    assert report.sizes["train"].unaligned_tokens < 0.05 * report.sizes["train"].tokens


def test_a_corpus_without_faults(write, vocab, configure):
    config = configure({"window": 64}, pretrained_tagger={}, biaffine_parser={}, pretrained_ner={})
    docs = make_many(vocab)
    assert check_corpus(write(*docs), config).findings == []
    assert check_corpus(write(*docs)).find("error") == []


def test_counts(write, vocab):
    docs = [make_reference(vocab, [0, 1]), make_reference(vocab, [3]), make_doc(vocab, [])]
    report = check_corpus(write(*docs))
    sizes, labels = report.sizes["train"], report.labels["train"].counts
    assert (sizes.documents, sizes.empty_documents) == (2, 1)
    assert sizes.tokens == sizes.lemmas == sum(map(len, docs))
    assert sizes.sentences == 3 and sizes.unaligned_tokens is None
    assert labels["ents"] == {
        label: sum(ent.label_ == label for doc in docs for ent in doc.ents)
        for label in {ent.label_ for doc in docs for ent in doc.ents}
    }
    assert labels["spans:sc"] == labels["ents"]
    robots = sum(doc.cats.get("robots", 0) for doc in docs)
    assert labels["cats"] == {"question": 0, "robots": robots}
    tags = [token.tag_ for doc in docs for token in doc]
    assert labels["tag"] == {tag: tags.count(tag) for tag in tags}
    assert sum(labels["dep"].values()) == len(tags)


# Labels


def test_labels_with_few_examples(write, vocab, configure):
    doc = make_doc(vocab, ents=["B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC"])
    others = [make_doc(vocab, ents=["B-PER", "I-PER", *["O"] * 4]) for _ in range(FEW - 1)]
    report = check_corpus(write(doc, *others), configure(pretrained_ner={}))
    text = find(report, "warning", "fewer than")
    assert f"fewer than {FEW} examples: LOC (1)." in text and "PER (" not in text


def test_few_examples_of_what_no_component_learns(write, vocab, configure):
    docs = make_many(vocab)
    docs[0][0].tag_ = "RARE"
    path = write(*docs)
    assert has(check_corpus(path, configure(pretrained_tagger={})), "tags", "RARE (1)")
    assert not has(check_corpus(path, configure(pretrained_ner={})), "RARE")


def test_a_component_for_few_examples_wants_two(write, vocab, configure):
    docs = [make_doc(vocab) for _ in range(4)]
    for doc, value in zip(docs, (1, 1, 1, 0)):
        doc.cats = {"a": value, "b": 1 - value}
    report = check_corpus(write(*docs), configure(few_shot_textcat={}))
    assert "categories have fewer than 2 examples: b (1)." in find(report, "warning", "fewer")


def test_labels_that_only_dev_has(write, vocab, configure):
    train = write(*make_many(vocab))
    dev = make_doc(vocab, ents=["B-NEW", *["O"] * 5], tags=["NN"] * 6)
    for config in (None, configure(pretrained_ner={})):
        report = check_corpus(train, config, write(dev, name="dev"))
        assert find(report, "warning", "entity labels are not in").endswith(": NEW.")
    assert not has(report, "tags are not in")  # no tagger learns them


# Nothing to learn


def test_no_entities_at_all(write, vocab, configure):
    path = write(*[make_doc(vocab, ents=["O"] * 6, tags=["NN"] * 6) for _ in range(FEW)])
    find(check_corpus(path), "warning", "There are no entities")
    report = check_corpus(path, configure(pretrained_ner={}, pretrained_tagger={}))
    text = find(report, "error", "nothing to learn")
    assert "'pretrained_ner'" in text and "the corpus has no entity labels." in text


@pytest.mark.parametrize(
    "name, what",
    [
        ("pretrained_tagger", "no tags or parts of speech or morphological analyses"),
        ("biaffine_parser", "no dependency labels"),
        ("pretrained_textcat", "no categories"),
        ("trainable_lemmatizer", "no lemmas"),
        ("ner", "no entity labels"),
    ],
)
def test_what_a_component_learns_is_not_annotated(write, vocab, configure, name, what):
    path = write(make_doc(vocab))
    assert what in find(check_corpus(path, configure(**{name: {}})), "error", name)
    find(check_corpus(path), "error", "Nothing is annotated")


def test_frozen_components_need_nothing(write, vocab, configure):
    path = configure(pretrained_ner={}, pretrained_tagger={})
    config = Config().from_disk(path)
    config["training"]["frozen_components"] = ["pretrained_ner"]
    config.to_disk(path)
    report = check_corpus(write(make_doc(vocab, tags=["NN"] * 6)), path)
    assert report.find("error") == []


def test_what_dev_cannot_score_is_no_error(write, vocab, configure):
    train, dev = write(*make_many(vocab)), write(make_doc(vocab), name="dev")
    report = check_corpus(train, configure(pretrained_ner={}), dev)
    assert report.find("error") == []
    assert find(report, "warning", "cannot be scored").startswith("dev: 'pretrained_ner'")


def test_empty_documents(write, vocab):
    docs = [*make_many(vocab), make_doc(vocab, []), make_doc(vocab, [])]
    find(check_corpus(write(*docs)), "warning", "Documents without tokens: 2.")
    report = check_corpus(write(make_doc(vocab, [])))
    find(report, "error", "no document with tokens")
    report = check_corpus(write(*docs), None, write(name="dev"))
    assert report.find("error") == ["dev: There is no document with tokens."]


# Entities


def test_a_group_without_a_name(write, vocab, configure):
    report = check_corpus(write(make_doc(vocab)), configure(pretrained_ner={"spans_key": ""}))
    text = find(report, "error", "'pretrained_ner' has spans_key = \"\".")
    assert [finding.text for finding in report.findings if finding.level == "error"] == [text]


def test_overlapping_and_crossing_spans(write, vocab, configure):
    doc = make_doc(vocab)
    doc.spans["sc"] = [Span(doc, 0, 2, "A"), Span(doc, 1, 3, "B"), Span(doc, 1, 2, "C")]
    path = write(doc)
    report = check_corpus(path, configure(pretrained_ner={"spans_key": "sc"}))
    text = find(report, "error", "overlap")
    assert (
        "A 'Ada Lovelace' (tokens 0 to 1)" in text
        and "spans: 1 (pairs: 2 nested, 1 crossing)" in text
    )
    # Another component may learn them.
    assert check_corpus(path).find("error") == []
    find(check_corpus(path), "warning", "overlap")
    assert not has(check_corpus(path, configure(spancat={})), "overlap")


def test_entities_over_the_start_of_a_sentence(write, vocab):
    ents = ["O", "O", "O", "O", "B-LOC", "I-LOC"]
    inside = make_doc(vocab, ents=ents, sent_starts=[True, *[False] * 3, True, False])
    across = make_doc(vocab, ents=ents, sent_starts=[True, *[False] * 4, True])
    assert not has(check_corpus(write(inside)), "sentence boundary")
    report = check_corpus(write(inside, across))
    assert "boundary: 1, such as 'New York'" in find(report, "warning", "cross a sentence")


def test_entities_that_are_white_space(write, vocab):
    doc = make_doc(vocab, ["Ada", " ", "sleeps"], ents=["B-PER", "I-PER", "O"])
    text = find(check_corpus(write(doc)), "warning", "white space")
    assert "learns from: 1. Of 1, white space" in text


def test_misaligned_entities(write, vocab, configure):
    """The tokenizer makes one token of what the annotation cuts in two."""
    words, spaces = ["non", "stop", "talks"], [False, True, False]
    cut = Doc(vocab, words=words, spaces=spaces, ents=["B-A", "O", "O"])
    whole = Doc(vocab, words=WORDS, spaces=[True] * 6, ents=["B-A", *["O"] * 5])
    name = {"pretrained_ner": {}}
    report = check_corpus(write(cut, whole), configure(**name))
    assert "(en): 1 of 2" in find(report, "warning", "tokenizer (en)", "nonstop")
    # Where examples have the tokenizer's tokens, the component itself says so.
    for reader in ({"gold_tokens": False}, {"@readers": "spacy.Corpus.v1"}):
        report = check_corpus(write(cut, whole), configure(reader=reader, **name))
        assert "learns from: 2." in find(report, "warning", "only white space: 1.")
        report = check_corpus(write(cut), configure(reader=reader, **name))
        find(report, "error", "no entity (of 1) begins")


# Trees


def make_tree(vocab, heads: list[int], deps: list[str] | None = None) -> Doc:
    own = ["ROOT" if head == i else "dep" for i, head in enumerate(heads)]
    return make_doc(vocab, [f"w{i}" for i in range(len(heads))], heads=heads, deps=deps or own)


def test_find_cycles_is_right_on_random_heads(same_random_numbers):
    for n in [1, 2, 3, 8, 9, 33] * 5:
        heads = np.random.randint(-1, n, n)
        expected = []
        for i in range(n):
            seen = set()
            while heads[i] not in (-1, i) and i not in seen:
                seen.add(i)
                i = int(heads[i])
            expected.append(i in seen)
        assert find_cycles(heads).tolist() == expected


def test_cycles(write, vocab, configure):
    good, bad = make_tree(vocab, [1, 1, 1]), make_tree(vocab, [1, 0, 3, 3])
    for config in (None, configure(biaffine_parser={})):
        assert check_corpus(write(good), config).find("error") == []
        report = check_corpus(write(good, bad), config)
        assert "cycle: 1, such as 'w0 w1'" in find(report, "error", "cycle")
    assert not has(check_corpus(write(bad), configure(pretrained_ner={})), "cycle")


def test_several_roots(write, vocab):
    # Token 2, a root, stands in the tree of token 0, the head of token 3.
    report = check_corpus(write(make_tree(vocab, [0, 0, 2, 0])))
    text = find(report, "error", "another sentence")
    assert "the head of token 3 ('w3') is token 0 ('w0')" in text and "such heads: 1" in text
    report = check_corpus(write(make_tree(vocab, [3, 2, 2, 3])))
    assert "without one: 2," in find(report, "error", "several roots")


def test_roots_with_several_labels(write, vocab):
    deps = ["ROOT", "dep", "root", "dep"]
    report = check_corpus(write(make_tree(vocab, [0, 0, 2, 2], deps)))
    assert "ROOT (1), root (1)" in find(report, "warning", "Roots have several labels")


def test_sentences_longer_than_the_parser_takes(write, vocab, configure):
    path = write(make_tree(vocab, [0] * 6))
    assert not has(check_corpus(path, configure(biaffine_parser={})), "max_sentence")
    report = check_corpus(path, configure(biaffine_parser={"max_sentence": 5}))
    find(report, "warning", "more than 5 tokens (max_sentence of 'biaffine_parser'): 1.")


# Categories


def test_categories_that_exclude_each_other(write, vocab, configure):
    docs = [make_doc(vocab) for _ in range(3)]
    docs[0].cats = {"a": 1, "b": 1}
    docs[1].cats = docs[2].cats = {"a": 0, "b": 1}
    path = write(*docs)
    report = check_corpus(path, configure(pretrained_textcat={}))
    assert find(report, "error", "mutually exclusive").endswith("with this fault: 1.")
    report = check_corpus(path, configure(pretrained_textcat={"multi_label": True}))
    assert report.find("error") == [] == check_corpus(path).find("error")


def test_values_of_categories(write, vocab):
    doc = make_doc(vocab)
    doc.cats = {"a": 0.3, "b": 1}
    find(check_corpus(write(doc)), "error", "category 'a' is 0.3")


def test_one_category_alone(write, vocab, configure):
    doc = make_doc(vocab)
    doc.cats = {"a": 1}
    path = write(doc)
    find(check_corpus(path, configure(pretrained_textcat={})), "error", "has one label, 'a'")
    assert not has(check_corpus(path), "has one label")


# Tokens, windows, texts


def test_tokens_that_the_tokenizer_cuts_otherwise(write, vocab, configure):
    config = configure(pretrained_tagger={})
    doc = Doc(vocab, words=["do", "n't", "can", "not"], spaces=[True, True, False, False])
    unknown = make_doc(vocab)
    unknown.has_unknown_spaces = True
    report = check_corpus(write(doc, unknown), config)
    assert report.sizes["train"].unaligned_tokens == 0
    assert "spaces are: 1." in find(report, "note", "spaces")
    config.write_text(config.read_text().replace('"en"', '"xx"'))
    doc = Doc(vocab, words=["do", "n't", "go"], spaces=[False, True, False])
    text = find(check_corpus(write(doc), config), "warning", "2 of 3 (66.7%)")
    assert "tokenizer (xx)" in text and "'do'" in text
    find(check_corpus(write(doc)), "note", "needs the config", "tokenizer")


def test_sentences_longer_than_a_window(write, vocab, configure):
    short = make_doc(vocab, ["a"] * 14, sent_starts=[True, *[False] * 6] * 2)
    path = write(short)
    assert not has(check_corpus(path, configure({"window": 9})), "window")  # 7 and 2 special ones
    report = check_corpus(path, configure({"window": 8}))
    text = find(report, "warning", "2 of 2", "a window of 'pretrained_encoder' holds (6)")
    assert "the longest has 7" in text


def test_windows_are_not_looked_at(write, vocab, configure, tmp_path):
    path = write(make_doc(vocab))
    find(check_corpus(path), "note", "encoder's window", "needs the config")
    find(check_corpus(path, configure(pretrained_ner={})), "note", "no pretrained_encoder")
    config = configure({})
    config.write_text(config.read_text().replace('source = "', 'source = "/not/there'))
    find(check_corpus(path, config), "note", "encoder's window: Unknown source")


@pytest.mark.parametrize("kind", ["TransformerFromScratch", "ConcatEncoder"])
def test_an_encoder_that_has_not_one_source(write, vocab, configure, kind):
    model = {"@architectures": f"spacy-pretrained.{kind}.v1"}
    report = check_corpus(write(make_doc(vocab)), configure(model))
    find(report, "note", "encoder's window", "no pretrained_encoder with a single source")


def test_the_tokenizer_of_the_weights_is_missing(write, vocab, configure, tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "config.json").write_text('{"model_type": "bert"}')
    save_file({"a": np.zeros(1)}, tmp_path / "weights" / "model.safetensors")
    path = configure({})
    config = Config().from_disk(path)
    config["initialize"]["components"]["pretrained_encoder"]["source"] = str(tmp_path / "weights")
    config.to_disk(path)
    find(check_corpus(write(make_doc(vocab)), path), "note", "has no tokenizer.json")


def test_texts_of_both_corpora(write, vocab):
    train = write(*make_many(vocab))
    same, other = make_reference(vocab, [0, 1, 2, 3]), make_reference(vocab, [1])
    report = check_corpus(train, None, write(same, other, name="dev"))
    assert "1 of 2, such as" in find(report, "warning", "same text")
    assert not has(check_corpus(train, None, write(other, name="dev")), "same text")


def test_sentences_of_both_corpora(write, vocab):
    """In other documents; short ones do not count, nor do those of documents that are the same."""
    train = write(*(make_reference(vocab, [n, 2]) for n in (0, 1)))
    mixed = make_reference(vocab, [1, 2, 3])  # sentence 2 is short, sentence 3 is new
    same = make_reference(vocab, [0, 2])
    report = check_corpus(train, None, write(mixed, same, name="dev"))
    text = find(report, "warning", "Sentences", "in the training corpus")
    assert "1 of 2, such as 'Ada sees the old river.'" in text
    assert "1 of 2" in find(report, "warning", "same text")
    for docs in (
        [same],
        [make_reference(vocab, [3, 2])],
        [make_reference(vocab, [1], parsed=False)],
    ):
        report = check_corpus(train, None, write(*docs, name="dev"))
        assert not has(report, "in the training corpus, too")


# Configs


def test_the_language_of_the_encoder(write, vocab, configure):
    path = configure({})
    config = Config().from_disk(path)
    config["nlp"]["lang"] = "es"
    del config["initialize"]
    config.to_disk(path)
    text = find(check_corpus(write(make_doc(vocab)), path), "warning", "another language (en)")
    assert "'pretrained_encoder' loads 'minilm-l6'" in text


def test_components_of_trained_pipelines(write, vocab, configure, tmp_path):
    trained = tmp_path / "trained"
    trained.mkdir()
    configure(pretrained_ner={}).rename(trained / "config.cfg")
    path = configure(pretrained_ner={})
    config = Config().from_disk(path)
    corpus = write(make_doc(vocab, ents=["O"] * 6))
    for source, level, part in (
        (str(trained), "error", "nothing to learn"),
        ("a_package", "note", "'a_package', which is not a folder"),
    ):
        config["components"]["pretrained_ner"] = {"source": source}
        config.to_disk(path)
        find(check_corpus(corpus, path), level, part, "'pretrained_ner'")


@pytest.mark.parametrize(
    "name, change",
    [
        ("pretrained_tagger", {"tags": ["NEW"] * 6}),
        ("biaffine_parser", {"heads": [0] * 6, "deps": ["ROOT", *["new"] * 5]}),
        ("pretrained_ner", {"ents": ["B-NEW", *["O"] * 5]}),
        ("pretrained_textcat", {"cats": {"new": 1.0, "robots": 0.0}}),
    ],
)
def test_labels_that_a_trained_component_does_not_know(
    write, vocab, configure, tmp_path, tiny_bert, name, change
):
    """What the training would say, and only if it would say it."""
    nlp = make_nlp(tiny_bert, name)
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "trained")
    path = configure(**{name: {}})
    config = Config().from_disk(path)
    config["components"][name] = {"source": str(tmp_path / "trained")}
    config.to_disk(path)
    assert check_corpus(write(*make_many(vocab)), path).find("error") == []

    cats = change.get("cats", {})
    new = make_doc(vocab, **{key: value for key, value in change.items() if key != "cats"})
    new.cats = cats
    report = check_corpus(write(*make_many(vocab), new, new), path)
    with pytest.raises(ValueError, match=r"new|NEW") as raised:
        nlp.update([Example(nlp.make_doc(new.text), new)])
    text = find(report, "error", str(raised.value))
    assert "documents with each: " in text and "(2)." in text
    config["training"] = {"frozen_components": [name]}
    config.to_disk(path)
    assert check_corpus(write(new), path).find("error") == []


def test_a_component_that_is_not_there(write, vocab, configure, tmp_path):
    configure(pretrained_ner={}).rename(tmp_path / "trained.cfg")
    path = configure(pretrained_ner={})
    config = Config().from_disk(path)
    config["nlp"]["pipeline"].append("tagger_2")
    config.to_disk(path)
    find(check_corpus(write(make_doc(vocab)), path), "error", "no [components.tagger_2]")
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained.cfg").rename(tmp_path / "trained" / "config.cfg")
    config["components"]["tagger_2"] = {"source": str(tmp_path / "trained")}
    config.to_disk(path)
    text = find(check_corpus(write(make_doc(vocab)), path), "error", "no component 'tagger_2'")
    assert text.endswith("It has: pretrained_ner.")


def test_what_cannot_be_read(write, vocab, tmp_path):
    corpus, config = write(make_doc(vocab)), tmp_path / "a.cfg"
    with pytest.raises(ValueError, match="no config"):
        check_corpus(corpus, config)
    config.write_text("[nlp\n")
    with pytest.raises(ValueError, match=r"a\.cfg' is not a config"):
        check_corpus(corpus, config)
    for name, message in (("none.spacy", "none.spacy"), ("a.cfg", "a.cfg")):
        with pytest.raises(ValueError, match=message):
            check_corpus(tmp_path / name)
    (tmp_path / "bad.spacy").write_bytes(b"no DocBin")
    with pytest.raises(ValueError, match=r"bad\.spacy' cannot be read"):
        check_corpus(tmp_path / "bad.spacy")


@pytest.mark.parametrize("text", ['[nlp]\nlang = "en"\nlang = "de"\n', "[nlp]\n[nlp]\n"])
def test_a_config_that_says_something_twice(write, vocab, tmp_path, text):
    (path := tmp_path / "twice.cfg").write_text(text)
    with pytest.raises(ValueError, match=r"twice\.cfg.*already exists"):
        check_corpus(write(Doc(vocab, words=WORDS)), path)
