"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    LISTENER_WILDCARD = (
        'upstream = "*" would listen to every tok2vec in the pipeline. Give the name of the '
        'encoder\'s component, by default "pretrained_encoder".'
    )
    LISTENER_ALONE = (
        "A component listens to the encoder '{upstream}', but no component of that name stands "
        "before it in the pipeline, or it has no weights yet. Add the encoder before the "
        'component: nlp.add_pipe("pretrained_encoder", name="{upstream}", before=...). Other '
        "tok2vecs, and the components that listen to them, must come before the encoder, because "
        "all of them write to `doc.tensor`. Or correct `upstream` in the component's model."
    )
    LOSS_WEIGHT = (
        "A listener of '{upstream}' has loss_weight = {loss_weight}. It must be finite and not "
        "negative. With 0, the component does not train the encoder."
    )
    LISTENER_WIDTH = (
        "Component '{component}' was trained on vectors of width {old}, but the encoder '{name}' "
        "gives {new}. Train it again on this encoder: nlp.initialize()."
    )
    TWO_ENCODERS = (
        "The pipeline has an encoder already, '{old}'. A second one, '{new}', would overwrite its "
        "vectors in doc.tensor. Let all components listen to one encoder, or replace the listener "
        "of a component by an encoder of its own."
    )
    ENCODER_MODEL = (
        "Component '{name}' needs a model from spacy-pretrained.TorchEncoder.v1, "
        "TransformerFromScratch.v1, ConcatEncoder.v1 or OpenVinoEncoder.v1, not '{model}'."
    )
    ENCODER_STAYS = (
        "The transformer of '{name}' runs on OpenVINO, for example in INT8, and does not train: "
        "`nlp.update` trains the components that listen to it only. To train the transformer, "
        "too, start from the pipeline as it was before it was quantized."
    )
    BARE_VOCAB = (
        "'{name}' was given Docs of a bare Vocab(), which knows neither the shape nor the case of "
        "words, nor which of them are white space. Their annotation will be worse. Make Docs with "
        "nlp.make_doc, or with nlp.vocab: Doc(nlp.vocab, words=...), DocBin.get_docs(nlp.vocab)."
    )
    CONCAT_FEW = (
        "spacy-pretrained.ConcatEncoder.v1 puts two or more encoders side by side, but "
        "[components.….model.encoders] has {n}. Add another, or use that architecture alone."
    )
    CONCAT_NAME = (
        "'{encoder}' cannot be the name of an encoder in [components.….model.encoders]: it names a "
        "folder. Use letters, digits and underscores."
    )
    CONCAT_MODEL = (
        "The encoder '{encoder}' of spacy-pretrained.ConcatEncoder.v1 has to be from "
        "spacy-pretrained.TorchEncoder.v1 or TransformerFromScratch.v1, not '{model}'."
    )
    ORIGIN_ONE = (
        "[initialize.components.{name}.encoders] is for the encoders of "
        "spacy-pretrained.ConcatEncoder.v1, but '{name}' has a single one. Set source in "
        "[initialize.components.{name}]."
    )
    ORIGIN_SEVERAL = (
        "'{name}' has several encoders ({names}), so that {setting} in "
        "[initialize.components.{name}] is of none of them. Set it in "
        "[initialize.components.{name}.encoders.…]."
    )
    ORIGIN_UNKNOWN = (
        "[initialize.components.{name}.encoders] has '{unknown}', but the encoders of '{name}' are "
        "{names}. Correct the name."
    )
    ORIGIN_SETTING = (
        "[initialize.components.{block}] has no setting '{setting}', but {known}. Correct the name."
    )
    SCRATCH_SOURCE = (
        "[initialize.components.{block}] has source = '{source}', but its encoder, of "
        "spacy-pretrained.TransformerFromScratch.v1, begins with random weights. Remove source, or "
        "use spacy-pretrained.TorchEncoder.v1."
    )
    SCRATCH_VOCABULARY = (
        "[initialize.components.{block}] has both tokenizer and vocabulary_size, but a "
        "tokenizer.json has a vocabulary of its own. Remove one of them."
    )
    NOT_FROM_SCRATCH = (
        "[initialize.components.{block}] has {setting}, but its encoder takes the tokenizer of its "
        "source. Remove {setting}, or use spacy-pretrained.TransformerFromScratch.v1."
    )
    SCRATCH_TOKENIZER = (
        "tokenizer = '{path}' is no tokenizer.json, and no folder with one. Correct the path, or "
        "remove it: then a vocabulary is learnt from the training texts."
    )
    CACHE_NOT_FROZEN = (
        "The encoder '{name}' has a cache_folder, but its vectors change because it trains. Set "
        "frozen = true in [components.{name}.model], or remove cache_folder from "
        "[initialize.components.{name}]."
    )
    CACHE_BYTES = "cache_bytes must be 0 (no cache) or more, but it is {cache_bytes}."
    CACHE_FULL = (
        "The cache of the vectors of '{name}' is full: {documents} of {used:,.0f} MiB, where the "
        "limit is {limit:,.0f} MiB. All others are encoded again in every epoch. To keep them, "
        "raise cache_bytes in [initialize.components.{name}]."
    )
    CACHE_NOT_WRITTEN = (
        "The encoder's vectors cannot be written to '{folder}': {error}. For the rest of this run "
        "they are kept in memory."
    )
    SHARD_BROKEN = (
        "'{path}' has no readable vectors: it is damaged, or of another version. It is removed, "
        "and its documents are encoded again."
    )
    SHARD_NOT_READ = "'{path}' cannot be read, so its vectors are computed again: {error}"
    SHARD_DAMAGED = (
        "'{path}' is damaged or cut short: {damaged} of its documents are encoded again, {kept} "
        "are kept."
    )
    UPSTREAM_NOT_FROZEN = (
        "Component '{name}' uses the weights of the encoder '{upstream}', which trains, or did "
        "before it was quantized. Training spoils its vectors of whole texts. Train with frozen "
        "= true in [components.{upstream}.model], or remove upstream from [components.{name}], "
        "which then has weights of its own."
    )
    UPSTREAM_SEVERAL = (
        "Component '{name}' cannot run on the weights of '{upstream}', which has several encoders. "
        "Remove upstream from [components.{name}], which then has weights of its own."
    )
    UPSTREAM_MISSING = (
        "Component '{name}' runs on the weights of '{upstream}', but no encoder of that name "
        'stands before it in the pipeline. Add it first: nlp.add_pipe("pretrained_encoder", '
        'name="{upstream}", before="{name}") - or take upstream out of the config.'
    )
    VECTORS_OVERWRITTEN = (
        "Component '{component}' needs the vectors of '{upstream}', but '{name}' stands between "
        "them and would write over these in doc.tensor. Put '{name}' behind '{component}' and all "
        "else that listens to '{upstream}', right before what is to listen to '{name}': "
        'nlp.add_pipe("pretrained_encoder", before=...).'
    )
    REHEARSAL_NOT_BEGUN = (
        "The encoder '{name}' has no copy of what it was, which a rehearsal compares with. Call "
        "`nlp.resume_training()` while it is enabled, before the first update."
    )
    ANSWER_NOT_FINITE = (
        "A component's gradient of the vectors of '{name}' is not finite: training diverged. Lower "
        "[training.optimizer.learn_rate], set mixed_precision = false, or look for broken examples "
        "in the corpus."
    )
