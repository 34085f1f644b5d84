"""The code blocks of README.md and docs/, as the tests read them.

A comment before a block says how it is tested: `<!-- slow -->` in the slow tests only, with a path
in the repository's root; `<!-- needs: PATH -->` in the repository's root if PATH is there;
`<!-- stock: PACKAGE -->` on a copy of spaCy's pipeline under another name; `<!-- run by: TEST -->`
by a test that has what it needs. `<!-- file: NAME -->` says that it is a file, which the commands
of the page read. A `text` block that follows Python is what the Python prints.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from thinc.api import Config

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>slow|needs|stock|run by|file)(?:: (?P<argument>[^>]+?))? -->\n)?"
    r"```(?P<language>\w+)\n(?P<code>.*?)```"
    r"(?:\n\n```text\n(?P<output>.*?)```)?",
    re.S,
)


@dataclass(frozen=True)
class Block:
    page: Path
    mark: str | None
    argument: str | None
    language: str
    code: str
    output: str | None  # what stands after it as `text`


def read_blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page, of all languages unless some are named."""
    blocks = [Block(page, **m.groupdict()) for m in BLOCK.finditer(page.read_text("utf8"))]
    return [block for block in blocks if not languages or block.language in languages]


def parse_config(block: str) -> Config:
    """Read a block of a config; sections that stand above its own may be left out."""
    sections = re.findall(r"^\[(.+)\]$", block, flags=re.MULTILINE)
    parents = {s.rsplit(".", i)[0] for s in sections for i in range(1, s.count(".") + 1)}
    added = [f"[{parent}]\n" for parent in sorted(parents.difference(sections), key=len)]
    return Config().from_str("".join(added) + block, interpolate=False)
