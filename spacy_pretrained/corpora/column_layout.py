"""Which column of a file with a token a line holds what.

Found from the lines where that is safe:

- Columns stand between tabs if most lines have one, else between spaces (any number of them).
- A first column of three or more that counts 0, 1, 2 ... or 1, 2, 3 ... is an index.
- The word is the first column, behind an index the second. Of two columns without index the tag may
  come first.
- The tag is the one column that holds tags of entities (O, B-PER ...). Of several it is the one
  right behind the word where there is an index (Universal NER: further layers follow), and else the
  one that holds no syntactic chunks (CoNLL-2003: B-NP).
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .errors import Errors
from .tag_schemes import MISSING, is_tag, parse_tag

SAMPLE = 1_000  # lines
DOCUMENT_MARK = "-DOCSTART-"
CHUNKS = {"ADJP", "ADVP", "CONJP", "INTJ", "LST", "NP", "PP", "PRT", "SBAR", "UCP", "VP"}
# "# text = Hello", "# newdoc id = 1", "# id 5e4a domain=en"
NAMED_COMMENT = re.compile(
    r"#\s*(newdoc\b|newpar\b|[\w.:-]+\s*=)|#\s(.*\s)?[\w.:-]+=\S|#\s(sent_)?id\s"
)
SEPARATORS = {"\t": "tabs", " ": "spaces"}

Columns = list[str]
Line = tuple[int, str]  # its number, and what it says


@dataclass
class Layout:
    """Columns by number, from 0."""

    separator: str
    n_columns: int
    has_index: bool
    word: int
    tag: int
    xpos: int | None
    upos: int | None

    def split(self, line: str) -> Columns:
        return _split(line, self.separator)

    def is_comment(self, line: str) -> bool:
        """With an index, what begins with "#". Otherwise a "#" may be a word: a comment has "# " at
        its beginning and either another number of columns or the form of "# name = value" or
        "# id 7 name=value" without a tag where tags are."""
        if self.has_index or not line.startswith("#"):
            return line.startswith("#")
        found = len(self.split(line))
        if NAMED_COMMENT.match(line):
            return found != self.n_columns or not is_tag(self.split(line)[self.tag])
        return line.startswith("# ") and found != self.n_columns


def find_layout(
    path: str | Path,
    lines: Iterable[Line],
    *,
    word: int | None = None,
    tag: int | None = None,
    xpos: int | None = None,
    upos: int | None = None,
    separator: str | None = None,
) -> Layout:
    """Complete what is given from the first lines of a file.

    ValueError if the file has no words, a column is not there, or the tag could be several ones.
    """
    sample = list(islice((line for line in lines if _is_word(line[1])), SAMPLE))
    if not sample:
        raise ValueError(Errors.COLUMNS_EMPTY.format(path=path))
    if separator is None:
        n_tabs = sum("\t" in line for _, line in sample)
        separator = "\t" if 2 * n_tabs >= len(sample) else " "
    rows = [_split(line, separator) for _, line in sample]
    n = Counter(map(len, rows)).most_common(1)[0][0]
    if n == 1:
        number, line = sample[0]
        raise ValueError(Errors.COLUMNS_ONE.format(at=f"{path}, line {number}", line=line))
    given = {"word": word, "tag": tag, "xpos": xpos, "upos": upos}
    numbers = {name: _number(path, name, value, n, separator) for name, value in given.items()}
    rows = [row for row in rows if len(row) == n and row[0] != "#"]
    has_index = n > 2 and _is_index([row[0] for row in rows])
    holding = [i for i in range(has_index, n) if _holds_tags([row[i] for row in rows])]
    if numbers["word"] is None:
        tag_first = numbers["tag"] == 0 or (numbers["tag"] is None and holding == [0] and n == 2)
        numbers["word"] = int(has_index or tag_first)
    if numbers["tag"] is None:
        holding = [i for i in holding if i not in numbers.values()]
        if n == 2:
            holding = [1 - numbers["word"]]
        elif has_index and numbers["word"] + 1 in holding:
            holding = [numbers["word"] + 1]
        elif len(holding) > 1:
            holding = [i for i in holding if not _holds_chunks([row[i] for row in rows])]
        if len(holding) != 1:
            which = f"several hold ({', '.join(map(str, holding))})" if holding else "none holds"
            raise ValueError(
                Errors.COLUMNS_NO_TAG.format(
                    path=path, n=n, separator=separator_name(separator), which=which, last=n - 1
                )
            )
        numbers["tag"] = holding[0]
    _check_different(path, numbers)
    return Layout(separator, n, has_index, **numbers)


def separator_name(separator: str) -> str:
    return SEPARATORS.get(separator, repr(separator))


def _is_word(line: str) -> bool:
    is_comment = NAMED_COMMENT.match(line) or (line.startswith("# ") and "\t" not in line)
    return bool(line.strip() and not is_comment and not line.startswith(DOCUMENT_MARK))


def _split(line: str, separator: str) -> Columns:
    # Not str.split(): a word may have a no-break space in it.
    return [c for c in line.split(" ") if c] if separator == " " else line.split(separator)


def _number(path: str | Path, name: str, number: int | None, n: int, separator: str) -> int | None:
    if number is not None and not -n <= number < n:
        raise ValueError(
            Errors.COLUMNS_NUMBER.format(
                path=path, name=name, number=number, n=n, separator=separator_name(separator)
            )
        )
    return number if number is None else number % n


def _is_index(values: Columns) -> bool:
    """More than half, so that a line out of place is found to be one."""
    numbers = [int(v) if v.isascii() and v.isdigit() else -2 for v in values]
    fitting = sum(b in (0, 1) or b == a + 1 for a, b in zip([-2, *numbers], numbers))
    return 2 * fitting > len(values)


def _holds_tags(values: Columns) -> bool:
    known = [value for value in values if value not in MISSING]
    return 2 * sum(map(is_tag, known)) > len(known)


def _holds_chunks(values: Columns) -> bool:
    labels = {parse_tag(value)[1] for value in values if is_tag(value)} - {""}
    return bool(labels) and labels <= CHUNKS


def _check_different(path: str | Path, numbers: dict[str, int | None]) -> None:
    seen: dict[int, str] = {}
    for name, number in numbers.items():
        if number is not None and seen.setdefault(number, name) != name:
            raise ValueError(
                Errors.COLUMNS_SAME.format(path=path, one=seen[number], other=name, number=number)
            )
