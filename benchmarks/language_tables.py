"""Put what `spacy project run transfer .` and `spacy project run textcat-languages .` measured into
docs/languages.md.

    python benchmarks/language_tables.py

Writes between the marks there. What was not measured is left out.
"""

from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

from results_table import fill, read, table

PAGE = Path("docs/languages.md")
LANGUAGES = {
    "en": "English",
    "ca": "Catalan",
    "da": "Danish",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "hr": "Croatian",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
    "sk": "Slovak",
    "sv": "Swedish",
}
MEANS = {"mean of German, Spanish, French": ("de", "es", "fr")}
WAYS = ("names", "descriptions", "descriptions, calibrated", "8 texts a label", "16 texts a label")
Summary = dict[tuple[str, int], dict[str, Any]]  # by kind of run, and sentences


def main() -> None:
    report, classified = read("transfer/scores.json"), read("textcat/languages.json")
    if report:
        treebanks, entities = (by_language(report, task) for task in ("treebank", "entities"))
        fill(PAGE, "transfer", [treebank_section(treebanks), entity_section(entities)])
    if classified:
        fill(PAGE, "textcat", [textcat_section(classified)])


def by_language(report: dict[str, Any], task: str) -> dict[str, Summary]:
    found: dict[str, Summary] = {}
    for group in report["summary"]:
        if group["task"] == task:
            found.setdefault(group["lang"], {})[group["kind"], group["sentences"]] = group
    return found


def treebank_section(languages: dict[str, Summary]) -> str:
    caption = "UPOS / LAS, F1 with gold tokens and sentences:"
    return f"{caption}\n\n{summary_table(languages, ('UPOS', 'LAS'), MEANS)}"


def entity_section(languages: dict[str, Summary]) -> str:
    caption = "Entities, F1 with gold tokens:"
    return f"{caption}\n\n{summary_table(languages, ('F1',), {})}"


def summary_table(
    languages: dict[str, Summary], measures: Iterable[str], means: dict[str, tuple[str, ...]]
) -> str:
    """A row a language, a column a kind of run; those of `means` that have all their languages
    below."""
    columns = sorted({key for found in languages.values() for key in found}, key=order)
    rows = [
        [LANGUAGES[lang], *(score_cell(found.get(key), measures) for key in columns)]
        for lang, found in sorted(languages.items(), key=lambda item: LANGUAGES[item[0]])
    ]
    for title, langs in means.items():
        groups = [[languages.get(lang, {}).get(key) for lang in langs] for key in columns]
        rows.append([title, *(mean_cell(group, measures) for group in groups)])
    return table(["", *(describe(*key) for key in columns)], rows)


def order(key: tuple[str, int]) -> tuple[bool, int]:
    """Columns by sentences, the joint training last."""
    kind, sentences = key
    return kind == "joint", sentences


def describe(kind: str, sentences: int) -> str:
    if kind == "joint":
        return "jointly with English"
    return f"{sentences:,} sentences" if sentences else "none of the language"


def score_cell(group: dict[str, Any] | None, measures: Iterable[str]) -> str:
    if group is None:
        return "–"
    scores = []
    for measure in measures:
        deviation = group["deviation"].get(measure)
        spread = "" if deviation is None else f" ± {deviation:.1f}"
        scores.append(f"{group['mean'][measure]:.1f}{spread}")
    return " / ".join(scores)


def mean_cell(groups: list[dict[str, Any] | None], measures: Iterable[str]) -> str:
    if not all(groups):
        return "–"
    return " / ".join(f"{mean(group['mean'][one] for group in groups):.1f}" for one in measures)


def textcat_section(report: dict[str, Any]) -> str:
    encoders = [report["scores"][name] for name in ("multilingual", "English")]
    there = sorted(set.intersection(*map(set, encoders)), key=LANGUAGES.get)
    groups = {LANGUAGES[lang]: (lang,) for lang in there}
    groups |= {title: langs for title, langs in MEANS.items() if {*langs} <= {*there}}
    rows = [
        [title, *(" / ".join(accuracy(found, langs, way) for found in encoders) for way in WAYS)]
        for title, langs in groups.items()
    ]
    caption = (
        f"Accuracy in percent on the 204 texts of each test set, {report['encoder']} / the English "
        "default (`spacy project run textcat-languages .`):"
    )
    return f"{caption}\n\n{table(['', *WAYS], rows)}"


def accuracy(found: dict[str, Any], langs: tuple[str, ...], way: str) -> str:
    """The mean over languages."""
    return f"{mean(found[lang][way]['accuracy'] for lang in langs):.1f}"


if __name__ == "__main__":
    main()
