"""clitics.py: what English writes as one word has the line of one."""

from spacy_pretrained.corpora.clitics import join_clitics


def rows(*words: str) -> list[str]:
    """A word each; those that end in "+" have no space behind them."""
    misc = ["SpaceAfter=No" if word.endswith("+") else "_" for word in words]
    return [
        "\t".join([str(i), word.rstrip("+"), *"_" * 7, space])
        for i, (word, space) in enumerate(zip(words, misc), 1)
    ]


def joined(*words: str) -> list[tuple[str, str, str]]:
    found = [line.split("\t") for line in join_clitics(rows(*words))]
    return [(row[0], row[1], row[-1]) for row in found]


def test_words_get_ranges():
    assert joined("It+", "'s", "fine+", ".") == [
        ("1-2", "It's", "_"),
        ("1", "It", "_"),
        ("2", "'s", "_"),
        ("3", "fine", "SpaceAfter=No"),
        ("4", ".", "_"),
    ]
    assert joined("ca+", "n't+", ".")[0] == ("1-2", "can't", "SpaceAfter=No")
    assert joined("should+", "n't+", "'ve")[0] == ("1-3", "shouldn't've", "_")
    assert joined("can+", "not")[0] == ("1-2", "cannot", "_")


def test_other_words_do_not():
    lines = rows("can", "not", "'s", "well+", "-", "known")
    assert list(join_clitics(lines)) == lines
    quote = [rows("dogs+")[0], "\t".join(["2", "'", "'", "PUNCT", *"_" * 6])]
    lines = ["# text = dogs'", *quote]
    assert list(join_clitics(lines)) == lines


def test_ranges_of_others_stay():
    lines = [rows("du+")[0].replace("1\t", "1-2\t", 1), *rows("de", "pain")]
    assert list(join_clitics(lines)) == lines
