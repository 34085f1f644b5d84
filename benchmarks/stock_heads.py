"""The stock components that listen to a stock transformer, with the models that `spacy init config
--gpu` gives them. Benchmarks train them; tests do, smaller."""

MEAN = {"@layers": "reduce_mean.v1"}
HEADS = ("tagger", "parser", "ner")


def make_heads(
    listener: dict, *, parser_width: int = 128, ner_width: int = 64, maxout_pieces: int = 3
) -> dict[str, dict]:
    """The blocks of the components' models, by their factories.

    listener: The block of what gives them vectors of tokens.
    """
    parser = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "parser",
        "extra_state_tokens": False,
        "hidden_width": parser_width,
        "maxout_pieces": maxout_pieces,
        "use_upper": False,
        "tok2vec": listener,
    }
    return {
        "tagger": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener},
        "parser": parser,
        "ner": parser | {"state_type": "ner", "hidden_width": ner_width, "maxout_pieces": 2},
    }
