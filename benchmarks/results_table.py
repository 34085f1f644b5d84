"""Put the measured figures into the documents, from the files that the commands wrote.

    python benchmarks/results_table.py

Reads metrics/ and writes between the marks in README.md, docs/models.md, docs/existing-apps.md and
docs/text-classification.md. README.md gets a few rows, docs/models.md all of them. What was not
measured is left out.
"""

import json
from pathlib import Path
from statistics import mean
from typing import Any

METRICS = Path("metrics")
MEASURES = ["UPOS", "XPOS", "UFeats", "Lemmas", "UAS", "LAS", "Sentences"]
# The third, gold tokens and sentences predicted, is in the files.
PROTOCOLS = {"gold_tokens_gold_sentences": "gold tokens and sentences", "raw_text": "raw text"}
# What `evaluate` wrote, and where the entities are that it was not trained on.
PIPELINES = {
    "ours, torch bfloat16": ("ewt/test.json", "ewt/dev.json"),
    "ours, INT8": ("ewt/test-int8.json", "ewt/test-int8.json"),
    "stock spacy-transformers": ("ewt/test-stock-trf.json", "ewt/test-stock-trf.json"),
    "stock spaCy, CNN": ("ewt/test-stock-cnn.json", "ewt/test-stock-cnn.json"),
}
SPEEDS = {
    "stock": "stock spacy-transformers, fp32",
    "cnn": "stock spaCy, CNN",
    "ours": "ours, torch bfloat16",
    "fp32": "ours, OpenVINO fp32",
    "int8-weights": "ours, OpenVINO, INT8 weights only",
    "int8": "ours, OpenVINO INT8",
    "int8-without-ner": "– without the entity recognizer",
    "int8-with-lemmatizer": "– with spaCy's `trainable_lemmatizer`",
}
SPEED_COLUMNS = ["words/s", "× stock", "training words/s", "× stock", "memory, MiB", "load, s"]
ENCODERS = {  # names in ewt-mpnet/benchmark.json → title, files of scores, and of entities' scores
    "minilm": ("all-MiniLM-L6-v2, torch bfloat16", "ewt/test.json", "ewt/dev.json"),
    "minilm-fp32": ("– OpenVINO fp32", *["ewt/test-fp32.json"] * 2),
    "minilm-int8": ("– INT8", "ewt/test-int8.json", "ewt/test-int8.json"),
    "mpnet": ("all-mpnet-base-v2, torch bfloat16", *["ewt-mpnet/test.json"] * 2),
    "mpnet-fp32": ("– OpenVINO fp32", *["ewt-mpnet/test-fp32.json"] * 2),
    "mpnet-int8": ("– INT8", *["ewt-mpnet/test-int8.json"] * 2),
}
BACKBONES = {  # what benchmarks/benchmark.py calls the bare backbone
    " (its windows)": ": the backbone alone, same batches",
    " (ceiling)": ": the backbone alone, full windows of 64",
}
SILVER = {  # files of scores, and of entities' scores
    "MiniLM, trained on EWT": ("ewt/test.json", "ewt/dev.json"),
    "– and on texts that the teacher annotated": ("ewt-silver/test.json",) * 2,
    "– – then on EWT alone": ("ewt-silver/test-with-gold.json",) * 2,
    "– – – in INT8": ("ewt-silver/test-with-gold-int8.json",) * 2,
    "– – another run, parser layers of 400 and 100": (
        "ewt-silver/test-with-gold-400.json",
        "ewt-silver/dev-with-gold-400.json",
    ),
    "all-mpnet-base-v2, the teacher": ("ewt-mpnet/test.json",) * 2,
}
# README.md has a table of accuracy and one of speed, of these rows.
README_ACCURACY = {  # title → files of scores, and of entities' scores
    "stock spaCy, CNN": ("ewt/test-stock-cnn.json",) * 2,
    "ours, MiniLM, bfloat16": ("ewt/test.json", "ewt/dev.json"),
    "ours, MiniLM, INT8": ("ewt/test-int8.json",) * 2,
    "ours, mpnet-base, INT8": ("ewt-mpnet/test-int8.json",) * 2,
}
README_SPEEDS = {
    "stock": "stock spacy-transformers, fp32",
    "cnn": "stock spaCy, CNN",
    "ours": "ours, MiniLM, PyTorch bfloat16",
    "int8": "ours, MiniLM, INT8",
}
# Of the encoders for long documents: what was changed, with it, and without.
LONG_CHANGES = (
    ("an encoder from scratch", "from scratch, windows of 64", "bag of words (spaCy's)"),
    ("windows of 512", "from scratch, windows of 512", "from scratch, windows of 64"),
    ("the Longformer's attention", "random Longformer", "from scratch, windows of 512"),
    ("a frozen MiniLM", "MiniLM, frozen", "bag of words (spaCy's)"),
    ("an encoder beside it", "from scratch and frozen MiniLM", "MiniLM, frozen"),
    ("fine-tuning it", "MiniLM, fine-tuned", "MiniLM, frozen"),
)
STOCK = {
    "transformer": "`transformer` of spacy-transformers",
    "curated_transformer": "`curated_transformer` of spacy-curated-transformers",
}
STOCK_COPIES = {
    "fp32-kept": "fp32",
    "fp32-sentences": "fp32, windows of sentences",
    "int8-kept": "INT8",
    "int8-sentences": "INT8, windows of sentences",
    "int8-agreeing": "INT8, chosen by agreement",
}
STOCK_SCORES = {"tag_acc": "tags", "dep_uas": "UAS", "dep_las": "LAS", "ents_f": "entities F"}
STOCK_ALIKE = {"tag": "tags", "heads": "heads with labels", "entities": "entities"}
VNNI = {"avx_vnni", "avx512_vnni", "amx_int8"}  # what INT8 is fast with
DRAWS = 5
MODES = ["frozen", "fine-tuned"]
WAYS = ["names", "descriptions", "descriptions, calibrated"]
EXPERIMENTS = {
    "ner-wnut17": "WNUT-17, 2 epochs",
    "ner-wnut17-best": "WNUT-17, 4 epochs",
    "ner-wnut17-mpnet": "WNUT-17, all-mpnet-base-v2, 3 epochs",
    "ner-ewt": "Universal NER on EWT",
    "ewt-mpnet": "EWT, all components, 6 epochs",
    "sample": "assets/sample",
}


def main() -> None:
    fill(Path("README.md"), "results", [short_accuracy_table(), short_speed_table()])
    models = Path("docs/models.md")
    fill(models, "results", [accuracy_table(), entities_line(), speed_table()])
    fill(models, "experiments", [experiments_table()])
    fill(models, "encoders", [encoders_table()])
    fill(models, "silver", [silver_table()])
    fill(models, "long documents", [long_documents_section()])
    sections = [stock_section(factory, title) for factory, title in STOCK.items()]
    fill(Path("docs/existing-apps.md"), "stock", [*sections, stock_base_size()])
    textcat = Path("docs/text-classification.md")
    fill(textcat, "zero-shot", [zero_shot_table()])
    fill(textcat, "few-shot", [few_shot_table()])
    fill(textcat, "full", [full_training_table()])
    fill(textcat, "textcat-speed", [textcat_speed_table()])


def fill(path: Path, mark: str, parts: list[str]) -> None:
    """Replace what stands between two marks."""
    start, end = f"<!-- {mark} -->", f"<!-- end {mark} -->"
    before, _, rest = path.read_text("utf8").partition(start)
    _, _, after = rest.partition(end)
    tables = "\n\n".join(filter(None, parts))
    path.write_text(f"{before}{start}\n\n{tables}\n\n{end}{after}", encoding="utf8")


def read(name: str) -> dict[str, Any]:
    path = METRICS / name
    return json.loads(path.read_text("utf8")) if path.exists() else {}


def read_protocols(name: str) -> dict[str, Any]:
    """The scores on the treebank of an evaluation, by protocol; empty if there are none."""
    return next(iter(read(name).get("treebanks", [])), {}).get("protocols", {})


def read_entities(name: str) -> dict[str, Any]:
    """The scores on the entities of an evaluation; empty if there are none."""
    return next(iter(read(name).get("entities", [])), {})


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def short_accuracy_table() -> str:
    measures = ["UPOS", "Lemmas", "UAS", "LAS"]
    rows = []
    for title, (scores_file, entities_file) in README_ACCURACY.items():
        if not (protocols := read_protocols(scores_file)):
            continue
        gold, raw = (protocols[name]["conll18"] for name in PROTOCOLS)
        scores = [gold[measure]["f1"] for measure in measures] + [raw["LAS"]["f1"]]
        scores.append(read_entities(entities_file)["all"]["f1"])
        rows.append([title, *(f"{score:.2f}" for score in scores)])
    caption = (
        "**Accuracy** on the UD English-EWT 2.16 test set: CoNLL-18 F1, punctuation included, gold "
        "tokens and sentences unless the column says otherwise. Entities are F1 on the held-out "
        "documents of Universal NER, which were also the development set."
    )
    return caption + "\n\n" + table(["", *measures, "LAS, raw text", "entities"], rows)


def short_speed_table() -> str:
    report = read("benchmark.json")
    if not report:
        return ""
    results = report["results"]
    rows = [[title, *speed_cells(results[n])] for n, title in README_SPEEDS.items() if n in results]
    caption = (
        f"**Speed** of tagger, parser and NER on {report['threads']} CPU cores, median of "
        f"{report['rounds']} interleaved rounds (`make bench`):"
    )
    return caption + "\n\n" + table(["", *SPEED_COLUMNS], rows)


def accuracy_table() -> str:
    rows = []
    for key, title in PROTOCOLS.items():
        for name, (file, _) in PIPELINES.items():
            if key in (protocols := read_protocols(file)):
                scores = protocols[key]["conll18"]
                cells = [f"{s['f1']:.2f}" if (s := scores[m]) else "–" for m in MEASURES]
                rows.append([f"{name}: {title}", *cells])
    caption = (
        "UD English-EWT 2.16, test set, encoder all-MiniLM-L6-v2 (22.7 M parameters), CoNLL-18 F1 "
        "with punctuation:"
    )
    return caption + "\n\n" + table(["", *MEASURES], rows)


def entities_line() -> str:
    found = {name: scores for name, (_, f) in PIPELINES.items() if (scores := read_entities(f))}
    if not found:
        return ""
    count = next(iter(found.values()))["entities"]
    f1 = ", ".join(f"{name} {scores['all']['f1']:.2f}" for name, scores in found.items())
    return (
        "Entities of Universal NER, F1 on every tenth document of the training set. The "
        f"{count} entities of these documents were held out; their tags and trees were not. The "
        "same documents are the development set: `model-best` was also chosen by their scores. "
        f"{f1}."
    )


def speed_table() -> str:
    report = read("benchmark.json")
    if not report:
        return ""
    machine = report["machine"]
    caption = (
        f"Speed on {report['threads']} cores ({machine['cpu']}), interleaved, median of "
        f"{report['rounds']} rounds (`make bench`; all figures are in `metrics/benchmark.json`). "
        "On PyTorch, our pipeline runs as it was trained, with `mixed_precision`, on a CPU that "
        f"computes in bfloat16{fp32_clause()}:"
    )
    results = report["results"]
    rows = [[title, *speed_cells(results[n])] for n, title in SPEEDS.items() if n in results]
    return caption + "\n\n" + table(["tagger, parser, NER", *SPEED_COLUMNS], rows)


def fp32_clause() -> str:
    """What `make bench-torch-fp32` found, where it was run."""
    found = read("benchmark-torch-fp32.json").get("results", {}).get("ours")
    if found is None:
        return ""
    speeds = [f"{found[part]['ratio']:.2f} times stock" for part in ("infer", "train")]
    return f" (in fp32: {speeds[0]}, in training {speeds[1]}; `make bench-torch-fp32`)"


def speed_cells(result: dict[str, Any]) -> list[str]:
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


def experiments_table() -> str:
    rows = []
    for name, title in EXPERIMENTS.items():
        for run, result in read(f"experiments/{name}.json").items():
            for score, found in result["mean"].items():
                cell = f"{found['mean']:.2f}"
                if "deviation" in found:
                    cell += f" ± {found['deviation']:.2f}"
                rows.append([title, f"`{run}`", score, str(len(result["seeds"])), cell])
    return table(["data", "run", "score", "seeds", "mean and deviation"], rows)


def encoders_table() -> str:
    report = read("ewt-mpnet/benchmark.json")
    if not report:
        return ""
    measures = ["UPOS", "LAS", "Lemmas"]
    rows = []
    for name, (title, scores_file, entities_file) in ENCODERS.items():
        if not (protocols := read_protocols(scores_file)):
            continue
        scores = protocols["gold_tokens_gold_sentences"]["conll18"]
        cells = [f"{scores[measure]['f1']:.2f}" for measure in measures]
        cells.append(f"{read_entities(entities_file)['all']['f1']:.2f}")
        found = report["results"].get(name)
        speed = f"{found['infer']['words_per_second']:,.0f}" if found else "–"
        rows.append([title, *cells, speed])
    return table(["encoder", *measures, "entities F1", "words/s"], rows)


def silver_table() -> str:
    rows = []
    for title, (scores_file, entities_file) in SILVER.items():
        if not (protocols := read_protocols(scores_file)):
            continue
        gold, raw = (protocols[name]["conll18"] for name in PROTOCOLS)
        cells = [gold[measure]["f1"] for measure in ("UPOS", "LAS", "Lemmas")]
        cells.append(read_entities(entities_file)["all"]["f1"])
        cells += [raw[measure]["f1"] for measure in ("LAS", "Sentences")]
        rows.append([title, *(f"{cell:.2f}" for cell in cells)])
    header = ["", "UPOS", "LAS", "Lemmas", "entities F1", "LAS, raw text", "Sentences, raw text"]
    return table(header, rows)


def long_documents_section() -> str:
    """Nothing before all encoders have results of as many seeds."""
    report = read("long-documents.json")
    runs = {name: list(found.values()) for name, found in report.get("runs", {}).items()}
    n_seeds = min(map(len, runs.values()), default=0)
    is_complete = n_seeds and runs.keys() == report["settings"]["epochs"].keys()
    if not is_complete or any(len(found) > n_seeds for found in runs.values()):
        return ""
    rows = []
    for name, found in runs.items():
        scores = [result["test"] for result in found]
        last = mean(result["dev"][-1][1] for result in found)
        spread = f"{min(scores):.1f} to {max(scores):.1f}"
        n_epochs = str(report["settings"]["epochs"][name])
        rows.append([name, n_epochs, f"{mean(scores):.1f}", spread, f"{last:.1f}"])
    n_train, n_test = (report["settings"]["documents"][name] for name in ("train", "test"))
    caption = (
        f"Accuracy in percent on {n_test} test documents after a training on {n_train}; "
        f"{n_seeds} seeds (`make bench-long`):"
    )
    heading = "## Encoders from scratch, and side by side"
    about = (
        "Documents of 250 words, put together from snippets of one label of the Sentence Polarity "
        "Dataset; no snippet is in two documents. Full stops became semicolons, so that windows "
        "end where they are full. The encoder from scratch has 2 layers of width 128 and a "
        "vocabulary of 4,000 wordpieces. The Longformer has the same size and random weights; its "
        "attention reaches 32 wordpieces to each side. The number of epochs was fixed beforehand, "
        "and the scores are those of the last step."
    )
    picture = "![Accuracy against epochs, and on the test set](long-documents.png)"
    header = ["", "epochs", "test, mean", "least to best seed", "development, mean"]
    gains = compare_changes({name: [one["test"] for one in found] for name, found in runs.items()})
    return "\n\n".join([heading, about, caption, table(header, rows), *gains, picture])


def compare_changes(scores: dict[str, list[float]]) -> list[str]:
    """A list of what each of LONG_CHANGES did: a gain if the least of its seeds is above the best
    of those without it."""
    lines = []
    for what, new, old in LONG_CHANGES:
        if new not in scores or old not in scores:
            continue
        with_it, without = scores[new], scores[old]
        if min(with_it) > max(without):
            verdict = "a gain"
        elif max(with_it) < min(without):
            verdict = "a loss"
        else:
            verdict = "no gain: the seeds' ranges overlap"
        means = f"{mean(with_it):.1f} instead of {mean(without):.1f}"
        pair = f"{what[0].upper()}{what[1:]} ({new}; without it: {old})"
        lines.append(f"- {pair}: {means}, {verdict}.")
    return ["What each change did:", "\n".join(lines)] if lines else []


def stock_section(factory: str, title: str) -> str:
    """What is known of a stock pipeline and of its copies: scores, speeds, sizes."""
    report, speed = read(f"stock/alike-{factory}.json"), read(f"stock/speed-{factory}.json")
    if not report:
        return ""
    speeds = speed.get("results", {})
    rows = [["the original", *stock_cells(report), "", "", "", *stock_speed(speeds.get("stock"))]]
    for name, copy in report["copies"].items():
        agreement = [f"{copy['agreement'][key]:.2f}" for key in STOCK_ALIKE]
        cells = [*stock_cells(copy), *agreement, *stock_speed(speeds.get(name))]
        rows.append([STOCK_COPIES[name], *cells])
    caption = (
        f"Scores on `{report['dev']}` ({report['documents']} documents, {report['tokens']:,} "
        "tokens), and how much of the original's annotation there each copy repeats, in percent"
        f"{stock_fp32(report)}."
    )
    header = ["", *STOCK_SCORES.values(), *(f"same {name}" for name in STOCK_ALIKE.values())]
    header += ["words/s", "× original"]
    parts = [f"### {title}", caption, table(header, rows), stock_machine(speed)]
    return "\n\n".join(filter(None, [*parts, stock_sizes(factory)]))


def stock_base_size() -> str:
    """The speed of a base-size encoder, of a pipeline that is barely trained."""
    found = read("stock/speed-mpnet.json").get("results")
    if not found:
        return ""
    original, _ = stock_speed(found["stock"])
    kept, ratio = stock_speed(found["int8-kept"])
    _, of_sentences = stock_speed(found["int8-sentences"])
    return (
        "With all-mpnet-base-v2 under spacy-transformers, barely trained, because only its speed "
        f"matters here, the original annotates {original} words/s and the INT8 copy {kept}: "
        f"{ratio} times as many; with windows of sentences {of_sentences} times."
    )


def stock_fp32(report: dict[str, Any]) -> str:
    if "fp32-kept" not in report["copies"]:
        return ""
    least = min(report["copies"]["fp32-kept"]["alike"].values())
    if least == 100:
        return (
            ". In the fp32 copy that keeps the windows, all tokens have the original's tag, head, "
            "label and entity"
        )
    return (
        f". In the fp32 copy that keeps the windows, at least {least:.3f} % of tokens have the "
        "original's tag, and as many its head, its label and its entity"
    )


def stock_cells(found: dict[str, Any]) -> list[str]:
    return [f"{found['scores'][name]:.2f}" for name in STOCK_SCORES]


def stock_speed(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return ["–", "–"]
    return [f"{found['infer']['words_per_second']:,.0f}", f"{found['infer']['ratio']:.2f}"]


def stock_machine(speed: dict[str, Any]) -> str:
    if not speed:
        return ""
    machine, found = speed["machine"], speed["results"]["stock"]["infer"]
    has_vnni = VNNI & set(machine["cpu_flags"])
    without = "" if has_vnni else ". It has no VNNI, and so the INT8 models are run in fp32"
    return (
        f"Speed on {found['documents']:,} whole documents of {found['words'][0]:,} words; "
        f"{speed['threads']} cores ({machine['cpu']}), interleaved, median of {speed['rounds']} "
        f"rounds (`make bench-existing`){without}."
    )


def stock_sizes(factory: str) -> str:
    before, after = (read(f"stock/smoke-{factory}{end}.json") for end in ("", "-int8"))
    if not before or not after:
        return ""
    return (
        f"An environment with the wheel and all that it needs has {after['environment_mb']:,} MB, "
        f"where the original's has {before['environment_mb']:,} MB with PyTorch for CPUs alone. "
        f"The wheels have {after['wheel_mb']:.0f} and {before['wheel_mb']:.0f} MB."
    )


def zero_shot_table() -> str:
    results = read("textcat/zero-shot.json")
    rows = []
    for result in results.values():
        cells = [f"{result[way]['accuracy']:.1f} / {result[way]['macro_f']:.1f}" for way in WAYS]
        rows.append([result["title"], str(result["labels"]), f"{result['texts']:,}", *cells])
        if "names, all texts" in result:
            found = result["names, all texts"]
            cell = f"{found['accuracy']:.1f} / {found['macro_f']:.1f}"
            title = f"– the whole file, {found['texts']:,} texts"
            rows.append([title, "", "", cell, *["–"] * (len(WAYS) - 1)])
    caption = "Accuracy / macro-averaged F1 in percent (`spacy project run zero-shot .`):"
    return caption + "\n\n" + table(["test set", "labels", "texts", *WAYS], rows)


def few_shot_table() -> str:
    results = read("textcat/few-shot.json").values()
    points = [p for result in results for modes in result["summary"].values() for p in modes]
    sizes = sorted(set(points), key=int)
    rows = []
    for result in results:
        for mode in filter(result["summary"].get, MODES):
            found = result["summary"][mode]
            cells = [few_shot_cell(size, found[size]) if size in found else "–" for size in sizes]
            rows.append([result["title"], mode, *cells])
    caption = (
        f"Accuracy in percent by texts per label: mean and standard deviation over {DRAWS} draws "
        "of texts, or as many as the brackets say, and the seconds of one core that a fit takes "
        "(`python scripts/few_shot.py corpus/textcat metrics/textcat/few-shot.json --mode frozen`):"
    )
    return caption + "\n\n" + table(["test set", "encoder", *sizes], rows)


def full_training_table() -> str:
    titles = {name: found["title"] for name, found in read("textcat/zero-shot.json").items()}
    rows = [
        [title, f"{mean['mean']:.2f}"]
        for name, title in titles.items()
        for run in read(f"experiments/textcat-{name}.json").values()
        for mean in run["mean"].values()
    ]
    return table(["test set", "accuracy"], rows) if rows else ""


def few_shot_cell(size: str, found: dict[str, float]) -> str:
    if size == "0":  # there was no text, and nothing to draw or fit
        return f"{found['accuracy']:.1f}"
    cell = f"{found['accuracy']:.1f} ± {found['deviation']:.1f}, {found['fit_cpu_seconds']:.1f} s"
    return cell if found["seeds"] == DRAWS else f"{cell} ({found['seeds']})"


def textcat_speed_table() -> str:
    report = read("textcat/speed.json")
    if not report:
        return ""
    results = report["results"]
    rows = []
    for name, result in results.items():
        found = result["infer"]
        shares = [found.get(key) for key in ("of_windows", "of_ceiling")]
        shares = ["–" if share is None else f"{share:.0%}" for share in shares]
        for mark, title in BACKBONES.items():
            name = name.replace(mark, title)
        rows.append([name, f"{found['words_per_second']:,.0f}", *shares])
    first = next(iter(results.values()))["infer"]
    caption = (
        f"`zero_shot_textcat` in INT8 and its bare backbone, on {first['documents']:,} texts with "
        f"{first['words'][0]:,} words; {report['threads']} cores ({report['machine']['cpu']}), "
        f"interleaved, median of {report['rounds']} rounds (`make bench-textcat "
        f"ROUNDS={report['rounds']}`):"
    )
    titles = ["", "words/s", "share of the backbone, same batches", "share, full windows of 64"]
    return caption + "\n\n" + table(titles, rows)


if __name__ == "__main__":
    main()
