"""Write docs/project.md from project.yml.

    python scripts/project_page.py

That is what `spacy project document` writes, without its link to project.yml: the site does not
have that file.
"""

from pathlib import Path

from weasel.cli.document import project_document

PAGE = Path("docs/project.md")
LINK = "[`project.yml`](project.yml)"


def main() -> None:
    project_document(Path(), PAGE)
    text = PAGE.read_text("utf8")
    PAGE.write_text(text.replace(LINK, "`project.yml`"), encoding="utf8")


if __name__ == "__main__":
    main()
