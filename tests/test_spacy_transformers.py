"""Our heads on the stock transformer of spacy-transformers, and stock components beside them.

`make test-trf` runs this in a second environment: spacy-transformers wants transformers 4.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam, Config, warmup_linear
from tiny_pipelines import (
    DOCUMENTS,
    annotations,
    are_equal,
    as_blank,
    as_example,
    make_examples,
    make_reference,
)

pytest.importorskip(
    "spacy_transformers",
    reason="spacy_transformers not installed: `make test-trf` has it",
    exc_type=ImportError,
)

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "configs" / "pipeline_trf.cfg"
TRANSFORMER = "transformer"
OURS = {
    "pretrained_tagger": "spacy-pretrained.Tagger.v1",
    "pretrained_ner": "spacy-pretrained.Ner.v1",
    "biaffine_parser": "spacy-pretrained.BiaffineParser.v2",
}
LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "reduce_mean.v1"},
}
STOCK_NER = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 16,
    "maxout_pieces": 2,
    "use_upper": False,
    "tok2vec": LISTENER,
}
LONGEST = 64  # wordpieces of a tiny model


@pytest.fixture(scope="session")
def source(tiny_bert, tmp_path_factory) -> str:
    """A tiny BERT whose tokenizer says how much it takes: the stock transformer cuts there."""
    folder = tmp_path_factory.mktemp("bert of 64 pieces") / "model"
    shutil.copytree(tiny_bert, folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": LONGEST}))
    return str(folder)


def make_nlp(source: str, *factories: str) -> spacy.Language:
    """A pipeline of the stock transformer, without the transformer's own dropout, and components
    that listen to it: ours or stock `ner`."""
    nlp = spacy.blank("en")
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    nlp.add_pipe(TRANSFORMER, config={"model": {"name": source, "transformer_config": no_dropout}})
    for factory in factories:
        if factory == "ner":
            model = STOCK_NER
        else:
            model = {"@architectures": OURS[factory], "tok2vec": LISTENER}
        if factory == "biaffine_parser":
            model = {**model, "dropout": 0.0}
        nlp.add_pipe(factory, config={"model": model})
    return nlp


def update(nlp, examples, optimizers=None) -> dict[str, float]:
    """`nlp.update` with an optimizer for each component; without any, it only leaves gradients."""
    losses = nlp.update(examples, sgd=False, drop=0.0)
    if optimizers:
        for name, pipe in nlp.pipeline:
            pipe.finish_update(optimizers[name])
            optimizers[name].step_schedules()
    return losses


def train(nlp, examples, steps) -> list[dict[str, float]]:
    """Initialize and update, at one rate for the transformer and another for the others. They fall
    to 0: Adam at a steady rate breaks out again once the gradients have all but vanished."""
    nlp.initialize(lambda: examples)
    rates = {name: 0.001 if name == TRANSFORMER else 0.01 for name in nlp.pipe_names}
    optimizers = {
        name: Adam(warmup_linear(rate, 0, steps), L2=0.0, use_averages=False)
        for name, rate in rates.items()
    }
    return [update(nlp, examples, optimizers) for _ in range(steps)]


def randomize(nlp) -> None:
    """Give all heads weights that depend on nothing else in the pipeline: output layers start as
    0, with no gradient for what is below them."""
    for name in OURS.keys() & set(nlp.pipe_names):
        rng = np.random.default_rng(0)
        for node in nlp.get_pipe(name).model.walk():
            for param in sorted(node.param_names):
                shape = node.get_param(param).shape
                node.set_param(param, rng.normal(0, 0.2, shape).astype("float32"))


def gradients(nlp) -> np.ndarray:
    """The transformer's, all in one; 0 where there are none."""
    parameters = nlp.get_pipe(TRANSFORMER).model.transformer.parameters()
    none = [np.zeros(p.numel()) if p.grad is None else p.grad.numpy().ravel() for p in parameters]
    return np.concatenate(none)


def transformer_weights(nlp) -> dict[str, np.ndarray]:
    state = nlp.get_pipe(TRANSFORMER).model.transformer.state_dict()
    return {name: tensor.numpy().copy() for name, tensor in state.items()}


def without(examples: list[Example], factory: str) -> list[Example]:
    """The examples, with the annotation missing that a component learns from."""
    missing = {
        "pretrained_tagger": ["TAG", "POS", "MORPH"],
        "biaffine_parser": ["HEAD", "DEP", "SENT_START"],
    }.get(factory, ["ENT_IOB", "ENT_TYPE"])
    columns = ["TAG", "POS", "MORPH", "HEAD", "DEP", "ENT_IOB", "ENT_TYPE"]
    kept = [name for name in columns if name not in missing]
    stripped = []
    for example in examples:
        reference = as_blank(example.reference).from_array(kept, example.reference.to_array(kept))
        stripped.append(as_example(reference))
    return stripped


@pytest.fixture(scope="module")
def trained(source):
    fix_random_seed(0)
    nlp = make_nlp(source, *OURS)
    examples = make_examples(nlp)
    losses = train(nlp, examples, 100)
    return nlp, examples, losses


# Learning


def test_overfit(trained):
    nlp, examples, losses = trained
    for name in OURS:
        assert losses[-1][name] < 0.1 * losses[0][name]
    for numbers in DOCUMENTS:
        gold = make_reference(nlp.vocab, numbers)
        doc = nlp(as_blank(gold))
        for token, wanted in zip(doc, gold, strict=True):
            assert (token.tag_, token.pos_) == (wanted.tag_, wanted.pos_)
            assert (token.head.i, token.dep_) == (wanted.head.i, wanted.dep_)
            assert (token.ent_iob_, token.ent_type_) == (wanted.ent_iob_, wanted.ent_type_)
    scores = nlp.evaluate(examples)
    assert scores["tag_acc"] == scores["dep_las"] == scores["ents_f"] == 1


def test_ours_and_stock_ner_on_one_transformer(source):
    nlp = make_nlp(source, "pretrained_tagger", "ner", "biaffine_parser")
    losses = train(nlp, make_examples(nlp), 100)
    for name in nlp.pipe_names[1:]:
        assert losses[-1][name] < 0.2 * losses[0][name]
    doc = nlp(as_blank(make_reference(nlp.vocab, [0, 1])))
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ada", "PERSON")]


def test_the_gradients_of_the_heads_add_up(source):
    def find(*factories):
        fix_random_seed(0)
        nlp = make_nlp(source, *factories)
        examples = make_examples(nlp)
        examples.insert(2, as_example(Doc(nlp.vocab)))  # a Doc without tokens shifts nothing
        nlp.initialize(lambda: make_examples(nlp))
        randomize(nlp)
        update(nlp, examples)
        return gradients(nlp)

    alone = [find(factory) for factory in OURS]
    assert all(np.abs(gradient).max() > 0.01 for gradient in alone)
    largest = np.abs(sum(alone)).max()
    np.testing.assert_allclose(find(*OURS), sum(alone), rtol=1e-3, atol=1e-4 * largest)


# What one component leaves out. The stock transformer runs its backward pass when its *last*
# listener answers, with what the others answered before.


@pytest.mark.parametrize("factory", OURS)
def test_ours_answer_without_gold(source, factory):
    others = [name for name in OURS if name != factory]
    nlp = make_nlp(source, *others, factory)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    randomize(nlp)
    losses = update(nlp, without(examples, factory))
    assert losses[factory] == 0 and all(losses[name] > 0 for name in others)
    assert np.abs(gradients(nlp)).max() > 0.01
    for node in nlp.get_pipe(factory).model.walk():
        assert not any(np.any(node.get_grad(name)) for name in node.grad_names)


@pytest.mark.parametrize("order", [["ner", "pretrained_tagger"], ["pretrained_tagger", "ner"]])
def test_stock_ner_without_gold_silences_a_transformer_whose_last_listener_it_is(source, order):
    nlp = make_nlp(source, *order)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    randomize(nlp)
    update(nlp, without(examples, "ner"))
    assert np.any(gradients(nlp)) == (order[-1] != "ner")
    update(nlp, examples)  # nothing is left over that would disturb the next batch
    assert np.any(gradients(nlp))


def test_the_config_has_one_of_ours_last():
    assert Config().from_disk(CONFIG)["nlp"]["pipeline"][-1] in OURS


def test_a_frozen_transformer_that_annotates(source):
    nlp = make_nlp(source, *OURS)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    before = transformer_weights(nlp)
    optimizer = Adam(0.01, L2=0.0, use_averages=False)
    losses = [
        nlp.update(
            make_examples(nlp),  # whose Docs hold no older vectors
            sgd=optimizer,
            drop=0.0,
            annotates=[TRANSFORMER],
            exclude=[TRANSFORMER],
        )
        for _ in range(40)
    ]
    for name in OURS:
        assert losses[-1][name] < 0.5 * losses[0][name]
    assert are_equal(transformer_weights(nlp), before)


# Prediction


def test_single_and_batch_are_equal(trained):
    nlp, _, _ = trained
    alone = [annotations(nlp(text)) for text in HARD_TEXTS]
    assert [annotations(doc) for doc in nlp.pipe(HARD_TEXTS)] == alone
    assert [annotations(doc) for doc in nlp.pipe(HARD_TEXTS, batch_size=2)] == alone


@pytest.mark.parametrize("texts", [[""], ["", ""], [" "], ["\n\t  "], ["", " ", ""]])
def test_docs_without_words(trained, texts):
    nlp, _, _ = trained
    for doc in nlp.pipe(texts):
        assert [token.tag_ for token in doc] == ["_SP"] * len(doc)
        assert not doc.ents
    assert len(nlp(texts[0])) == len(nlp.make_doc(texts[0]))


def test_a_doc_longer_than_a_span(trained):
    nlp, _, _ = trained
    doc = nlp(" ".join(["Ada sees the old river."] * 60))
    assert len(doc) > 2 * 128
    assert all(token.tag_ and token.dep_ for token in doc)


def test_a_batch_without_tokens_is_harmless(trained):
    nlp, _, _ = trained
    before = transformer_weights(nlp)
    losses = nlp.update([as_example(Doc(nlp.vocab))], sgd=Adam(0.01))
    assert all(losses[name] == 0 for name in OURS)
    assert are_equal(transformer_weights(nlp), before)


# Saving


def test_saved_and_loaded(trained, tmp_path):
    nlp, _, _ = trained
    texts = [make_reference(nlp.vocab, numbers).text for numbers in DOCUMENTS] + HARD_TEXTS
    expected = [annotations(doc) for doc in nlp.pipe(texts)]
    nlp.to_disk(tmp_path / "pipeline")
    same = spacy.load(tmp_path / "pipeline")
    assert [annotations(doc) for doc in same.pipe(texts)] == expected
    same = make_nlp("nowhere", *OURS).from_bytes(nlp.to_bytes())
    assert [annotations(doc) for doc in same.pipe(texts)] == expected


@pytest.mark.parametrize("factory", OURS)
def test_replaced_listeners(trained, tmp_path, factory):
    nlp, _, _ = trained
    nlp.to_disk(tmp_path / "shared")
    nlp = spacy.load(tmp_path / "shared")
    texts = [make_reference(nlp.vocab, numbers).text for numbers in DOCUMENTS] + ["", " "]
    expected = [annotations(doc) for doc in nlp.pipe(texts)]
    nlp.replace_listeners(TRANSFORMER, factory, ["model.tok2vec"])
    assert factory not in nlp.get_pipe(TRANSFORMER).listening_components
    assert [annotations(doc) for doc in nlp.pipe(texts)] == expected
    nlp.to_disk(tmp_path / "replaced")
    same = spacy.load(tmp_path / "replaced")
    assert [annotations(doc) for doc in same.pipe(texts)] == expected
    # The copy learns, and it alone.
    before = transformer_weights(same)
    with same.select_pipes(enable=[factory]):
        update(same, make_examples(same), {factory: Adam(0.001, L2=0.0)})
    assert are_equal(transformer_weights(same), before)
    copy = same.get_pipe(factory).model.get_ref("tok2vec").layers[0].layers[0].transformer
    moved = [not np.array_equal(t.numpy(), before[name]) for name, t in copy.state_dict().items()]
    assert any(moved)


# Commands


def run(*command) -> str:
    result = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Eight documents of the sample corpus, the same ones for all three splits."""
    folder = tmp_path_factory.mktemp("a corpus")
    (folder / "raw").mkdir()
    for split in ("train", "dev", "test"):
        shutil.copy(ROOT / "assets/sample/dev.conllu", folder / "raw" / f"{split}.conllu")
    run("-m", "spacy", "pretrained", "convert", "conllu", folder / "raw", folder / "spacy")
    return folder / "spacy"


def train_and_evaluate(config: Path, corpus: Path, folder: Path, *overrides) -> dict:
    paths = ["--paths.train", corpus / "train.spacy", "--paths.dev", corpus / "dev.spacy"]
    run("-m", "spacy", "debug", "config", config, *paths, *overrides)
    run(
        *("-m", "spacy", "train", config, "--output", folder / "out", *paths, *overrides),
        *("--training.max_steps", 4, "--training.eval_frequency", 2),
    )
    model, scores = folder / "out" / "model-last", folder / "scores.json"
    run("-m", "spacy", "evaluate", model, corpus / "test.spacy", "--output", scores)
    return json.loads(scores.read_text("utf8"))


def test_the_config_with_every_command(source, corpus, tmp_path):
    full = tmp_path / "config.cfg"
    run("-m", "spacy", "init", "fill-config", CONFIG, full)
    name = ["--components.transformer.model.name", source]
    log = ["--training.logger.path", tmp_path / "log.jsonl"]
    scores = train_and_evaluate(full, corpus, tmp_path, *name, *log)
    assert {"tag_acc", "dep_las", "ents_f"} <= scores.keys()
    assert len((tmp_path / "log.jsonl").read_text("utf8").splitlines()) == 3
    nlp = spacy.load(tmp_path / "out" / "model-last")
    assert nlp.pipe_names == [TRANSFORMER, *OURS]
    assert all(token.tag_ and token.dep_ for token in nlp("It works."))


def test_the_documented_swap_of_one_block(source, corpus, tmp_path):
    """A config of `spacy init config --gpu` with one block replaced as the page says."""
    stock = tmp_path / "stock.cfg"
    run("-m", "spacy", "init", "config", stock, "-p", "tagger,parser,ner", "--gpu")
    page = (ROOT / "docs" / "spacy-transformers.md").read_text("utf8")
    (block,) = re.findall(r"```ini\n(.*?)```", page, re.S)
    swapped = Config().from_str("[components]\n" + block)["components"]
    config = Config().from_disk(stock, interpolate=False)
    for name, component in swapped.items():
        config["components"][name] = component
    config.to_disk(tmp_path / "swapped.cfg")
    name = ["--components.transformer.model.name", source]
    scores = train_and_evaluate(tmp_path / "swapped.cfg", corpus, tmp_path, *name)
    assert {"tag_acc", "dep_las", "ents_f"} <= scores.keys()
    nlp = spacy.load(tmp_path / "out" / "model-last")
    assert [nlp.get_pipe_meta(name).factory for name in nlp.pipe_names] == [
        *(TRANSFORMER, "tagger", "biaffine_parser", "ner")
    ]
