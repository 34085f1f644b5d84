"""Write docs/errors.md: every message of the package, from its code.

python scripts/errors_page.py
"""

import importlib
from pathlib import Path

import spacy_pretrained

PACKAGE = Path(spacy_pretrained.__file__).parent
PAGE = PACKAGE.parent / "docs" / "errors.md"
HEAD = """# Messages

Every message of the package, by the part of it that gives it. A message says what is wrong, with
which value, and what to do. `{name}` and the like stand for what the message names.

This page is made from the code: `python scripts/errors_page.py`.
"""


def make_page() -> str:
    parts = [HEAD]
    for path in sorted(PACKAGE.rglob("errors.py"), key=lambda path: (len(path.parts), path)):
        names = path.relative_to(PACKAGE.parent).with_suffix("").parts
        messages = vars(importlib.import_module(".".join(names)).Errors)
        lines = [
            f"- **{name}**: {escape(text)}\n"
            for name, text in messages.items()
            if not name.startswith("_")
        ]
        if lines:
            title = "/".join(names[1:-1]) or "shared"
            parts.append(f"## {title}\n\n{''.join(lines)}")
    return "\n".join(parts)


def escape(text: str) -> str:
    """A message as Markdown shows it as it is."""
    text = " ".join(text.split())
    for character in "\\<*_[]|":
        text = text.replace(character, f"\\{character}")
    return text


if __name__ == "__main__":
    PAGE.write_text(make_page(), "utf8", newline="\n")
