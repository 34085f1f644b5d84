"""Each kind of encoder loads, saves, trains, and does not mind padding; what cannot work, or is
damaged, is refused with the reason."""

import json
import logging
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import spacy
import torch
from families import FAMILIES
from hard_texts import HARD_TEXTS
from numpy.testing import assert_allclose
from safetensors.torch import load_file, save_file
from thinc.api import Adam
from tiny_models import KINDS, TOKENIZERS, write_json
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, T5EncoderModel

from spacy_pretrained.backends.torch_backend import TorchShim
from spacy_pretrained.backends.torch_kinds import freeze_bottom
from spacy_pretrained.backends.torch_safetensors import dump
from spacy_pretrained.backends.torch_settings import TorchSettings
from spacy_pretrained.backends.torch_weights import from_files, load_pretrained, to_files
from spacy_pretrained.checkpoints.checkpoint import Layout
from spacy_pretrained.encoder.token_encoder import build_torch_encoder, get_shim, plan_batches
from spacy_pretrained.sources.find import find_source
from spacy_pretrained.windows.batches import WindowBatch

TEXTS = [
    "She sold sea shells.",
    "The quick brown fox jumps over the lazy dog, isn't it?",
    "I",
    "naïve 😀 " * 40,
]
UNLIMITED = ("xlnet",)


@pytest.fixture(scope="module", params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def encoder(kind, tiny_source):
    model = build_torch_encoder(window=0, orth_width=0, learn_rate_factor=1.0)
    get_shim(model).load_source(Path(tiny_source(kind)))
    model.initialize()
    return model


@pytest.fixture(scope="module")
def docs():
    return list(spacy.blank("en").pipe(TEXTS))


def test_layout_is_what_the_model_takes(kind, encoder):
    layout = get_shim(encoder).checkpoint.layout
    assert layout.width == 32
    assert layout.max_window == (10**6 if kind in UNLIMITED else 64)
    assert encoder.get_dim("nO") == 32


def test_the_longest_window_runs_and_no_longer_one_is_made(kind, encoder, docs):
    longest = 100 if kind in UNLIMITED else 64
    ids = np.random.default_rng(0).integers(5, 100, size=(2, longest))
    window = WindowBatch(ids, np.ones_like(ids), np.zeros((len(ids), 1), "int64"))
    (vectors,) = get_shim(encoder).predict([window])
    assert vectors.shape == (2, longest, 32) and np.isfinite(vectors).all()
    assert vectors.std(axis=1).mean() > 0.1  # pieces differ
    lengths = [batch.ids.shape[1] for batch in plan_batches(encoder, docs)]
    assert kind in UNLIMITED or max(lengths) <= 64


def test_vectors_do_not_depend_on_the_batch(encoder, docs):
    docs = [*docs, *spacy.blank("en").pipe(HARD_TEXTS)]
    together = encoder.predict(docs)
    scale = max(np.abs(vectors).max() for vectors in together if vectors.size)
    for doc, vectors in zip(docs, together):
        assert_allclose(encoder.predict([doc])[0], vectors, atol=2e-6 * scale)


def test_files_hold_all_there_is(encoder, docs):
    shim = get_shim(encoder)
    files = shim.to_files()
    other = TorchShim(TorchSettings()).from_files(files)
    assert other.to_files() == files
    for one, two in zip(shim.predict(plan_batches(encoder, docs)),
                        other.predict(plan_batches(encoder, docs))):  # fmt: skip
        assert np.array_equal(one, two)


def test_a_training_step_goes_downhill(kind, tiny_source, docs):
    model = build_torch_encoder(window=0, orth_width=0, dropout=0.0, learn_rate_factor=1.0)
    shim = get_shim(model)
    shim.load_source(Path(tiny_source(kind)))
    model.initialize()
    before = {name: p.detach().clone() for name, p in shim.module.named_parameters()}
    vectors, backprop = model.begin_update(docs)
    backprop([v - 1 for v in vectors])  # the gradient of half the squared distance to 1
    model.finish_update(Adam(1e-3, L2=0.0))
    distances = [sum(((v - 1) ** 2).sum() for v in vs) for vs in (vectors, model.predict(docs))]
    assert distances[1] < distances[0]
    changed = [n for n, p in shim.module.named_parameters() if not (p == before[n]).all()]
    assert len(changed) > 0.7 * len(before)  # Longformer has weights for global attention


# Folders


@pytest.fixture
def folder(tiny_bert, tmp_path) -> Path:
    """A tiny BERT of the test's own, to be damaged."""
    return Path(shutil.copytree(tiny_bert, tmp_path / "a model"))


def edit_json(path: Path, **changes) -> None:
    write_json(path, json.loads(path.read_text("utf8")) | changes)


def refused(folder: Path, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        load_pretrained(folder, None)


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[: len(data) // 2], lambda data: data[:-1], lambda data: b"no weights" * 9],
    ids=["half", "a byte short", "other"],
)
def test_damaged_weights_are_refused(folder, tiny_bert, damage):
    path = folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    refused(folder, "a model' cannot be loaded")
    files = to_files(*load_pretrained(Path(tiny_bert), None))
    files["model.safetensors"] = damage(files["model.safetensors"])
    with pytest.raises(ValueError, match="damaged or cut short"):
        from_files(files, None)


@pytest.mark.parametrize(
    "changes, tensor",
    [
        ({"intermediate_size": 64}, "intermediate"),
        ({"num_hidden_layers": 3}, "encoder.layer.2"),
        ({"vocab_size": 1000}, "word_embeddings"),
    ],
)
def test_weights_of_another_model_are_refused(folder, tiny_bert, changes, tensor):
    edit_json(folder / "config.json", **changes)
    refused(folder, f"do not fit config.json.*{tensor}")
    files = to_files(*load_pretrained(Path(tiny_bert), None))
    files["config.json"] = json.dumps(json.loads(files["config.json"]) | changes).encode()
    with pytest.raises(
        ValueError,
        match=f"(?s)do not fit config.json.*{tensor}|vocab_size = 1,000 it is of another",
    ):
        from_files(files, None)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_saved_encoder_with_a_file_missing_says_which(tiny_bert, name):
    files = to_files(*load_pretrained(Path(tiny_bert), None))
    del files[name]
    with pytest.raises(ValueError, match=f"has no {name}"):
        from_files(files, None)


def test_configs_that_say_nothing_are_refused(folder):
    for content in ("{", "{}", '{"model_type": "unheard"}'):
        (folder / "config.json").write_text(content, "utf8")
        refused(folder, "cannot be loaded")


def test_code_in_a_folder_does_not_run_and_nobody_is_asked(folder, monkeypatch):
    ran = folder.parent / "ran"
    code = f"open({str(ran)!r}, 'w')\nclass Config: pass\nclass Model: pass\n"
    (folder / "code.py").write_text(code, "utf8")
    auto_map = {"AutoConfig": "code.Config", "AutoModel": "code.Model"}
    edit_json(folder / "config.json", model_type="of its own", auto_map=auto_map)
    monkeypatch.setattr("builtins.input", lambda *args: pytest.fail("it asked"))
    refused(folder, r"Python code of its authors \(code\.Model\), which needs trust_remote_code")
    assert not ran.exists()


def test_weights_in_half_precision_load_in_full(folder):
    weights = load_file(folder / "model.safetensors")
    halves = {name: tensor.half() for name, tensor in weights.items()}
    save_file(halves, folder / "model.safetensors", {"format": "pt"})
    edit_json(folder / "config.json", dtype="float16", torch_dtype="float16")
    module, checkpoint = load_pretrained(folder, None)
    other, _ = from_files(to_files(module, checkpoint), None)
    for one in (module, other):
        for name, parameter in one.named_parameters():
            assert parameter.dtype == torch.float32
            assert torch.equal(parameter, halves[name].float())


def test_weights_in_several_files_load(folder):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    shards = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(weights)}
    for shard in set(shards.values()):
        part = {name: tensor for name, tensor in weights.items() if shards[name] == shard}
        save_file(part, folder / shard, {"format": "pt"})
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": shards})
    module, _ = load_pretrained(folder, None)
    for name, parameter in module.named_parameters():
        assert torch.equal(parameter, weights[name])
    (folder / "model-00002-of-00002.safetensors").unlink()
    refused(folder, "cannot be loaded.*00002-of-00002")


def test_weights_with_a_head_and_a_prefix_load(folder):
    weights = load_file(folder / "model.safetensors")
    with_head = {f"bert.{name}": t for name, t in weights.items() if "pooler" not in name}
    with_head["cls.predictions.bias"] = torch.zeros(5)
    save_file(with_head, folder / "model.safetensors", {"format": "pt"})
    module, _ = load_pretrained(folder, None)
    for name, parameter in module.named_parameters():
        assert torch.equal(parameter, weights[name])


def test_the_dropout_of_a_setting_is_not_saved_as_the_models_own(tiny_bert):
    module, checkpoint = load_pretrained(Path(tiny_bert), 0.5)
    assert module.config.hidden_dropout_prob == module.config.attention_probs_dropout_prob == 0.5
    files = to_files(module, checkpoint)
    assert json.loads(files["config.json"])["hidden_dropout_prob"] == 0.1
    assert from_files(files, 0.3)[0].config.hidden_dropout_prob == 0.3


# Tokenizers


def test_a_vocabulary_without_tokenizer_json_will_do(folder):
    with_definition = load_pretrained(folder, None)[1].tokenizer
    vocabulary = TOKENIZERS["wordpiece"]().get_vocab()
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)), "utf8")
    made = load_pretrained(folder, None)[1].tokenizer
    assert (made.prefix, made.suffix) == (with_definition.prefix, with_definition.suffix)
    for one, two in zip(made.encode(TEXTS), with_definition.encode(TEXTS)):
        assert np.array_equal(one.ids, two.ids) and np.array_equal(one.ends, two.ends)


def test_a_folder_without_a_tokenizer_is_refused(folder):
    (folder / "tokenizer.json").unlink()
    refused(folder, "has no tokenizer.json")


def test_a_tokenizer_that_is_not_fast_is_refused(folder):
    (folder / "tokenizer.json").unlink()
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "CTRLTokenizer"})
    write_json(folder / "vocab.json", {"<unk>": 0, "a</w>": 1})
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf8")
    refused(folder, "CTRLTokenizer.* not a fast one")


def test_a_tokenizer_with_more_pieces_than_vectors_is_refused(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    n_pieces = tokenizer.get_vocab_size()
    tokenizer.add_tokens(["Zürich"])
    tokenizer.save(str(folder / "tokenizer.json"))
    refused(folder, f"'Zürich' is number {n_pieces}, and there are {n_pieces}.")


@pytest.mark.parametrize("model_type", ["albert", "xlm-roberta", "deberta-v2", "roberta"])
def test_a_vocabulary_of_another_kind_is_refused(folder, model_type):
    """transformers makes a tokenizer of the kind that the config names, which knows no words."""
    words = TOKENIZERS["wordpiece"]().get_vocab()
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(sorted(words, key=words.get)), "utf8")
    config = AutoConfig.for_model(model_type, **TINY, pad_token_id=0)
    AutoModel.from_config(config).save_pretrained(folder)
    refused(folder, "knows no letter|cannot be loaded")


def test_a_tokenizer_without_special_pieces_gets_a_warning(folder, caplog):
    path = folder / "tokenizer.json"
    write_json(path, json.loads(path.read_text("utf8")) | {"post_processor": None})
    (warning,) = warnings_of(folder, caplog)
    assert "no post-processor" in warning and "tokenizer.json counts" in warning


def test_settings_at_odds_with_the_tokenizer_get_a_warning(folder, caplog):
    edit_json(folder / "tokenizer_config.json", do_lower_case=False, sep_token="</s>")
    case, pieces = warnings_of(folder, caplog)
    assert "do_lower_case = false" in case and "sep_token = '</s>'" in pieces


def test_a_tokenizer_with_far_fewer_pieces_than_vectors_gets_a_warning(folder, caplog):
    AutoModel.from_config(AutoConfig.for_model("bert", **TINY | {"vocab_size": 5000}))\
        .save_pretrained(folder)  # fmt: skip
    (warning,) = warnings_of(folder, caplog)
    assert "its model has 5000 vectors" in warning


def test_a_broken_tokenizer_is_refused(folder):
    (folder / "tokenizer.json").write_text("{", "utf8")
    refused(folder, "tokenizer definition")


@pytest.mark.parametrize(
    "known, expected", [(48, 48), (512, 64), (int(1e30), 64), (None, 64), (1e30, 64)]
)
def test_the_smaller_limit_of_model_and_tokenizer_counts(folder, known, expected):
    write_json(folder / "tokenizer_config.json", {"model_max_length": known})
    assert load_pretrained(folder, None)[1].layout.max_window == expected
    (folder / "tokenizer_config.json").unlink()
    assert load_pretrained(folder, None)[1].layout.max_window == 64


def test_the_real_minilm_takes_512_pieces():
    _, checkpoint = load_pretrained(find_source("minilm-l6"), None)
    assert checkpoint.layout == Layout(width=384, max_window=512, pad=0)


# What cannot work

TINY = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
TINY |= {"intermediate_size": 32, "vocab_size": 300}


@pytest.mark.parametrize(
    "model_type, settings, match",
    [
        ("fnet", TINY, "attention mask"),
        ("convbert", TINY | {"embedding_size": 32}, "attention mask"),
        ("canine", TINY, "no vectors of wordpieces"),
        ("dpr", TINY, "no vector for each wordpiece.*only: pooler_output"),
        ("xmod", TINY | {"languages": ["en_XX"]}, "Set default_language"),
        ("bros", TINY, "specify bbox"),
        ("vit", TINY, "not a text encoder"),
    ],
)
def test_what_is_no_encoder_for_padded_text_is_refused(folder, model_type, settings, match):
    (folder / "model.safetensors").unlink()
    AutoModel.from_config(AutoConfig.for_model(model_type, **settings)).save_pretrained(folder)
    refused(folder, f"'{model_type}'.*{match}")


def test_a_config_that_asks_for_tuples_is_overruled(folder):
    expected = from_files(to_files(*load_pretrained(folder, None)), None)[0]
    edit_json(folder / "config.json", return_dict=False)
    module, checkpoint = load_pretrained(folder, None)
    for one in (module, from_files(to_files(module, checkpoint), None)[0]):
        assert torch.equal(run(one), run(expected))


@torch.no_grad()
def run(module) -> torch.Tensor:
    ids = torch.arange(5, 45)[None]
    return module.eval()(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state


# Kinds of models


def warnings_of(folder: Path, caplog) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING, "spacy"):
        load_pretrained(folder, None)
    return [record.getMessage() for record in caplog.records if record.name == "spacy"]


def test_a_causal_model_gets_one_warning(folder, caplog):
    assert warnings_of(folder, caplog) == []
    edit_json(folder / "config.json", is_decoder=True)
    (warning,) = warnings_of(folder, caplog)
    assert "'bert' is a causal model" in warning and "to its left only" in warning
    assert load_pretrained(folder, None)[0].config.use_cache is False


def test_big_bird_has_the_same_vectors_after_each_load(folder):
    settings = TINY | {"attention_type": "block_sparse", "block_size": 4, "num_random_blocks": 1}
    config = AutoConfig.for_model(
        "big_bird", **settings, pad_token_id=0, max_position_embeddings=64
    )
    AutoModel.from_config(config).save_pretrained(folder)
    module, checkpoint = load_pretrained(folder, None)
    assert torch.equal(run(module), run(from_files(to_files(module, checkpoint), None)[0]))


def test_a_folder_with_the_encoder_of_t5_alone_will_do(folder, tmp_path):
    config = AutoConfig.for_model(
        "t5", d_model=32, d_ff=32, d_kv=8, num_heads=2, num_layers=2, vocab_size=300
    )
    own = T5EncoderModel(config)
    own.save_pretrained(folder)
    module, checkpoint = load_pretrained(folder, None)
    assert torch.equal(run(module), run(own))
    names = [name for name in read_weights(to_files(module, checkpoint)) if "decoder" in name]
    assert not names


def read_weights(files: dict[str, bytes]) -> dict[str, torch.Tensor]:
    return safetensors.torch.load(files["model.safetensors"])


def test_freezing_takes_in_all_parts_of_a_layer(tmp_path):
    module, _ = load_pretrained(FAMILIES["XLM"].save(tmp_path / "xlm"), None)
    freeze_bottom(module, 1)
    frozen = {name for name, p in module.named_parameters() if not p.requires_grad}
    for part in ("attentions", "ffns", "layer_norm1", "layer_norm2"):
        assert any(name.startswith(f"{part}.0.") for name in frozen)
        assert not any(name.startswith(f"{part}.1.") for name in frozen)
    assert "embeddings.weight" in frozen


# Saving


def test_the_file_is_the_one_that_safetensors_makes():
    tensors = {
        "b": torch.randn(3, 4),
        "a": torch.randn(2, 2).T,  # not contiguous
        "half": torch.randn(5).bfloat16(),
        "ids": torch.arange(7),
        "mask": torch.tensor([True, False]),
        "nothing": torch.zeros(0, 3),
        "é": torch.tensor(1.5),
    }
    found, data = dump(tensors), {name: t.contiguous() for name, t in tensors.items()}
    assert found == safetensors.torch.save(data, {"format": "pt"})


def test_saving_takes_one_copy_of_the_weights(tiny_bert):
    module, checkpoint = load_pretrained(Path(tiny_bert), None)
    module.set_input_embeddings(torch.nn.Embedding(200_000, 32))
    n_bytes = sum(p.numel() * 4 for p in module.parameters())
    tracemalloc.start()
    files = to_files(module, checkpoint)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_bytes < len(files["model.safetensors"]) < peak < 1.1 * n_bytes


def test_transformers_does_not_report_a_pooler_that_is_missing(tiny_bert, tmp_path, capfd, caplog):
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "pooler" not in name}
    assert len(kept) < len(weights)
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    load_pretrained(folder, None)
    said = capfd.readouterr()
    assert "pooler" not in said.out + said.err + caplog.text


# Saved files that are damaged or changed


@pytest.mark.parametrize(
    "values, match",
    [
        ({"hidden_act": "no such"}, "no model can be made of it"),
        ({"model_type": "no such"}, "no model can be made of it"),
        ({"vocab_size": 10**9}, "vocab_size = 1,000,000,000 it is of another model"),
        ({"hidden_size": 10**9}, "hidden_size = 1,000,000,000"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers = 1,000,000,000"),
    ],
)
def test_a_changed_config_is_named(tiny_bert, values, match):
    files = to_files(*load_pretrained(Path(tiny_bert), None))
    config = json.dumps(json.loads(files["config.json"]) | values).encode()
    with pytest.raises(ValueError, match=r"config\.json is damaged or changed: .*" + match):
        from_files(files | {"config.json": config}, None)


def test_numbers_that_are_not_finite_are_the_files_fault(tiny_bert):
    module, checkpoint = load_pretrained(Path(tiny_bert), None)
    module.embeddings.word_embeddings.weight.data[7, 3] = float("nan")
    with pytest.raises(ValueError, match=r"model\.safetensors has numbers that are NaN"):
        from_files(to_files(module, checkpoint), None)
