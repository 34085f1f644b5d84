"""Every family of encoders: its tokens are aligned, a Doc comes out the same alone and in a batch,
it trains, saves, and runs on OpenVINO; or it is refused, or a warning says what it cannot do.

`pytest -m families --write-families` also writes what was found to checkpoints/families.json and
docs/encoders.md.
"""

import logging
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import spacy
import transformers
from families import CI, FAMILIES, IN_INT8, Family
from hard_texts import HARD_TEXTS
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.tokens import Doc
from tiny_pipelines import ENCODER, fast_optimizer, make_examples, make_nlp

from spacy_pretrained.backends.torch_backend import TorchShim
from spacy_pretrained.backends.torch_settings import TorchSettings
from spacy_pretrained.checkpoints import families as found_families
from spacy_pretrained.encoder.token_encoder import get_shim
from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.windows.batches import WindowBatch

pytestmark = pytest.mark.families

TEXTS = ["The quick brown fox jumps over the lazy dog", "naïve café — “quoted”", "She sold shells"]
WINDOW = 64  # pieces, that of the largest texts


def make_params(names):
    """Parameters of a test, those of CI with its marker, those that transformers lacks skipped."""
    for name in names:
        marks = [pytest.mark.families_ci] if name in CI else []
        if not FAMILIES[name].is_there:
            reason = f"transformers {transformers.__version__} has no {FAMILIES[name].model_type}"
            marks.append(pytest.mark.skip(reason=reason))
        yield pytest.param(name, marks=marks)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A function from the name of a family to a folder with a tiny model."""
    root = tmp_path_factory.mktemp("families")

    def find(name: str) -> Path:
        folder = root / name
        return folder if folder.is_dir() else FAMILIES[name].save(folder)

    return find


@pytest.fixture(scope="module")
def table(request):
    """What is found of each family, by its name; written at the end if all was tried."""
    rows: dict[str, dict] = {}
    yield rows
    if request.config.getoption("write_families"):
        from scripts.encoders_page import write

        assert rows.keys() == FAMILIES.keys(), "some families were left out"
        write({name: rows[name] for name in FAMILIES})


@pytest.mark.parametrize("name", make_params(FAMILIES))
def test_family(name, source, table, request, caplog):
    family, folder = FAMILIES[name], source(name)
    row = {"model_type": family.model_type}
    if family.refused is not None:
        with pytest.raises(ValueError, match=family.refused) as error:
            make_trained(folder)
        row["refused"] = str(error.value)
    else:
        with caplog.at_level(logging.WARNING, "spacy"):
            nlp = make_trained(folder)
        check_warnings(family, [r.getMessage() for r in caplog.records if r.name == "spacy"])
        check_alignment(nlp)
        check_longest_window(family, nlp)
        check_single_and_batch(nlp)
        check_saved(nlp, request.getfixturevalue("tmp_path"))
        row |= {"causal": family.causal, "openvino": family.openvino}
        if family.openvino_4 is not None:
            row["openvino_4"] = family.openvino_4
        row["packed"] = False
        row |= {setting: try_setting(folder, setting) for setting in SETTINGS}
        if family.converts:
            row["packed"] = check_openvino(nlp)
        else:
            with pytest.raises(ValueError, match="cannot be run on OpenVINO"):
                quantize_pipeline(nlp, precision="fp32")
    table[name] = row
    if not request.config.getoption("write_families") and transformers.__version__ >= "5":
        known = found_families.FAMILIES.get(name, {})
        assert row == {key: value for key, value in known.items() if key != "int8"}


def make_trained(folder: Path) -> Language:
    """A pipeline after three updates, which have changed the backbone."""
    nlp = make_nlp(str(folder), "pretrained_tagger", window=WINDOW, orth_width=0, dropout=0.0)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    trained = dict(get_shim(nlp.get_pipe(ENCODER).model).module.named_parameters())
    before = {name: parameter.detach().clone() for name, parameter in trained.items()}
    losses = []
    optimizer = fast_optimizer()
    for _ in range(3):
        losses.append(nlp.update(examples, sgd=optimizer)["pretrained_tagger"])
    assert all(two < one for one, two in pairwise(losses)) and np.isfinite(losses).all()
    changed = {name for name, weights in before.items() if not weights.equal(trained[name])}
    # Longformer has weights for global attention, LUKE some for entities.
    assert len(changed) > 0.6 * len(before), before.keys() - changed
    return nlp


def check_warnings(family: Family, messages: list[str]) -> None:
    """One for what the family cannot do, and no other."""
    expected = ["is a causal model"] * family.causal
    expected += ["cannot be converted to OpenVINO"] * (not family.converts)
    assert len(messages) == len(expected), messages
    for message, part in zip(messages, expected):
        assert part in message and f"'{family.model_type}'" in message


def vectors_of(nlp: Language, docs: list[Doc]) -> list[np.ndarray]:
    return nlp.get_pipe(ENCODER).model.predict(docs)


def check_alignment(nlp: Language) -> None:
    """A token's vector is the mean of those of the first and last piece with a character of it."""
    shim = get_shim(nlp.get_pipe(ENCODER).model)
    tokenizer = shim.checkpoint.tokenizer
    for text in TEXTS:
        doc = nlp.make_doc(text)
        (pieces,) = tokenizer.encode([text])
        ids = np.array([[*tokenizer.prefix, *pieces.ids, *tokenizer.suffix]])
        assert ids.shape[1] <= WINDOW
        (found,) = shim.predict([WindowBatch(ids, np.ones_like(ids), np.zeros((1, 1), "int64"))])
        of_pieces = found[0, len(tokenizer.prefix) :]
        for token, vector in zip(doc, vectors_of(nlp, [doc])[0]):
            own = [
                i for i, (start, end) in enumerate(zip(pieces.starts, pieces.ends))
                if start < token.idx + len(token) and end > token.idx
            ]  # fmt: skip
            expected = (of_pieces[own[0]] + of_pieces[own[-1]]) / 2
            assert_allclose(vector, expected, atol=1e-5 * np.abs(found).max())


def check_longest_window(family: Family, nlp: Language) -> None:
    shim = get_shim(nlp.get_pipe(ENCODER).model)
    assert shim.checkpoint.layout.max_window == (family.longest or 10**6)
    length = family.longest or 100
    ids = np.random.default_rng(0).integers(6, 100, size=(2, length))
    window = WindowBatch(ids, np.ones_like(ids), np.zeros((2, 1), "int64"))
    (vectors,) = shim.predict([window])
    assert vectors.shape == (2, length, 32 if family.model_type != "lilt" else 48)
    assert np.isfinite(vectors).all()
    assert vectors.std(axis=1).mean() > 1e-3 * np.abs(vectors).max()  # pieces differ


def check_single_and_batch(nlp: Language) -> None:
    docs = [nlp.make_doc(text) for text in [*TEXTS, *HARD_TEXTS]]
    together = vectors_of(nlp, docs)
    scale = max(np.abs(vectors).max() for vectors in together if vectors.size)
    for doc, vectors in zip(docs, together):
        assert_allclose(vectors_of(nlp, [doc])[0], vectors, atol=1e-5 * scale)


def check_saved(nlp: Language, folder: Path) -> None:
    nlp.to_disk(folder / "saved")
    other = spacy.load(folder / "saved")
    for one, two in zip(nlp.pipe(TEXTS), other.pipe(TEXTS)):
        assert np.array_equal(one.tensor, two.tensor) and [t.tag_ for t in one] == [
            t.tag_ for t in two
        ]


def check_openvino(nlp: Language) -> bool:
    """RETURNS: Whether it takes several windows in a row."""
    other = quantize_pipeline(nlp, precision="fp32")
    # RoBERTa and its kin count positions by the padding piece, which a text may spell out.
    texts = [*TEXTS, *(text for text in HARD_TEXTS if "<pad>" not in text)]
    for one, two in zip(nlp.pipe(texts), other.pipe(texts)):
        if one.tensor.size:
            scale = max(1.0, float(np.abs(one.tensor).max()))
            assert_allclose(two.tensor, one.tensor, atol=1e-3 * scale)
    return get_shim(other.get_pipe(ENCODER).model).checkpoint.layout.packed


# Settings that not every family can do


SETTINGS = ("mixed_precision", "gradient_checkpointing")


def try_setting(folder: Path, setting: str) -> bool:
    """Whether a family trains with a setting, which is refused at initialize otherwise. Layers that
    are computed again give the same gradients."""
    shim = TorchShim(TorchSettings(dropout=0.0, **{setting: True}))
    try:
        shim.load_source(folder)
    except ValueError as error:
        assert f"Set {setting} = false" in str(error)
        return False
    if setting == "gradient_checkpointing":
        plain = TorchShim(TorchSettings(dropout=0.0))
        plain.load_source(folder)
        for one, two in zip(gradients(plain), gradients(shim)):
            assert_allclose(one, two, atol=1e-4 * max(1.0, np.abs(one).max()))
    return True


def gradients(shim: TorchShim) -> list[np.ndarray]:
    ids = np.random.default_rng(0).integers(6, 100, size=(2, 16))
    window = WindowBatch(ids, np.ones_like(ids), np.zeros((2, 1), "int64"))
    vectors, backprop = shim.begin_update(window)
    backprop(vectors)
    parameters = [p for p in shim.module.parameters() if p.grad is not None]
    return [p.grad.to_dense().numpy() for p in parameters]


# INT8


@pytest.mark.parametrize("name", make_params(IN_INT8))
def test_family_in_int8(name, source, table, request):
    pytest.importorskip("nncf", reason="the environment of spacy-transformers has none")
    nlp = make_trained(source(name))
    texts = [example.reference for example in make_examples(nlp)] * 6
    other = quantize_pipeline(nlp, texts, precision="int8")
    for one, two in zip(nlp.pipe(TEXTS), other.pipe(TEXTS)):
        distance = np.linalg.norm(one.tensor - two.tensor) / np.linalg.norm(one.tensor)
        assert 0 < distance < 0.5  # it was quantized, and is much the same
    if name in table:
        table[name]["int8"] = True
