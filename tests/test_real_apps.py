"""Programs of others on converted and quantized pipelines: presidio-analyzer and pytextrank, which
know nothing of this package. `make test-trf` has them.

They run where neither torch nor a stock package can be imported, and find what they find with the
stock pipeline.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import spacy
from doc_blocks import ROOT
from stock_heads import MEAN
from stock_pipelines import BLOCK, add_heads, short_source, train

for module in ("spacy_transformers", "presidio_analyzer", "pytextrank"):
    pytest.importorskip(
        module, reason=f"{module} is not installed: `make test-trf` has it", exc_type=ImportError
    )
pytestmark = pytest.mark.slow

TEXTS = [
    "Ada sees the old river. A hearing is scheduled on the issue today.",
    "Robots never sleep in Zürich. My card number is 4012-8888-8888-1881.",
    "Barack Obama was born in Honolulu. He does not live there, but his old friends do.",
]
FOUND_BY_PRESIDIO = ["PERSON", "LOCATION", "CREDIT_CARD"]

# By the name of a pipeline, and texts: what presidio finds in each, and pytextrank's best phrases.
APP = """
import json, sys
import pytextrank, spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

path, texts, wanted = sys.argv[1], *map(json.loads, sys.argv[2:])
models = [{"lang_code": "en", "model_name": path}]
engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
analyzer = AnalyzerEngine(nlp_engine=engine.create_engine(), supported_languages=["en"])
found = [analyzer.analyze(text, language="en", entities=wanted) for text in texts]
nlp = spacy.load(path)
nlp.add_pipe("textrank")
phrases = [[p.text for p in doc._.phrases[:5]] for doc in nlp.pipe(texts)]
private = [sorted((r.entity_type, t[r.start : r.end]) for r in rs) for rs, t in zip(found, texts)]
print(json.dumps({"private": private, "phrases": phrases}))
"""


def run(path: Path, *, blocked: bool) -> dict[str, Any]:
    code = (BLOCK if blocked else "") + APP
    arguments = [str(path), json.dumps(TEXTS), json.dumps(FOUND_BY_PRESIDIO)]
    paths = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_apps_find_with_the_copy_what_they_find_with_the_original(tiny_bert, tmp_path):
    from spacy_pretrained.quantization.quantize import quantize_pipeline

    nlp = spacy.blank("en")
    source = short_source(tiny_bert, tmp_path / "source")
    nlp.add_pipe("transformer", config={"model": {"name": source}})
    listener = {"@architectures": "spacy-transformers.TransformerListener.v1", "pooling": MEAN}
    add_heads(nlp, listener)
    train(nlp, "transformer", steps=30)
    # Parts of speech, as en_core_web_trf has them: pytextrank needs some.
    ruler = nlp.add_pipe("attribute_ruler")
    for tag, pos in {"NN": "NOUN", "NNS": "NOUN", "NNP": "PROPN", "JJ": "ADJ"}.items():
        ruler.add([[{"TAG": tag}]], {"POS": pos})
    nlp.to_disk(tmp_path / "stock")
    quantize_pipeline(nlp, precision="fp32").to_disk(tmp_path / "copy")
    found = run(tmp_path / "copy", blocked=True)
    assert found == run(tmp_path / "stock", blocked=False)
    assert ["CREDIT_CARD", "4012-8888-8888-1881"] in found["private"][1]
    assert any(found["phrases"])


def test_apps_run_on_the_int8_pipeline_that_ships(tmp_path):
    wheels = sorted((ROOT / "pipelines").glob("en_ewt_minilm_int8-*.whl"))
    if not wheels:
        pytest.skip("no wheel in pipelines/: see `make pipelines`")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        wheel.extractall(tmp_path)
    (config,) = tmp_path.rglob("config.cfg")
    found = run(config.parent, blocked=True)
    assert ["PERSON", "Barack Obama"] in found["private"][2]
    assert ["LOCATION", "Honolulu"] in found["private"][2]
    assert ["LOCATION", "Zürich"] in found["private"][1]
    assert "Honolulu" in found["phrases"][2]
