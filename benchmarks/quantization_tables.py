"""Put what was measured of quantized pipelines into docs/quantization.md, and draw it.

    python benchmarks/quantization_tables.py

Reads metrics/, as the commands of `make quantization-report` write it, and writes between the marks
in the document, and docs/quantization.png. What was not measured is left out.
"""

from pathlib import Path
from typing import Any

from plot_quantization import Kind, draw, shared_scores
from results_table import fill, read, read_entities, read_protocols, table

KINDS = {  # names in benchmark.json → title, file of scores, file of the scores of entities
    "ours": ("torch, bfloat16", "ewt/test.json", "ewt/dev.json"),
    "fp32": ("OpenVINO, fp32", "ewt/test-fp32.json", "ewt/test-fp32.json"),
    "int8-weights": (
        "OpenVINO, INT8 weights",
        "ewt/test-int8-weights.json",
        "ewt/test-int8-weights.json",
    ),
    "int8": ("OpenVINO, INT8", "ewt/test-int8.json", "ewt/test-int8.json"),
}
ERRORS = {"exact": "exact", "this_cpu": "on this CPU", "without_vnni": "without VNNI"}
GATE = {
    "before": "before",
    "after": "after",
    "drop": "drop",
    "least_drop": "at least",
    "most_drop": "at most",
}
DROPS = ["dep_las", "dep_uas", "tag_acc", "ents_f"]
DOCUMENT, PICTURE = Path("docs/quantization.md"), Path("docs/quantization.png")
IMAGE = f"![Accuracy against speed of the four kinds]({PICTURE.name})"


def main() -> None:
    kinds = read_kinds()
    parts = {
        "kinds": f"{kinds_table(kinds)}\n\n{IMAGE}" if kinds else "",
        "gate": gate_table(read("ewt/quantization.json")),
        "recipes": recipes_table(read("ewt/recipes.json")),
        "waiting": waiting_table(),
        "profile": profile_table(read("profile.json")),
    }
    for mark, text in parts.items():
        if text:
            fill(DOCUMENT, mark, [text])
    if kinds:
        draw(kinds, PICTURE)


def read_kinds() -> list[Kind]:
    """What has both been scored and measured."""
    results = read("benchmark.json").get("results", {})
    kinds = []
    for name, (title, scores_file, entities_file) in KINDS.items():
        protocols = read_protocols(scores_file)
        if not protocols or name not in results:
            continue
        scores = protocols["gold_tokens_gold_sentences"]["conll18"]
        entities = read_entities(entities_file).get("all", {})
        found = {"UPOS": scores["UPOS"]["f1"], "LAS": scores["LAS"]["f1"]}
        if entities:
            found["entities F1"] = entities["f1"]
        speed = results[name]["infer"]
        kinds.append(Kind(title, speed["words_per_second"], speed.get("of_ceiling"), found))
    return kinds


def kinds_table(kinds: list[Kind]) -> str:
    first, scores = kinds[0], shared_scores(kinds)
    rows = [
        [
            kind.title,
            f"{kind.words_per_second:,.0f}",
            f"{kind.words_per_second / first.words_per_second:.2f}",
            "–" if kind.of_ceiling is None else f"{kind.of_ceiling:.0%}",
            *(f"{kind.scores[name]:.2f}" for name in scores),
        ]
        for kind in kinds
    ]
    return table(["", "words/s", f"× {first.title}", "of the ceiling", *scores], rows)


def gate_table(figures: dict[str, Any]) -> str:
    if "scores" not in figures:
        return ""
    # Figures of 0.1.0 have no upper bound.
    keys = [key for key in GATE if all(key in row for row in figures["scores"].values())]
    rows = [
        [f"`{name}`", *(f"{row[key]:.2f}" for key in keys)]
        for name, row in figures["scores"].items()
    ]
    for what, size in figures["megabytes"].items():
        sizes = [f"{size['before']:.1f}", f"{size['after']:.1f}"]
        rows.append([f"{what}, MB", *sizes, *[""] * (len(keys) - 2)])
    recipe = f"Recipe that held: {figures['recipe']}."
    return recipe + "\n\n" + table(["", *(GATE[key] for key in keys)], rows)


def recipes_table(report: dict[str, Any]) -> str:
    if not report:
        return ""
    drops = [name for name in DROPS if name in report["scores"]]
    rows = []
    for row in report["recipes"]:
        errors = [row["errors"][key] for key in ERRORS]
        cells = ["–" if error is None else f"{error:.3f}" for error in errors]
        cells += [f"{row['drops'][name]:.2f}" for name in drops]
        rows.append([row["recipe"], *cells])
    scores = ", ".join(f"`{name}` {report['scores'][name]:.2f}" for name in drops)
    caption = f"{report['cpu']}; {report['documents']} documents; before, {scores}."
    header = ["", *(f"error, {name}" for name in ERRORS.values()), *(f"`{n}` drop" for n in drops)]
    return caption + "\n\n" + table(header, rows)


def waiting_table() -> str:
    rows = []
    if latency := read("latency.json"):
        start, sentence = latency["cold_start"], latency["sentence"]
        rows += [
            ["cold start, to the first annotated text", f"{start['seconds']:.2f} s"],
            ["– of which imports", f"{start['import_seconds']:.2f} s"],
            ["– of which `spacy.load`", f"{start['load_seconds']:.2f} s"],
            [
                "– of which the first text, with the engine's compilation",
                f"{start['first_text_seconds']:.2f} s",
            ],
            [
                f"one sentence of {sentence['words']} words, warm: median",
                f"{sentence['median_milliseconds']:.1f} ms",
            ],
            ["– nine of ten within", f"{sentence['p90_milliseconds']:.1f} ms"],
        ]
    if memory := read("memory.json"):
        rows += [
            [
                f"memory after a tenth of {memory['texts']:,} texts",
                f"{memory['second_tenth']:,.0f} MiB",
            ],
            ["– in the last tenth", f"{memory['growth_percent']:+.1f} %"],
        ]
    int8, torch = read("ewt/smoke-int8.json"), read("ewt/smoke-torch.json")
    if int8:
        rows.append(["wheel", f"{int8['wheel_mb']:.1f} MB"])
        share = f" of {torch['environment_mb']:,} MB with torch" if torch else ""
        rows.append(["environment, installed", f"{int8['environment_mb']:,} MB{share}"])
    return table(["", ""], rows) if rows else ""


def profile_table(profile: dict[str, Any]) -> str:
    if not profile:
        return ""
    totals = {"all, in turn": profile["in_turn"], "`nlp.pipe`": profile["stream"]}
    whole = profile["in_turn"]["clock"]
    rows = [
        [name, f"{part['clock']:.1f}", f"{part['clock'] / whole:.0%}", f"{part['cpu']:.1f}"]
        for name, part in (profile["parts"] | totals).items()
    ]
    return table(["", "µs a word, clock", "share", "µs a word, CPU"], rows)


if __name__ == "__main__":
    main()
