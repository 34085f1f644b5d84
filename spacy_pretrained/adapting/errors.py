"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    EXTRA_MISSING = (
        "To adapt an encoder, torch, transformers and accelerate must be installed; missing: "
        "{missing}. Run: pip install 'spacy-pretrained[adapt]'"
    )
    OPTION_TOO_SMALL = "{name} has to be {least} or more, but it is {value}."
    OPTION_NOT_ABOVE = "{name} has to be more than 0, but it is {value}."
    TEXTS_MISSING = "There is no file or folder '{path}' with texts. Check the path."
    TEXTS_NONE = "'{path}' has no texts. Texts are read from {known}, or from a folder of these."
    TEXTS_ROW = "'{path}', row {row}: {error}"
    TEXTS_FEW = (
        "The texts make {n_blocks} of {length} wordpieces: too little to train on and to hold some "
        "out. Give more text, or set --length lower."
    )
    PAIRS_NONE = (
        "No pair of sentences can be made of the texts. --next-sentence needs texts of two "
        "sentences or more: in a .txt file lines are sentences, and blank lines end texts; other "
        "formats have texts that are split into sentences."
    )
    PAIRS_LONG = (
        "{n_long:,} of {n:,} pairs of sentences are longer than {length} wordpieces (--length), so "
        "too few are left to train on and to hold some out. Set --length higher, or leave out "
        "--next-sentence."
    )
    PAIRS_ONE_TEXT = (
        "All sentences are of one text, so there is no other text that a wrong next sentence could "
        "come from. In a .txt file blank lines end texts. Or leave out --next-sentence."
    )
    PAIRS_NO_SEGMENTS = (
        "'{name}' models do not tell two texts apart by segments, as BERT does, so they are not "
        "trained on pairs of sentences. Leave out --next-sentence."
    )
    LENGTH = (
        "--length {length} does not fit '{source}', which takes from {least} to {most} wordpieces "
        "at once."
    )
    NO_MASKED_LM = (
        "'{source}' is a model of the kind '{name}', for which transformers has no masked-language "
        "model. Use an encoder such as BERT, RoBERTa, DeBERTa, MPNet or ModernBERT."
    )
    NO_MASK_PIECE = (
        "The tokenizer of '{source}' has no piece that stands for a masked one ([MASK] or <mask>), "
        "so its model was not trained to fill one in. Use another encoder."
    )
    HEAD_SHAPE = (
        "'{source}' has no masked-LM head, and a fresh one of the kind '{name}' cannot be tied to "
        "its embeddings: the head needs vectors of {wanted} numbers, but the embeddings "
        "have {found}."
    )
    DIVERGED = (
        "Training diverged: the held-out perplexity is {perplexity} at step {step}. Set --rate "
        "lower, or leave out --bfloat16. The checkpoints before it are in '{folder}'; remove the "
        "folder to begin again."
    )
    OUT_DONE = (
        "'{folder}' has an adapted encoder already. Give another folder, or remove this one to "
        "begin again."
    )
    OUT_TAKEN = (
        "'{folder}' is not empty, and what is in it is not from `adapt`. Give another folder."
    )
    OUT_OTHER = (
        "'{folder}' has an unfinished training with other settings: {names}. Give the same "
        "settings to resume it, or another folder, or remove this one to begin again."
    )
    MEMORY_SMALL = (
        "{memory:.1f} GB are not enough to train '{source}': a batch of one block of {length} "
        "wordpieces takes about {least:.1f} GB. Allow more, or set --length lower."
    )
    SENTENCE_ENCODER = (
        "'{source}' is a sentence encoder: training it on masked words changes what its vectors of "
        "whole texts mean. Zero-shot, few-shot and similarity may get worse with the result."
    )
    NOT_MEASURED = (
        "By how much was not measured. Give --labelled with texts that have categories (.spacy): "
        "their zero-shot accuracy is then measured before and after."
    )
    LABELLED_NONE = (
        "'{path}' has no texts with categories. Give a .spacy file whose Docs have `cats`, such as "
        "`python -m spacy pretrained convert texts` makes."
    )
    OUT_IN_USE = (
        "Another process is training in '{folder}'. Wait until it ends, or give another folder."
    )
    HEAD_NOT_SETTLED = (
        "The perplexity of the head alone was still falling when its share of --minutes was over, "
        "so some of the difference is the head's. Give more minutes to see that of the encoder."
    )
    STOPPED = "Stopped. The last checkpoint is in '{folder}'. Give the same command again to go on."
    STOPPED_EARLY = "Stopped before the first checkpoint: there is nothing to go on with."
