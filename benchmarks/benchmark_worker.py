r"""Serve one pipeline or one bare backbone to benchmark.py: a command a line in, JSON answers out.

    printf 'load\nprepare_infer\ninfer\n' | python benchmarks/benchmark_worker.py \
        pipeline training/ewt/model-best --texts corpus/ewt/test.spacy

It runs in the environment of what it measures (on Linux) and imports only what that needs.
"""

import argparse
import itertools
import json
import math
import os
import random
import re
import sys
import time
import traceback
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGES = r"spacy(-pretrained|-transformers)?|thinc|numpy|tokenizers|torch|transformers|openvino"
WORDS_A_BATCH = 2000
SENTENCE_WORDS, N_SENTENCES = 15, 60
WINDOWS_A_BATCH, WINDOW_PIECES = 16, 64


@dataclass
class Pipeline:
    """A saved spaCy pipeline, with its tokenizer, as its users run it."""

    arguments: argparse.Namespace

    def load(self) -> dict:
        """Seconds from nothing to the first annotated text: an engine may compile only then."""
        start = time.perf_counter()
        import spacy

        imported = time.perf_counter()
        # As a string: the name of a package is no path.
        self.nlp = spacy.load(str(self.arguments.path), exclude=self.arguments.exclude)
        loaded = time.perf_counter()
        self.nlp("A first text.")
        ready = time.perf_counter()
        return {
            "seconds": ready - start,
            "import_seconds": imported - start,
            "load_seconds": loaded - imported,
            "first_text_seconds": ready - loaded,
        }

    def prepare_infer(self) -> dict:
        self.texts = read_texts(self.arguments.texts)
        self.words = count_words(self.nlp.tokenizer.pipe(self.texts))
        return {"documents": len(self.texts), "components": self.nlp.pipe_names}

    def infer(self) -> dict:
        start = time.perf_counter()
        for _ in self.nlp.pipe(self.texts):
            pass
        return {"seconds": time.perf_counter() - start, "words": self.words}

    def prepare_latency(self) -> dict:
        """Sentences of one length, annotated once: engines compile a kernel for each new shape."""
        self.sentences = read_sentences(self.arguments.texts, SENTENCE_WORDS)[:N_SENTENCES]
        if not self.sentences:
            raise ValueError(f"{self.arguments.texts} has no sentence of {SENTENCE_WORDS} words")
        self.latency()
        return {"sentences": len(self.sentences), "words": SENTENCE_WORDS}

    def latency(self) -> dict:
        """Milliseconds that each of the sentences takes, one after the other."""
        milliseconds = []
        for text in self.sentences:
            start = time.perf_counter()
            self.nlp(text)
            milliseconds.append(1000 * (time.perf_counter() - start))
        return {"milliseconds": milliseconds}

    def prepare_train(self) -> dict:
        """Shuffle and cut into batches, which are the same for every pipeline."""
        from spacy.tokens import DocBin
        from spacy.training.batchers import minibatch_by_words
        from thinc.api import Adam

        docs = list(DocBin().from_disk(self.arguments.train).get_docs(self.nlp.vocab))
        random.Random(0).shuffle(docs)
        self.batches = itertools.cycle(list(minibatch_by_words(docs, WORDS_A_BATCH)))
        # What spaCy's own configs name, at a rate from the middle of a training.
        self.optimizer = Adam(1e-4, L2=0.01, grad_clip=1.0, use_averages=False)
        return {"documents": len(docs), "batches_a_round": self.arguments.batches}

    def train(self) -> dict:
        """Update on the next batches, in the way of `spacy train`."""
        from spacy.training import Example

        chosen = list(itertools.islice(self.batches, self.arguments.batches))
        examples = [[Example(self.nlp.make_doc(d.text), d) for d in docs] for docs in chosen]
        trainable = [pipe for _, pipe in self.nlp.pipeline if getattr(pipe, "is_trainable", False)]
        losses: dict[str, float] = {}
        start = time.perf_counter()
        for batch in examples:
            self.nlp.update(batch, drop=0.1, sgd=False, losses=losses)
            for pipe in trainable:
                pipe.finish_update(self.optimizer)
        seconds = time.perf_counter() - start
        if not all(map(math.isfinite, losses.values())):
            raise ValueError(f"Losses are not finite: {losses}")
        return {"seconds": seconds, "words": sum(map(count_words, chosen))}


class Windows(Pipeline):
    """Its backbone alone, with all else that it does left out: on the very batches of windows that
    it is given while the pipeline annotates the texts."""

    def prepare_infer(self) -> dict:
        from spacy_pretrained.backends.backbone import get_shim

        pipe = next(pipe for _, pipe in self.nlp.components if hasattr(pipe, "plan_batches"))
        texts = read_texts(self.arguments.texts)
        self.shim = get_shim(pipe.model)
        self.nlp(texts[0])  # a classifier reads its labels first, once
        self.batches = []
        predict = self.shim.predict

        def record(batches):
            batches = list(batches)
            self.batches += batches
            return predict(batches)

        self.shim.predict = record
        for _ in self.nlp.pipe(texts):
            pass
        self.shim.predict = predict
        pieces = sum(batch.n_pieces for batch in self.batches)
        return {"documents": len(texts), "pieces": pieces}

    def infer(self) -> dict:
        start = time.perf_counter()
        for _ in self.shim.predict(self.batches):
            pass
        return {"seconds": time.perf_counter() - start}


@dataclass
class Bare:
    """A backbone on the same pieces, packed into full windows without padding: the ceiling."""

    arguments: argparse.Namespace

    def prepare_infer(self) -> dict:
        import numpy
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.arguments.path / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        texts = read_texts(self.arguments.texts)
        encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
        ids = numpy.concatenate([numpy.asarray(e.ids, dtype="int64") for e in encodings])
        # The last window is filled up with the first pieces.
        windows = numpy.resize(ids, (-(-len(ids) // WINDOW_PIECES), WINDOW_PIECES))
        steps = range(0, len(windows), WINDOWS_A_BATCH)
        self.batches = [windows[i : i + WINDOWS_A_BATCH] for i in steps]
        return {"documents": len(texts), "pieces": len(ids), "engine": self.engine}

    def infer(self) -> dict:
        start = time.perf_counter()
        self.run()
        return {"seconds": time.perf_counter() - start}


class BareTorch(Bare):
    def load(self) -> None:
        import torch
        from transformers import AutoModel

        self.model = AutoModel.from_pretrained(self.arguments.path).float().eval()
        self.engine = {"dtype": "float32", "threads": torch.get_num_threads()}

    def run(self) -> None:
        import torch

        with torch.inference_mode():
            for batch in self.batches:
                self.model(input_ids=torch.from_numpy(batch))


class BareOpenVino(Bare):
    def load(self) -> None:
        from spacy_pretrained.runtime.no_telemetry import import_openvino

        openvino = import_openvino()
        threads = self.arguments.threads
        settings = {  # those of the pipelines' own backend
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
        }
        compiled = openvino.Core().compile_model(self.arguments.path / "model.xml", "CPU", settings)
        self.queue = openvino.AsyncInferQueue(compiled, threads)
        self.dtype = compiled.input("input_ids").get_element_type().to_dtype()
        self.engine = {name.lower(): str(compiled.get_property(name)) for name in settings}

    def run(self) -> None:
        for batch in self.batches:
            ids = batch.astype(self.dtype)
            self.queue.start_async({"input_ids": ids, "attention_mask": ids * 0 + 1})
        self.queue.wait_all()


def read_texts(path: Path) -> list[str]:
    """The texts of a DocBin's documents, or the paragraphs of a file of plain text."""
    if path.suffix == ".spacy":
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab

        texts = [doc.text for doc in DocBin().from_disk(path).get_docs(Vocab())]
    else:
        texts = re.split(r"\n\s*\n", path.read_text(encoding="utf8"))
    return [text for text in texts if text.strip()]


def read_sentences(path: Path, n_words: int) -> list[str]:
    """The sentences of a DocBin that are so long."""
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    docs = [
        doc
        for doc in DocBin().from_disk(path).get_docs(Vocab())
        if doc.has_annotation("SENT_START")
    ]
    return [s.text for doc in docs for s in doc.sents if len(s) == n_words]


def count_words(docs) -> int:
    """Whitespace, where it is a token, is no word."""
    return sum(not token.is_space for doc in docs for token in doc)


def describe() -> dict:
    """What ran, and its peak memory by Linux; ru_maxrss would start with the parent's size."""
    status = Path("/proc/self/status").read_text()
    versions = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    return {
        "peak_mebibytes": round(int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024),
        "imported_torch": "torch" in sys.modules,
        "python": sys.version.split()[0],
        "versions": {n: v for n, v in sorted(versions.items()) if re.fullmatch(PACKAGES, n)},
    }


def main() -> None:
    kinds = {
        "pipeline": Pipeline,
        "windows": Windows,
        "bare-torch": BareTorch,
        "bare-openvino": BareOpenVino,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=list(kinds))
    parser.add_argument("path", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()

    # Before anything heavy is imported. OpenVINO heeds no variable, but it does heed affinity.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(arguments.threads)
    # Whatever a library prints goes to stderr: stdout is for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    served = kinds[arguments.kind](arguments)
    for line in sys.stdin:
        command = line.strip()
        try:
            answer = describe() if command == "describe" else getattr(served, command)() or {}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
