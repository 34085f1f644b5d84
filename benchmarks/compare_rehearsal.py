r"""Settings of the rehearsal in docs/configs.md, compared on the development set of the sample.

    python benchmarks/compare_rehearsal.py --setting 0.0005,8 --setting 0.0004,16

A setting is a learning rate and a number of texts. The page's code runs with each, once a seed: 20
sentences with a new label, 100 updates of 4. The best setting is the one whose worst score loses
least, where F of the new label is at least 80. The page's code is then scored as it stands on the
test set. Settings that the output has already are not run again; delete it to begin anew.
"""

import json
import random
import re
import shlex
import sys
from pathlib import Path
from statistics import mean
from typing import Annotated

import spacy
import typer
from new_label import HELD_OUT, LABEL, TRAIN, read_examples
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import fix_random_seed
from wasabi import msg

from spacy_pretrained.annotation.bare import bare_copy

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "configs.md"
SCORES = {"UPOS": "pos_acc", "LAS": "dep_las", "old entities": "ents_f"}
COMPONENTS = ("pretrained_tagger", "biaffine_parser", "pretrained_ner")
LEAST_NEW = 80.0
RATE, TEXTS = r"(?<=warmup_linear\()[\d.e-]+", r"(?<=random\.sample\(texts, )\d+"


def main(
    setting: Annotated[list[str], typer.Option(help="RATE,TEXTS; may be given several times")],
    model: Annotated[Path, typer.Option()] = ROOT / "training" / "sample" / "model-best",
    corpus: Annotated[Path, typer.Option()] = ROOT / "corpus" / "sample",
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    output: Annotated[Path, typer.Option()] = ROOT / "metrics" / "rehearsal.json",
) -> None:
    """Settings of the rehearsal in docs/configs.md, compared on the sample's development set."""
    code = read_code()
    on_dev = read_known(output, seeds)
    for text in [text for text in setting if text not in on_dev]:
        rate, n_texts = text.split(",")
        changed = change(code, float(rate), int(n_texts))
        on_dev[text] = summarize([run(model, corpus, changed, "dev", s) for s in range(seeds)])
        msg.text(f"{text}: {on_dev[text]}")
    enough = [s for s, scores in on_dev.items() if scores["new label"] >= LEAST_NEW] or list(on_dev)
    best = max(enough, key=lambda s: min(on_dev[s][name] for name in SCORES))
    of_page = ",".join(read_setting(code))
    on_test = summarize([run(model, corpus, code, "test", s) for s in range(seeds)])
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "seeds": seeds,
        "changes_on_dev": on_dev,
        "best_on_dev": best,
        "of_the_page": of_page,
        "changes_on_test": on_test,
    }
    output.write_text(json.dumps(report, indent=2) + "\n", "utf8")
    msg.text(
        f"Best on the development set: {best}. The page has {of_page}, on the test set: {on_test}"
    )


def read_known(output: Path, seeds: int) -> dict[str, dict[str, float]]:
    """What an earlier run found on the development set: it does not depend on the page."""
    report = json.loads(output.read_text("utf8")) if output.is_file() else {}
    return report["changes_on_dev"] if report.get("seeds") == seeds else {}


def read_code() -> str:
    """The block of docs/configs.md that trains on with rehearsal."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf8"), re.DOTALL)
    (code,) = (block for block in blocks if "rehearse" in block)
    return code


def read_setting(code: str) -> tuple[str, str]:
    """Rate, and number of texts."""
    return re.findall(RATE, code)[0], re.findall(TEXTS, code)[0]


def change(code: str, rate: float, n_texts: int) -> str:
    return re.sub(TEXTS, str(n_texts), re.sub(RATE, str(rate), code))


def run(model: Path, corpus: Path, code: str, split: str, seed: int) -> dict[str, float]:
    """Train a pipeline on by this code. RETURNS: Changes of its scores, in points, and the F of the
    new label, in percent."""
    fix_random_seed(seed)
    random.seed(seed)
    nlp = spacy.load(model)
    before = score_old(nlp, read_corpus(nlp, corpus, split))
    examples, held_out = read_examples(nlp, TRAIN), read_examples(nlp, HELD_OUT)
    texts = [sent.text for doc in read_corpus(nlp, corpus, "train") for sent in doc.sents]
    exec(compile(code, PAGE.name, "exec"), {"nlp": nlp, "examples": examples, "texts": texts})
    after = score_old(nlp, read_corpus(nlp, corpus, split))
    new = nlp.evaluate(held_out)["ents_per_type"][LABEL]["f"]
    return {name: after[name] - before[name] for name in SCORES} | {"new label": 100 * new}


def read_corpus(nlp: Language, corpus: Path, split: str) -> list[Doc]:
    return list(DocBin().from_disk(corpus / f"{split}.spacy").get_docs(nlp.vocab))


def score_old(nlp: Language, references: list[Doc]) -> dict[str, float]:
    """UPOS, LAS and F of the entities of the old labels, in percent."""
    examples = [Example(nlp(bare_copy(doc)), doc) for doc in references]
    for example in examples:
        example.predicted.ents = [e for e in example.predicted.ents if e.label_ != LABEL]
    scores = {}
    for name in COMPONENTS:
        scores |= nlp.get_pipe(name).score(examples)
    return {name: 100 * scores[key] for name, key in SCORES.items()}


def summarize(runs: list[dict[str, float]]) -> dict[str, float]:
    """Means; of each score that was there before, the least as well."""
    means = {name: round(mean(run[name] for run in runs), 2) for name in runs[0]}
    return means | {f"least {name}": round(min(run[name] for run in runs), 2) for name in SCORES}


if __name__ == "__main__":
    typer.run(main)
