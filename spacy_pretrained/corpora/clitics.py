"""Words that English writes as one (do + n't, Ada + 's): in CoNLL-U they get the line of a
multiword token, as Universal Dependencies has it for English."""

from collections.abc import Iterator

# What English writes together with the word before it.
CLITICS = ("n't", "'s", "'", "'re", "'ve", "'ll", "'d", "'m")


def join_clitics(lines: list[str]) -> Iterator[str]:
    """Put the line of a multiword token before words that are written as one."""
    rows = [line.split("\t") for line in lines]
    for i, row in enumerate(rows):
        end = i
        while end + 1 < len(rows) and _is_clitic(rows[end], rows[end + 1]):
            end += 1
        goes_on = i > 0 and _is_clitic(rows[i - 1], row)
        if end > i and not goes_on:
            form = "".join(r[1] for r in rows[i : end + 1])
            misc = "SpaceAfter=No" if "SpaceAfter=No" in rows[end][-1] else "_"
            yield "\t".join([f"{row[0]}-{rows[end][0]}", form, *"_" * 7, misc])
        # The spaces behind words of a multiword token are those of its line.
        yield _without_space(row) if end > i or goes_on else lines[i]


def _without_space(row: list[str]) -> str:
    values = [value for value in row[-1].split("|") if value != "SpaceAfter=No"]
    return "\t".join([*row[:-1], "|".join(values) or "_"])


def _is_clitic(left: list[str], right: list[str]) -> bool:
    """Whether a row goes on with the written word of the row before."""
    if len(left) < 10 or len(right) < 10 or "SpaceAfter=No" not in left[-1]:
        return False
    if "-" in left[0] or "-" in right[0]:  # a multiword token of the pipeline's own
        return False
    together = left[1].lower() == "can" and right[1].lower() == "not"
    return together or (right[1].lower() in CLITICS and right[3] != "PUNCT")
