from spacy_pretrained.lemmatizer.edit_trees import SAME, TreeLabels, collect_trees

PAIRS = [("dogs", "dog"), ("cats", "cat"), ("went", "go"), ("sees", "see"), ("the", "the")]


def test_a_tree_leads_from_its_form_to_its_lemma():
    trees = TreeLabels(PAIRS)
    for form, lemma in PAIRS:
        assert trees.apply(trees.find(form, lemma), form) == lemma
    assert len(trees.pairs) == 3  # that of SAME, -s, and went
    assert trees.find("boys", "boy") == trees.find("dogs", "dog")
    assert trees.find("oxen", "ox") == -1


def test_what_does_not_apply():
    trees = TreeLabels([("dogs", "dog"), ("s", "")])
    plural = trees.find("dogs", "dog")
    assert trees.apply(plural, "ox") is None
    assert trees.apply(plural, "s") is None  # nothing would be left
    assert trees.apply(trees.find(*SAME), "ox") == "ox"


def test_numbers_stay():
    trees = TreeLabels([SAME, ("dogs", "dog")])
    assert trees.pairs[0] == SAME
    assert not trees.add("cats", "cat")
    assert trees.add("oxen", "ox")
    assert TreeLabels(trees.pairs).pairs == trees.pairs


def test_trees_of_several_forms_are_collected():
    assert collect_trees(PAIRS, 2) == [("cats", "cat")]  # the first of the shortest
    assert collect_trees(reversed(PAIRS), 2) == collect_trees(PAIRS, 2)
    assert len(collect_trees(PAIRS, 1)) == 3
    assert collect_trees([("dogs", "dog")] * 5, 2) == []  # one form
