"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    TWO_STOCK = (
        "The pipeline has more than one transformer: {names}. `quantize` takes pipelines with one "
        "that all components share."
    )
    STOCK_BESIDE = (
        "The pipeline has another tok2vec, '{other}', beside the transformer '{name}'. Both would "
        "write to doc.tensor. Use a pipeline whose components all listen to the transformer."
    )
    STOCK_VERSION = (
        "Component '{name}' is of {package} {version}, which is not supported: its models differ. "
        "Supported is {supported}."
    )
    STOCK_SETTING = (
        "Component '{name}' cannot be converted: its {setting} is {value}. Supported: {supported}."
    )
    STOCK_ALONE = (
        "No component listens to the transformer '{name}', so it is not known how wordpieces "
        "become vectors of tokens. `quantize` takes pipelines with a component that does, such as "
        "a tagger."
    )
    LISTENER_REPLACED = (
        "Component '{component}' has a transformer of its own, as `replace_listeners` gives it. "
        "`quantize` takes pipelines whose components share one transformer: train with listeners, "
        "or leave the component out by `nlp.remove_pipe`."
    )
    LISTENER_UNKNOWN = (
        "Component '{component}' has a part of {package} that cannot be replaced: '{part}'. "
        "Supported are {supported}, listening to '{name}' (or '*')."
    )
    LISTENER_POOLING = (
        "Component '{component}' pools wordpieces by '{pooling}'. Supported are reduce_mean and "
        "reduce_sum; others fail on tokens without wordpieces, such as line breaks."
    )
    POOLINGS_DIFFER = (
        "The components pool wordpieces in different ways: {poolings}. `quantize` takes pipelines "
        "in which all listeners have one pooling."
    )
    GRAD_FACTOR = (
        "Component '{component}' was trained with grad_factor = {grad_factor} on its listener. "
        "Annotations are the same, but if you train the new pipeline further, its factor is 1."
    )
    LISTENER_CONFIG = (
        "The config of component '{component}' has {n_blocks} listeners of {package}, but its "
        "model has {n_nodes}: they are not built from the config. This is not supported."
    )
    TOKENIZER_SLOW = (
        "Component '{name}' has a slow tokenizer ({kind}), a Python program. Supported are fast "
        'ones: train with tokenizer_config = {{"use_fast": true}}, if the model has one.'
    )
    NEEDS_SENTENCEPIECE = (
        "The tokenizer of '{name}' is read by sentencepiece and protobuf, but '{missing}' is not "
        "installed. Run: pip install sentencepiece protobuf"
    )
    VECTORS_DIFFER = (
        "The converted pipeline does not give the vectors of the original, and nothing is written. "
        "They differ by {difference:.2g} of the largest value, where {bound:g} is accepted, at "
        "token {number} ({token!r}) of: {text!r}. Please report this, with the names and versions "
        "of the transformer and its package."
    )
    TRF_DATA_MISSING = (
        "doc._.trf_data has no '{name}' in a pipeline that was converted by spacy-pretrained: it "
        "keeps one vector a token, of the last layer, and nothing of wordpieces or of a pooler. "
        "There are: last_hidden_layer_state, all_outputs, tensors[0], align, "
        "model_output.last_hidden_state and width."
    )
