"""Serve one pipeline or one bare backbone to benchmark.py: a JSON command a line in, an answer out.

    python benchmark_worker.py pipeline training/ewt/model-best --texts corpus/ewt/test.spacy
    {"do": "load"}
    {"do": "infer"}

It runs in the environment of what it measures and imports nothing but spaCy and what that needs.
"""

import argparse
import json
import os
import random
import re
import sys
import time
import traceback
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "spacy spacy-pretrained spacy-transformers thinc numpy tokenizers torch transformers openvino"
)
WINDOW_PIECES = 64
WINDOWS_A_BATCH = 16
WORDS_A_BATCH = 2000


def read_texts(path: Path) -> list[str]:
    """The texts of a DocBin's documents, or the paragraphs of a file of plain text."""
    if path.suffix == ".spacy":
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab

        texts = [doc.text for doc in DocBin().from_disk(path).get_docs(Vocab())]
    else:
        texts = re.split(r"\n\s*\n", path.read_text(encoding="utf8"))
    return [text for text in texts if text.strip()]


def count_words(docs) -> int:
    return sum(not token.is_space for doc in docs for token in doc)


class Pipeline:
    """A saved spaCy pipeline, with its tokenizer, as its users run it."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments

    def load(self) -> dict:
        """Seconds from nothing to the first annotated text: engines may compile only then."""
        start = time.perf_counter()
        import spacy

        imported = time.perf_counter()
        self.nlp = spacy.load(self.arguments.path)
        loaded = time.perf_counter()
        self.nlp("A first text.")
        ready = time.perf_counter()
        set_torch_threads(self.arguments.threads)
        return {
            "seconds": ready - start,
            "import_seconds": imported - start,
            "load_seconds": loaded - imported,
            "first_text_seconds": ready - loaded,
            "components": self.nlp.pipe_names,
        }

    def read_texts(self) -> dict:
        self.texts = read_texts(self.arguments.texts)
        words = count_words(self.nlp.tokenizer.pipe(self.texts))
        return {"documents": len(self.texts), "words": words}

    def infer(self) -> dict:
        start = time.perf_counter()
        for _ in self.nlp.pipe(self.texts):
            pass
        return {"seconds": time.perf_counter() - start}

    def read_train(self) -> dict:
        """Shuffle once and cut into batches, which are the same for every pipeline."""
        from spacy.tokens import DocBin
        from spacy.training.batchers import minibatch_by_words
        from thinc.api import Adam

        docs = list(DocBin().from_disk(self.arguments.train).get_docs(self.nlp.vocab))
        random.Random(0).shuffle(docs)
        self.batches = list(minibatch_by_words(docs, WORDS_A_BATCH))
        # The optimizer that spaCy's own configs name, at the rate of a training under way.
        self.optimizer = Adam(1e-4, L2=0.01, grad_clip=1.0, use_averages=False)
        return {"documents": len(docs), "batches": len(self.batches)}

    def train(self, first: int, count: int) -> dict:
        """Update on `count` batches from the `first` on, in the way of `spacy train`."""
        from spacy.training import Example

        chosen = [self.batches[i % len(self.batches)] for i in range(first, first + count)]
        examples = [[Example(self.nlp.make_doc(d.text), d) for d in docs] for docs in chosen]
        trainable = [pipe for _, pipe in self.nlp.pipeline if getattr(pipe, "is_trainable", False)]
        losses: dict[str, float] = {}
        start = time.perf_counter()
        for batch in examples:
            self.nlp.update(batch, drop=0.1, sgd=False, losses=losses)
            for pipe in trainable:
                pipe.finish_update(self.optimizer)
            self.optimizer.step_schedules()
        seconds = time.perf_counter() - start
        words = sum(count_words(docs) for docs in chosen)
        return {"seconds": seconds, "words": words, "losses": losses}


class Bare:
    """A backbone on the same pieces, packed into full windows without padding: the ceiling."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments

    def read_texts(self) -> dict:
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
        return {"documents": len(texts), "pieces": len(ids)}

    def infer(self) -> dict:
        start = time.perf_counter()
        self.run()
        return {"seconds": time.perf_counter() - start}


class BareTorch(Bare):
    def load(self) -> dict:
        from transformers import AutoModel

        self.model = AutoModel.from_pretrained(self.arguments.path).float().eval()
        set_torch_threads(self.arguments.threads)
        return {"engine": {"dtype": "float32", "threads": self.arguments.threads}}

    def run(self) -> None:
        import torch

        with torch.inference_mode():
            for batch in self.batches:
                self.model(input_ids=torch.from_numpy(batch))


class BareOpenVino(Bare):
    def load(self) -> dict:
        import openvino

        config = {"INFERENCE_NUM_THREADS": self.arguments.threads}
        config["NUM_STREAMS"] = self.arguments.streams or self.arguments.threads
        compiled = openvino.Core().compile_model(self.arguments.path / "model.xml", "CPU", config)
        self.queue = openvino.AsyncInferQueue(compiled, config["NUM_STREAMS"])
        self.dtype = compiled.input("input_ids").get_element_type().to_dtype()
        names = [*config, "INFERENCE_PRECISION_HINT"]
        return {"engine": {name.lower(): str(compiled.get_property(name)) for name in names}}

    def run(self) -> None:
        for batch in self.batches:
            ids = batch.astype(self.dtype)
            self.queue.start_async({"input_ids": ids, "attention_mask": ids * 0 + 1})
        self.queue.wait_all()


def set_torch_threads(threads: int) -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def peak_bytes() -> int:
    """The largest resident size so far, by Linux; ru_maxrss would start with the parent's size."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def memory() -> dict:
    found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    versions = {name: found[name] for name in PACKAGES.split() if name in found}
    versions = {"python": sys.version.split()[0], **versions}
    return {"peak_bytes": peak_bytes(), "torch": "torch" in sys.modules, "versions": versions}


def main() -> None:
    kinds = {"pipeline": Pipeline, "bare-torch": BareTorch, "bare-openvino": BareOpenVino}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=list(kinds))
    parser.add_argument("path", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--streams", type=int, help="of OpenVINO; by default one a thread")
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
        command = json.loads(line)
        name = command.pop("do")
        if name == "quit":
            break
        try:
            answer = memory() if name == "memory" else getattr(served, name)(**command)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
