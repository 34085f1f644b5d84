"""Write the table of docs/encoders.md from what the families' tests have found.

    python scripts/encoders_page.py

`make test-families` finds it anew, and calls `write`.
"""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAMILIES = ROOT / "spacy_pretrained" / "checkpoints" / "families.json"
PAGE = ROOT / "docs" / "encoders.md"
START, END = "<!-- families -->", "<!-- end families -->"
HEADER = "Family|`model_type`|`mixed_precision`|`gradient_checkpointing`|OpenVINO|Packed rows|INT8"
COLUMNS = ("mixed_precision", "gradient_checkpointing", "openvino", "packed", "int8")


def write(families: dict[str, dict]) -> None:
    """Keep what was found of families, by their names, and put it into the page."""
    FAMILIES.write_text(json.dumps(families, indent=2, ensure_ascii=False) + "\n", "utf8")
    main()


def main() -> None:
    families = json.loads(FAMILIES.read_text("utf8"))
    PAGE.write_text(fill(PAGE.read_text("utf8"), families), "utf8")


def fill(page: str, families: dict[str, dict]) -> str:
    """The page with the tables of these families."""
    before, rest = page.split(START)
    after = rest.split(END)[1]
    return f"{before}{START}\n\n{make_tables(families)}\n\n{END}{after}"


def make_tables(families: dict[str, dict]) -> str:
    works = {name: row for name, row in families.items() if "refused" not in row}
    refused = {name: row for name, row in families.items() if "refused" in row}
    lines = [f"| {HEADER.replace('|', ' | ')} |", "|---" * (2 + len(COLUMNS)) + "|"]
    lines += [_row(name, row) for name, row in works.items()]
    lines += [
        "",
        "Refused at initialize:",
        "",
        "| Family | `model_type` | Message |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | `{row['model_type']}` | {row['refused']} |" for name, row in refused.items()
    ]
    return "\n".join(lines)


def _row(name: str, row: dict) -> str:
    label = f"{name} (causal)" if row["causal"] else name
    cells = [label, f"`{row['model_type']}`", *(_cell(row, column) for column in COLUMNS)]
    return f"| {' | '.join(cells)} |"


def _cell(row: dict, column: str) -> str:
    mark, mark_4 = _mark(row.get(column)), _mark(row.get(f"{column}_4"))
    return f"{mark}; with transformers 4, {mark_4}" if mark_4 else mark


def _mark(found: bool | None) -> str:
    """A blank for what was not tried."""
    return {True: "yes", False: "no", None: ""}[found]


if __name__ == "__main__":
    main()
