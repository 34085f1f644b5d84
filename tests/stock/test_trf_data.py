"""`doc._.trf_data`: a view on the vectors by the names that the stock packages have. Copies of a
Doc have it where they have the vectors, and a Doc carries nothing else."""

import pickle

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from thinc.api import fix_random_seed
from tiny_pipelines import make_examples

from spacy_pretrained.stock import trf_data
from spacy_pretrained.stock.trf_data import TrfData

TEXT = "Ada sees the old river."
WIDTH = 32


@pytest.fixture(scope="module")
def nlp(tiny_bert, tmp_path_factory):
    """A pipeline with the windows of a stock transformer, and a tagger that listens."""
    if Doc.has_extension("trf_data"):
        Doc.remove_extension("trf_data")
    fix_random_seed(0)
    nlp = spacy.blank("en")
    windows = {"spans": "tokens", "window": 16, "stride": 12}
    model = {"@architectures": "spacy-pretrained.TorchEncoder.v1"}
    model |= {"window": 0, "orth_width": 0, "stock_windows": windows}
    nlp.add_pipe("pretrained_encoder", name="transformer", config={"model": model})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH}
    listener |= {"upstream": "transformer"}
    tagger = {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}
    nlp.add_pipe("tagger", config={"model": tagger})
    nlp.config["initialize"]["components"]["transformer"] = {"source": tiny_bert}
    nlp.initialize(lambda: make_examples(nlp))
    path = tmp_path_factory.mktemp("stock") / "nlp"
    nlp.to_disk(path)
    return spacy.load(path)


def assert_there(doc: Doc, tensor: np.ndarray | None = None) -> None:
    found = doc._.trf_data
    assert isinstance(found, TrfData)
    assert np.array_equal(found.last_hidden_layer_state.dataXd, doc.tensor)
    if tensor is not None:
        assert np.array_equal(doc.tensor, tensor)


def test_the_names_of_both_packages(nlp):
    doc = nlp(TEXT)
    found, n = doc._.trf_data, len(doc)
    # spacy-curated-transformers
    assert found.last_hidden_layer_state.lengths.tolist() == [1] * n
    assert len(found.all_outputs) == found.num_outputs == 1 and found.last_layer_only
    assert found.embedding_layer is None
    # spacy-transformers, as programs have it: the mean over a token's pieces
    assert found.width == WIDTH and found.tensors[0].shape == (1, n, WIDTH)
    rows = found.tensors[0].reshape(-1, found.width)
    for token in doc:
        pieces = rows[found.align[token.i].dataXd.ravel()]
        assert np.array_equal(pieces.mean(axis=0), doc.tensor[token.i])
    assert np.array_equal(found.model_output.last_hidden_state, found.tensors[0])
    assert "last_hidden_state" in found.model_output
    assert len(found.tensors) == 1 and len(list(found.tensors)) == 1


@pytest.mark.parametrize("name", ["wordpieces", "tokens", "all_hidden_layer_states"])
def test_what_is_not_there_says_so(nlp, name):
    found = nlp(TEXT)._.trf_data
    with pytest.raises(AttributeError, match=f"no '{name}' in a pipeline that was converted"):
        getattr(found, name)
    assert not hasattr(found, name)
    with pytest.raises(AttributeError, match="no 'pooler_output'"):
        found.model_output["pooler_output"]
    for number in (1, -1):
        with pytest.raises(IndexError, match=r"no 'tensors\[-?1\]'"):
            found.tensors[number]


def test_none_drops_the_vectors(nlp):
    doc = nlp(TEXT)
    doc._.trf_data = None
    assert doc.tensor.size == 0 and doc._.trf_data is None
    assert not doc.user_data


def test_other_docs_have_none(nlp):
    assert nlp.make_doc(TEXT)._.trf_data is None
    other = spacy.blank("en")(TEXT)
    other.tensor = np.zeros((len(other), WIDTH + 1), "float32")
    assert other._.trf_data is None
    assert nlp("")._.trf_data is None or len(nlp("")._.trf_data.tensors[0][0]) == 0


def test_docs_are_copied_and_stored(nlp):
    doc = nlp(TEXT)
    assert not doc.user_data
    assert_there(Doc(nlp.vocab).from_bytes(doc.to_bytes()), doc.tensor)
    assert_there(doc.copy(), doc.tensor)
    assert_there(pickle.loads(pickle.dumps(doc)), doc.tensor)
    both = Doc.from_docs([doc, doc])
    assert_there(both, np.vstack([doc.tensor, doc.tensor]))
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    (same,) = DocBin().from_bytes(stored).get_docs(nlp.vocab)
    assert same.text == doc.text and same._.trf_data is None  # a DocBin has no vectors
    assert_there(doc[0:3].as_doc(), doc.tensor[0:3])


@pytest.mark.parametrize("n_process", [1, 2])
def test_streams(nlp, n_process):
    for doc in nlp.pipe([TEXT, "Yes!"] * 3, n_process=n_process):
        assert_there(doc)


def test_stock_doc_cleaner(nlp):
    for attrs in ({"_.trf_data": None}, {"_.trf_data": None, "tensor": None}):
        nlp.add_pipe("doc_cleaner", config={"attrs": attrs})
        doc = nlp(TEXT)
        nlp.remove_pipe("doc_cleaner")
        assert doc[0].tag_ and doc._.trf_data is None


def test_it_is_there_after_bytes(nlp):
    """As a child process has it, which loads nothing from a disk."""
    new = spacy.blank("en", config=nlp.config).from_bytes(nlp.to_bytes())
    Doc.remove_extension("trf_data")
    try:
        assert_there(new(TEXT))
    finally:
        trf_data.install(WIDTH)


def test_what_a_stock_pipeline_sets_comes_back(nlp):
    """It finds the extension there, and takes it for its own."""
    doc = nlp(TEXT)
    value = {"a": "TransformerData"}
    doc._.trf_data = value
    assert doc._.trf_data is value
    doc._.trf_data = None
    assert doc._.trf_data is None


def test_a_stock_package_may_have_been_there_before(nlp):
    """A component that reads `trf_data` gets the vectors, and a stock pipeline what it has set."""
    Doc.set_extension("trf_data", default=None, force=True)  # as both packages have it
    trf_data.install(WIDTH)
    assert_there(nlp(TEXT))
    doc = nlp.make_doc(TEXT)
    doc._.trf_data = "TransformerData"
    assert Doc(nlp.vocab).from_bytes(doc.to_bytes())._.trf_data == "TransformerData"


def test_a_tensor_of_another_encoder_stays(nlp):
    """Such as of spaCy's CNN beside a stock transformer, whose data a program drops."""
    doc = nlp.make_doc(TEXT)
    doc.tensor = np.ones((len(doc), WIDTH + 1), "float32")
    doc._.trf_data = "TransformerData"
    doc._.trf_data = None
    assert doc._.trf_data is None and doc.tensor.shape == (len(doc), WIDTH + 1)


def test_an_extension_of_that_name_stays(nlp):
    Doc.set_extension("trf_data", default="somebody's", force=True)
    try:
        trf_data.install(WIDTH)
        assert nlp(TEXT)._.trf_data == "somebody's"
    finally:
        Doc.remove_extension("trf_data")
        trf_data.install(WIDTH)
