"""Which encoder is recommended, and how to train it."""

import pytest

from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.choosing.memory import GIGABYTE
from spacy_pretrained.choosing.plan import FEW_SHOT, FROZEN, FULL, NONE
from spacy_pretrained.choosing.query import (
    ELSEWHERE,
    SYNONYMS,
    TASKS,
    Query,
    read_lang,
    read_memory,
    read_task,
)
from spacy_pretrained.choosing.recommend import describe_languages, describe_speed, recommend

# task, language, device, memory, speed, examples, domain: the first choice, and how it is trained
METHODS = {"full": FULL, "few-shot": FEW_SHOT, "none": NONE}
QUERIES = """
ner        es cpu  8GB  balanced  5000 -          bert-base-spanish-cased            full
ner        es cpu  8GB  fast      5000 -          multilingual-e5-small              full
ner        en cpu  -    fast      5000 -          minilm-l6                          full
ner        en cpu  -    balanced  5000 -          distilroberta-base                 full
ner        en cpu  -    accurate 20000 -          roberta-base                       full
parsing    en cpu  -    accurate 20000 -          roberta-base                       full
textcat    en cpu  -    accurate 20000 -          roberta-base                       full
ner        en cuda 24GB accurate 20000 -          deberta-v3-large                   full
ner        en cuda 8GB  balanced 20000 -          deberta-v3-base                    full
ner        en cuda -    balanced  5000 biomedical pubmedbert-base-uncased            full
ner        zh cuda -    balanced 10000 -          bert-base-chinese                  full
parsing    en cpu  -    fast     10000 -          minilm-l6                          full
parsing    fr cpu  -    accurate 10000 -          camembert-base                     full
parsing    xx cpu  -    balanced 10000 -          distilbert-base-multilingual-cased full
tagging    ca cpu  -    accurate 10000 -          roberta-base-ca-v2                 full
tagging    de cuda -    balanced 10000 -          gbert-base                         full
textcat    en cpu  8GB  balanced 50000 -          distilbert-base-uncased            full
textcat    en cpu  -    fast       300 -          minilm-l6                          few-shot
textcat    en cpu  -    accurate   300 -          all-mpnet-base-v2                  few-shot
textcat    es cpu  -    balanced   300 -          multilingual-e5-small              few-shot
textcat    en cpu  -    balanced  5000 legal      legal-bert-base-uncased            full
zero-shot  en cpu  -    fast         0 -          minilm-l6                          none
zero-shot  en cuda -    accurate     0 -          roberta-large-mnli                 none
similarity en cpu  -    accurate     0 -          all-mpnet-base-v2                  none
similarity de cpu  -    fast         0 -          multilingual-e5-small              none
"""


def read_queries():
    for line in QUERIES.strip().splitlines():
        task, lang, device, memory, speed, examples, domain, name, method = line.split()
        bytes_ = None if memory == "-" else read_memory(memory)
        domain = None if domain == "-" else domain
        query = Query(task, lang, device, bytes_, speed, int(examples), domain)
        yield pytest.param(query, name, METHODS[method], id=" ".join(line.split()[:7]))


@pytest.mark.parametrize("query, name, method", list(read_queries()))
def test_the_first_choice(query, name, method):
    first, *others = recommend(query)
    assert (first.name, first.plan.method) == (name, method)
    assert first.reasons and len(others) <= 2
    assert all(one.points <= first.points for one in others)
    if query.memory and first.plan.training:
        assert first.plan.training.peak <= query.memory


def test_there_are_twenty_queries_of_all_tasks():
    queries = [parameters.values[0] for parameters in read_queries()]
    assert len(queries) >= 20 and {query.task for query in queries} == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_no_decoder_and_no_tokenizer_without_offsets_is_recommended(task):
    for lang in ("en", "fr", "ja", "xx"):
        for one in recommend(Query(task, lang), most=100):
            assert one.entry["kind"] in ("encoder", "sentence encoder", "entailment")
            assert one.entry["family"] not in ("gpt2", "ctrl", "marian", "flaubert")
            assert one.name != "bert-base-japanese-v3"
            languages = one.entry["languages"]
            assert "multilingual" in languages or lang in languages


def test_a_multilingual_encoder_says_what_is_known_of_its_languages():
    reasons = {one.name: " ".join(one.reasons) for one in recommend(Query("ner", "es"), 100)}
    card = "its model card says whether 'es' is among them"
    assert f"multilingual (100 languages): {card}" in reasons["xlm-roberta-base"]
    assert card not in reasons["bert-base-spanish-cased"]
    entry = CATALOGUE["xlm-roberta-base"] | {"notes": []}
    assert describe_languages(entry, "es").startswith("multilingual: ")


def test_what_the_tests_of_families_found_counts(monkeypatch):
    def find(**settings):
        found = {one.name: one for one in recommend(Query("ner", **settings), 100)}
        return {n: "cannot share a row" in " ".join(one.reasons) for n, one in found.items()}

    assert find()["deberta-v3-base"] and not find()["roberta-base"]
    assert not find(device="cuda")["deberta-v3-base"]
    packed = {"RoBERTa": {"model_type": "roberta", "causal": False, "packed": False}}
    monkeypatch.setattr("spacy_pretrained.choosing.families.FAMILIES", packed)
    assert find()["roberta-base"] and not find()["deberta-v3-base"]


def test_special_domains_are_only_for_those_who_ask():
    assert {one.entry["domain"] for one in recommend(Query("ner"), 100)} == {"general"}
    found = {one.entry["domain"] for one in recommend(Query("ner", domain="clinical"), 100)}
    assert found == {"general", "clinical"}


def test_less_memory_means_smaller_batches_then_checkpointing_then_a_frozen_encoder():
    plans = []
    for gigabytes in (30, 1.5, 1.285, 1.1):
        found = recommend(Query("ner", memory=round(gigabytes * GIGABYTE)), 100)
        plans += [one.plan for one in found if one.name == "all-minilm-l12-v2"]
    assert [plan.method for plan in plans] == [FULL, FULL, FULL, FROZEN]
    assert [plan.gradient_checkpointing for plan in plans] == [False, False, True, False]
    assert plans[0].batch_words == 1500 > plans[1].batch_words >= 200


def test_no_memory_is_an_error_that_says_so():
    with pytest.raises(ValueError, match=r"more than 0\.3 GB"):
        recommend(Query("ner", memory=300_000_000))
    with pytest.raises(ValueError, match=r"running takes more than 0\.3 GB"):
        recommend(Query("similarity", memory=300_000_000))
    with pytest.raises(ValueError, match="none is known for zero-shot in 'en'"):
        for entry in CATALOGUE.values():
            assert entry["languages"] != []
        recommend_without(Query("zero-shot"))


def recommend_without(query):
    from unittest.mock import patch

    with patch("spacy_pretrained.choosing.recommend.CATALOGUE", {}):
        return recommend(query)


def test_few_examples_get_a_smaller_encoder():
    few, many = (recommend(Query("ner", examples=n))[0] for n in (200, 20_000))
    assert few.sizes.relative_cost < many.sizes.relative_cost
    assert any("few examples" in reason for reason in few.reasons)
    assert few.plan.epochs > many.plan.epochs


def test_a_small_corpus_gets_smaller_batches_and_not_few_steps():
    plans = {n: recommend(Query("ner", examples=n))[0].plan for n in (1, 50, 2000, 100_000)}
    sizes = [plan.batch_words for plan in plans.values()]
    assert sizes == sorted(sizes) and (sizes[0], sizes[-1]) == (200, 1500)
    assert all(plan.steps >= 500 for plan in plans.values())
    assert plans[1].epochs > plans[50].epochs > 20 > plans[2000].epochs


def test_rules_of_thumb_hold_for_base_size():
    (base,) = [one for one in recommend(Query("ner"), 100) if one.name == "roberta-base"]
    plan = base.plan
    assert 2 <= plan.epochs <= 4 and 1e-5 <= plan.learn_rate <= 5e-5 and plan.warmup == 0.1


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"task": "summarization"}, "Unknown task 'summarization'"),
        ({"task": "ner", "device": "tpu"}, "Unknown device 'tpu'. Use one of: cpu, cuda"),
        ({"task": "ner", "speed": "quick"}, "fast, balanced, accurate"),
        ({"task": "ner", "domain": "sport"}, "biomedical"),
        ({"task": "ner", "examples": -1}, "at least 0, but it is -1"),
        ({"task": "ner", "examples": 0}, "nothing to train 'ner' on"),
        ({"task": "textcat", "examples": 0}, "--task zero-shot"),
        ({"task": "ner", "lang": "Spanish"}, "'Spanish' is no code of a language"),
        ({"task": "ner", "lang": "ES"}, "'ES' is no code of a language"),
        ({"task": "ner", "lang": ""}, "'' is no code of a language"),
    ],
)
def test_what_is_asked_wrongly_says_what_is_known(settings, message):
    with pytest.raises(ValueError, match=message):
        Query(**settings)


@pytest.mark.parametrize(
    "text, amount", [("8GB", 8e9), ("8 gb", 8e9), ("512MB", 512e6), ("6.5g", 6.5e9), ("8GiB", 8e9)]
)
def test_amounts_of_memory(text, amount):
    assert read_memory(text) == amount


@pytest.mark.parametrize("text", ["", "8", "much", "-1GB", "0GB", "8 PB"])
def test_what_is_no_amount_of_memory(text):
    with pytest.raises(ValueError, match="is no amount of memory"):
        read_memory(text)


@pytest.mark.parametrize(
    "text, task",
    [
        *((name, name) for name in (*TASKS, *ELSEWHERE)),
        ("NER", "ner"),
        ("entities", "ner"),
        (" Named  Entities ", "ner"),
        ("named_entity_recognition", "ner"),
        ("sentiment", "textcat"),
        ("Text Classification", "textcat"),
        ("pos", "tagging"),
        ("Part-of-speech tagging", "tagging"),
        ("dependency", "parsing"),
        ("zero shot", "zero-shot"),
        ("summarisation", "summarization"),
        ("question answering", "qa"),
    ],
)
def test_tasks_by_other_names(text, task):
    assert read_task(text) == task


def test_no_other_name_is_of_two_tasks_or_of_none():
    names = [name for names in SYNONYMS.values() for name in names.split()]
    assert len(names) == len({*names, *TASKS, *ELSEWHERE}) - len(TASKS) - len(ELSEWHERE)
    assert SYNONYMS.keys() == TASKS.keys() | ELSEWHERE.keys()
    assert read_task("Chess") == "Chess"


@pytest.mark.parametrize(
    "text, lang", [("es", "es"), ("ES", "es"), ("pt-BR", "pt"), ("zh_Hans_CN", "zh"), ("xx", "xx")]
)
def test_codes_of_languages(text, lang):
    assert read_lang(text) == lang


@pytest.mark.parametrize("text", ["", "e", "Spanish", "es-", "es ES", "español", "es;en"])
def test_what_is_no_code_of_a_language(text):
    with pytest.raises(ValueError, match="is no code of a language"):
        read_lang(text)


def test_a_domain_without_an_encoder_of_that_language_is_said():
    (first, *_) = recommend(Query("ner", "es", domain="legal"))
    assert "trained on texts in general, not on legal ones" in first.reasons
    (first, *_) = recommend(Query("ner", "en", domain="legal"))
    assert "trained on legal texts" in first.reasons


def test_speeds_in_words():
    assert describe_speed(0.125) == "computes 8 times less than BERT base"
    assert describe_speed(0.005) == "computes 200 times less than BERT base"
    assert describe_speed(1.0) == "computes as much as BERT base"
    assert describe_speed(3.55) == "computes 3.5 times as much as BERT base"
