"""Put the measured figures into the README, from the files that the commands wrote.

    python scripts/results_table.py

Reads metrics/ewt/test.json, metrics/ewt/test-int8.json and metrics/benchmark.json.
"""

import json
from pathlib import Path

START, END = "<!-- results -->", "<!-- end results -->"
MEASURES = ["UPOS", "XPOS", "UFeats", "UAS", "LAS", "Sentences"]
PROTOCOLS = {
    "gold_tokens_gold_sentences": "gold tokens and sentences",
    "gold_tokens": "gold tokens, sentences predicted",
    "raw_text": "raw text",
}
SPEEDS = {
    "stock": "stock spacy-transformers, fp32",
    "ours": "ours, torch fp32",
    "fp32": "ours, OpenVINO fp32",
    "int8": "ours, OpenVINO INT8",
}


def main() -> None:
    readme = Path("README.md")
    text = readme.read_text("utf8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    parts = [accuracy_table(Path("metrics/ewt")), speed_table(Path("metrics/benchmark.json"))]
    tables = "\n\n".join(parts)
    readme.write_text(f"{before}{START}\n\n{tables}\n\n{END}{after}", encoding="utf8")


def accuracy_table(folder: Path) -> str:
    rows = ["| | " + " | ".join(MEASURES) + " |", "|---" * (len(MEASURES) + 1) + "|"]
    for name, file in (("fp32", "test.json"), ("INT8", "test-int8.json")):
        protocols = json.loads((folder / file).read_text("utf8"))["protocols"]
        for key, title in PROTOCOLS.items():
            scores = protocols[key]["conll18"]
            cells = " | ".join(f"{scores[measure]['f1']:.2f}" for measure in MEASURES)
            rows.append(f"| {name}, {title} | {cells} |")
    caption = (
        "UD English-EWT 2.16, test set, all-MiniLM-L6-v2 (22.7 M parameters), CoNLL-18 F1 with "
        "punctuation (`spacy project run all .`, then `make int8 evaluate-int8`):"
    )
    return caption + "\n\n" + "\n".join(rows)


def speed_table(path: Path) -> str:
    report = json.loads(path.read_text("utf8"))
    rows = [
        "| tagger and parser | words/s | × stock | training words/s | × stock | MiB | load s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in SPEEDS.items():
        result = report["results"].get(name)
        if result is not None:
            rows.append(f"| {title} | " + " | ".join(speed_cells(result)) + " |")
    machine = report["machine"]
    caption = (
        f"Speed on {report['threads']} cores ({machine['cpu']}), interleaved, median of "
        f"{report['rounds']} rounds (`make bench`, all figures in `metrics/benchmark.json`):"
    )
    return caption + "\n\n" + "\n".join(rows)


def speed_cells(result: dict) -> list[str]:
    cells = []
    for part in ("infer", "train"):
        found = result.get(part)
        if found is None:
            cells += ["–", "–"]
        else:
            cells += [f"{found['words_per_second']:,.0f}", f"{found['ratio']:.2f}"]
    cells.append(f"{result['infer']['peak_mebibytes']:,.0f}")
    cells.append(f"{result['load_seconds']:.1f}")
    return cells


if __name__ == "__main__":
    main()
