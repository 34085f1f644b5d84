"""What is said of a backend holds for each: those of the package, and one of somebody else's."""

import copy
import inspect
import pickle
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from numpy_backend import NumpyShim, build_numpy_encoder
from random_windows import make_batch
from spacy.language import Language
from thinc.api import Adam, Model, Shim
from tiny_pipelines import ENCODER, annotations, make_examples, make_nlp, train

from spacy_pretrained.backends import backbone
from spacy_pretrained.backends.backbone import get_shim, is_frozen, load_weights, trains
from spacy_pretrained.backends.backend import Backend
from spacy_pretrained.backends.torch_settings import ScratchSettings, TorchSettings
from spacy_pretrained.quantization.quantizable import OPENVINO
from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.windows.batches import RowShape

BATCH = make_batch(3, 12, 0)
TEXTS = ["Robots never sleep in Zürich.", "", "  \n", "Ada sees the old river. Yes! " * 10]
NUMPY = "tests.NumpyEncoder.v1"


def find_models() -> dict[str, Model]:
    """A model without weights of each registered architecture that has a backend of its own."""
    models = {NUMPY: build_numpy_encoder()}
    for entry in entry_points(group="spacy_architectures"):
        if entry.name.startswith("spacy-pretrained."):
            build = entry.load()
            parameters = inspect.signature(build).parameters.values()
            if all(p.default is not p.empty for p in parameters):
                try:
                    model = build()
                except ModuleNotFoundError:  # for want of PyTorch
                    continue
                if model.has_ref("backbone"):
                    models[entry.name] = model
    return models


MODELS = find_models()


@pytest.fixture(params=MODELS)
def model(request) -> Model:
    return MODELS[request.param]


@pytest.fixture
def backend(model) -> Backend:
    return get_shim(model)


def test_all_architectures_with_a_backend_are_looked_at(needs_torch):
    assert MODELS.keys() == {NUMPY, *OPENVINO, *OPENVINO.values()}
    assert len({type(get_shim(model)) for model in MODELS.values()}) == 5


def test_a_backend_is_one_and_a_stock_shim_is_none(backend):
    assert isinstance(backend, Backend) and isinstance(backend, Shim)
    assert not isinstance(Shim(None), Backend)
    for name in ("trains", "quantizable", "frozen", "reduced_precision"):
        assert isinstance(getattr(backend, name), bool)
    assert isinstance(backend.row_shape, RowShape)


def test_without_weights_it_is_empty_and_says_so(backend):
    assert backend.checkpoint is None
    assert list(backend.predict([])) == []
    for run in (lambda: list(backend.predict([BATCH])), lambda: backend.begin_update(BATCH)):
        with pytest.raises(ValueError, match="no weights yet"):
            run()
    assert backend.to_files() == {}
    assert backend.from_files({}) is backend and backend.checkpoint is None


def test_copies_without_weights_are_empty_and_of_the_same_kind(backend):
    copies = [backend.copy(), copy.deepcopy(backend), pickle.loads(pickle.dumps(backend))]
    for other in [*copies, backend.copy().from_bytes(backend.to_bytes())]:
        assert type(other) is type(backend) and other is not backend
        assert other.to_files() == {} and other.frozen == backend.frozen


def test_what_does_not_train_takes_no_source_and_names_the_component(model):
    if trains(model):
        with pytest.raises(ValueError, match="'no-such-model'"):
            load_weights(model, "no-such-model", "mine")
    else:
        assert is_frozen(model)
        with pytest.raises(ValueError, match="'mine' runs on a backend that does not train"):
            load_weights(model, "no-such-model", "mine")
        with pytest.raises(NotImplementedError, match="from_files"):
            get_shim(model).load_source("no-such-model")


def test_a_layer_of_a_backend_does_not_run_alone(model):
    with pytest.raises(NotImplementedError, match="never alone"):
        model.get_ref("backbone").predict([BATCH])


@pytest.mark.parametrize(
    "make, settings, name",
    [
        (backbone.make_torch_shim, TorchSettings(), "torch_backend"),
        (backbone.make_scratch_shim, ScratchSettings(), "torch_scratch"),
    ],
)
def test_without_torch_it_says_what_to_install(monkeypatch, make, settings, name):
    monkeypatch.setitem(sys.modules, f"spacy_pretrained.backends.{name}", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'spacy-pretrained\[train\]'"):
        make(settings)


def make_numpy_nlp(source: str, **settings) -> Language:
    nlp = make_nlp(source, "pretrained_tagger")
    nlp.remove_pipe(ENCODER)
    nlp.add_pipe(ENCODER, config={"model": {"@architectures": NUMPY} | settings}, first=True)
    nlp.config["initialize"]["components"][ENCODER] = {"source": source}
    return nlp


@pytest.mark.slow
def test_a_backend_of_ones_own_trains_annotates_and_is_saved(tiny_bert, tmp_path):
    nlp = make_numpy_nlp(tiny_bert)
    examples = make_examples(nlp)
    first, *_, last = train(nlp, examples, 30)
    assert last["pretrained_tagger"] < 0.2 * first["pretrained_tagger"]
    texts = [*TEXTS, *(example.reference.text for example in examples)]
    docs = list(nlp.pipe(texts, batch_size=3))
    for doc, example in zip(docs[len(TEXTS) :], examples):
        assert [t.tag_ for t in doc] == [t.tag_ for t in example.reference]
    nlp.to_disk(tmp_path / "saved")
    again = spacy.blank(nlp.lang).from_config(nlp.config).from_bytes(nlp.to_bytes())
    for other in (spacy.load(tmp_path / "saved"), again):
        assert isinstance(get_shim(other.get_pipe(ENCODER).model), NumpyShim)
        for one, two in zip(docs, other.pipe(texts, batch_size=3)):
            assert annotations(one) == annotations(two)
            assert_allclose(one.tensor, two.tensor, atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_backend_of_ones_own_stays_as_it_is_only_if_it_is_frozen(tiny_bert, frozen):
    nlp = make_numpy_nlp(tiny_bert, frozen=frozen)
    nlp.initialize(lambda: make_examples(nlp))
    backend = get_shim(nlp.get_pipe(ENCODER).model)
    before = backend.table.copy()
    for _ in range(2):  # the gradient of a new task head is 0
        nlp.update(make_examples(nlp), sgd=Adam(0.01))
    assert np.array_equal(before, backend.table) == frozen


def test_a_backend_of_ones_own_is_not_quantized_and_the_error_says_so(tiny_bert):
    nlp = make_numpy_nlp(tiny_bert)
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    with pytest.raises(ValueError, match="does not run on torch"):
        quantize_pipeline(nlp, [example.reference for example in examples])
