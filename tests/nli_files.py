"""Tiny files of the sets that scripts/nli_sets.py reads, each in its own format."""

import gzip
import json
from pathlib import Path

SNLI = [("A man sleeps on a bench.", "A man rests.", "entailment")]
TABLES = {
    "cf_counterfactual/NLI/train.tsv": (
        "sentence1\tsentence2\tgold_label",
        [
            ('A "red" car\'s there.', "A car.", "entailment"),
            (SNLI[0][0], "Nobody.", "contradiction"),
        ],
    ),
    "taxinli10k.tsv": ("prem\thyp\tlabel", [("It rains.", "It is wet.", "neutral")]),
    "conj/adversarial_train_15k.tsv": (
        "\ufeffPremise\tHypothesis\tLabel",
        [("a man sleeps, on a bench", "He is awake.", "contradiction")],
    ),
    "MED.tsv": (
        "sentence1\tsentence2\tgold_label",
        [("All dogs run.", "All big dogs run.", "entailment"), ("Dogs.", "Cats.", "neutral")],
    ),
    "snli_1.0_dev.tsv": ("premise\thypothesis\tlabel", [("A cat.", "An animal.", "entailment")]),
    "snli_1.0_test.tsv": ("premise\thypothesis\tlabel", SNLI),
}
BREAKING = {"sentence1": "A cat!", "sentence2": "A dog.", "gold_label": "contradiction"}


def write_nli_sets(folder: Path) -> None:
    """Two of the files are compressed, and some in folders."""
    for name, (header, rows) in TABLES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join([header, *("\t".join(row) for row in rows)]) + "\n"
        if name.startswith("snli"):
            Path(f"{path}.gz").write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text, encoding="utf8")
    path = folder / "breaking_nli" / "dataset.jsonl"
    path.parent.mkdir()
    path.write_text(json.dumps(BREAKING) + "\n", encoding="utf8")
