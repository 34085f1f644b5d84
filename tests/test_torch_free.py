"""A pipeline on OpenVINO runs where torch, transformers and nncf cannot be imported."""

import subprocess
import sys

import pytest
import spacy
from saved_pipelines import find_saved

from spacy_pretrained.quantization.quantize import quantize_pipeline

TEXT = "Ada sees the old river. A robot never moves!"

BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "nncf", "safetensors"}:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

sys.meta_path.insert(0, Block())
"""

# All modules but those that say by their names what they need, and what is only found under its old
# name.
IMPORT = """
import importlib, pkgutil, spacy, spacy_pretrained
from importlib.metadata import distribution

for entry in distribution("spacy-pretrained").entry_points:
    entry.load()
for module in pkgutil.walk_packages(spacy_pretrained.__path__, "spacy_pretrained."):
    is_old = module.name.startswith("spacy_pretrained.old_paths.")
    if not is_old and not module.name.split(".")[-1].startswith(("torch_", "fastapi_", "uvicorn_")):
        importlib.import_module(module.name)
spacy.blank("en")
"""

RUN = """
import json
nlp = spacy.load(sys.argv[1])
docs = list(nlp.pipe([sys.argv[2]] * 3))
found = [[[(t.tag_, t.head.i, t.dep_) for t in doc], list(doc.cats)] for doc in docs]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def trained(tiny_bert, tmp_path_factory):
    """A small pipeline with random weights, and labels to predict; and classifiers of texts, one
    on the weights of the encoder, one with its own."""
    from spacy.tokens import Doc
    from spacy.training import Example

    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "frozen": True}
    nlp.add_pipe("pretrained_encoder", config={"model": model})
    for name in ("pretrained_tagger", "biaffine_parser"):
        nlp.add_pipe(name)
    labels = {"labels": ["rivers", "robots"]}
    nlp.add_pipe("zero_shot_textcat", config=labels | {"upstream": "pretrained_encoder"})
    nlp.add_pipe("few_shot_textcat", config=labels)
    for name in ("pretrained_encoder", "few_shot_textcat"):
        nlp.config["initialize"]["components"][name] = {"source": str(tiny_bert)}
    words = ["Ada", "sees", "rivers", "."]
    reference = Doc(
        nlp.vocab,
        words=words,
        tags=["NNP", "VBZ", "NNS", "."],
        heads=[1, 1, 1, 1],
        deps=["nsubj", "ROOT", "obj", "punct"],
    )
    examples = [Example(Doc(nlp.vocab, words=words), reference)]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(5):
        nlp.update(examples, sgd=optimizer)
    return nlp


def run_blocked(path, text):
    return subprocess.run(
        [sys.executable, "-c", BLOCK + IMPORT + RUN, str(path), text],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("command", ["pretrained", "pretrained quantize", "train"])
def test_commands_say_what_they_do_without_torch(command):
    code = "import sys; from spacy.cli import setup_cli; sys.argv[0] = 'spacy'; setup_cli()"
    arguments = [sys.executable, "-c", BLOCK + code, *command.split(), "--help"]
    result = subprocess.run(arguments, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "Usage" in result.stdout


def test_saved_pipelines_in_int8_run():
    """In a process of its own: here, what needs torch in spite of that would only be skipped."""
    code = "import spacy\nfor path in sys.argv[1:]: spacy.load(path)('Ada sees the old river.')"
    folders = [folder / "pipeline" for folder in find_saved() if folder.name.endswith("_int8")]
    assert len(folders) >= 8
    command = [sys.executable, "-c", BLOCK + code, *map(str, folders)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8-weights"])  # tests/test_serving.py has int8
def test_same_annotations_without_torch(trained, tmp_path, precision):
    import json

    quantized = quantize_pipeline(trained, precision=precision)
    quantized.to_disk(tmp_path / "model")
    doc = quantized(TEXT)
    here = [[[t.tag_, t.head.i, t.dep_] for t in doc], ["rivers", "robots"]]
    result = run_blocked(tmp_path / "model", TEXT)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [here] * 3


@pytest.mark.slow
def test_a_torch_pipeline_says_what_is_missing(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    result = run_blocked(tmp_path / "model", TEXT)
    assert result.returncode != 0
    assert "pip install 'spacy-pretrained[train]'" in result.stderr
