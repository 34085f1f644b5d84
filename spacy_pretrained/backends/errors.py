"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    OPENVINO_TOO_OLD = (
        "The encoder's model was written by OpenVINO {version}, and the one at hand, {here}, "
        "cannot run it: {error}. Run: pip install 'openvino>={version}'"
    )
    WEIGHTS_MISMATCH = (
        "The weights in {name} do not fit config.json: {error}. They seem to be of another model."
    )
    WEIGHTS_NOT_FINITE = (
        "The saved encoder's {name} has numbers that are NaN or infinite: its training diverged, "
        "or the file is damaged. Load an earlier copy of the pipeline, or train it again with a "
        "lower learning rate."
    )
    CONFIG_BROKEN = (
        "The saved encoder's config.json is damaged or changed: {error}. Copy or install the "
        "pipeline again."
    )
    INPUTS_MISSING = (
        "The encoder's model.xml takes the inputs {found}, and not {missing}: it is damaged or "
        "changed, or the model of something else. Copy or install the pipeline again."
    )
    MODEL_REMOTE_CODE = (
        "The model in '{source}' is Python code of its authors ({code}), which needs "
        "trust_remote_code. It is not supported: code of a model is never run. Use a model of a "
        "kind that transformers has itself, such as BERT, RoBERTa, DeBERTa or ModernBERT."
    )
    TOKENIZER_NOT_FAST = (
        "The tokenizer of '{source}' ({name}) is not a fast one: it gives no character offsets. "
        "Use a model whose folder has a tokenizer.json, or convert it with "
        "`AutoTokenizer.from_pretrained(...).save_pretrained(...)` where transformers can."
    )
    TOKENIZER_MISSING = (
        "The folder '{source}' has no tokenizer.json, and no vocabulary to make one of. Save the "
        "model's tokenizer there: `AutoTokenizer.from_pretrained(...).save_pretrained(folder)`."
    )
    TOKENIZER_TOO_LARGE = (
        "The tokenizer of '{source}' has pieces that its model has no vectors of: '{piece}' is "
        "number {number}, and there are {n_vectors}. Is it the tokenizer of this model? If pieces "
        "were added to it, call `model.resize_token_embeddings(len(tokenizer))`, and save both."
    )
    MODEL_NO_MASK = (
        "'{name}' ignores the attention mask, so that padding would change its vectors. Use "
        "another encoder."
    )
    MODEL_NO_ENCODER = (
        "'{name}' is not a text encoder with one vector for each wordpiece. Use a model such as "
        "BERT, RoBERTa, DeBERTa or ModernBERT."
    )
    MODEL_FAILS = (
        "'{name}' cannot be used as an encoder of text. It was tried on a short text, and failed: "
        "{error}.{hint} Use a model such as BERT, RoBERTa, DeBERTa or ModernBERT."
    )
    MODEL_NO_VECTORS = (
        "'{name}' gives no vector for each wordpiece (no last_hidden_state), only: {found}. Use a "
        "model such as BERT, RoBERTa, DeBERTa or ModernBERT."
    )
    MODEL_NO_PIECES = (
        "'{name}' has no vectors of wordpieces: it reads characters or something else. Use a model "
        "such as BERT, RoBERTa, DeBERTa or ModernBERT."
    )
    MODEL_BLIND = (
        "'{name}' does not work here: the vector of a wordpiece does not depend on the text around "
        "it. Some models need a GPU for that. Use a model such as BERT, RoBERTa, DeBERTa or "
        "ModernBERT."
    )
    MODEL_SHAPE = (
        "'{name}' does not give one vector for each wordpiece: of a text, vectors of the shape "
        "{expected} were expected, and it gave {shape}. Use a model such as BERT, RoBERTa, DeBERTa "
        "or ModernBERT."
    )
    MODEL_NOT_FINITE = (
        "'{name}' gives vectors that are NaN or infinite, even of a short text. Its weights are "
        "damaged, or do not belong to its config.json. Download the model again."
    )
    MODEL_CAUSAL = (
        "'{name}' is a causal model: the vector of a wordpiece depends on the text to its left "
        "only, never on what follows. Taggers, parsers and entity recognizers need both sides. "
        "Expect lower scores than with an encoder of the same size, such as BERT or ModernBERT."
    )
    NO_CHECKPOINTING = (
        "gradient_checkpointing = true, but '{name}' has no layers that can be computed again one "
        "by one. Set gradient_checkpointing = false. To save memory, use smaller batches with "
        "accumulate_gradient, or freeze_layers."
    )
    SETTING_FAILS = (
        "'{name}' cannot be trained with {settings}: its first update failed ({error}). Set "
        "{instead} in the encoder's [components.….model]."
    )
    TOKENIZER_SMALL = (
        "The tokenizer of '{source}' has {n_pieces} pieces, but its model has {n_vectors} vectors. "
        "It is probably the tokenizer of another model. If so, copy tokenizer.json from the "
        "model's original files."
    )
    TOKENIZER_NO_SPECIAL = (
        "The tokenizer of '{name}' puts no special pieces, such as [CLS] and [SEP], around a text: "
        "its tokenizer.json has no post-processor. tokenizer.json counts, so the encoder runs "
        "without them, although it was probably pretrained with them. Save the tokenizer again: "
        "`AutoTokenizer.from_pretrained(...).save_pretrained(folder)`."
    )
    NEEDS_TORCH = (
        "This pipeline's encoder runs on torch, and '{name}' is not installed. Run: "
        "pip install 'spacy-pretrained[train]' - or use the pipeline's quantized variant, which "
        "needs no torch."
    )
    FREEZE_LAYERS = (
        "freeze_layers = {freeze_layers}, but of the layers of '{name}', no more than {n_layers} "
        "can be frozen one by one."
    )
    DEVICE_UNKNOWN = (
        "Unknown device '{device}' for the encoder. Use 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'."
    )
    DEVICE_MISSING = (
        "The encoder is set to train on device '{device}', which is not available. Set device = "
        '"auto" in the encoder\'s [components.….model], or install a torch with support for it.'
    )
    DEVICE_FALLBACK = (
        "This pipeline was saved with its encoder on device '{device}', which is not available: "
        "it runs on the CPU."
    )
    GRADIENT_NOT_FINITE = (
        "The encoder's gradient is not finite (norm {norm}): training diverged. Lower "
        "[training.optimizer.learn_rate] and the encoder's learn_rate_factor, which stands for a "
        "rate by the encoder's size if it is null, set mixed_precision = false, or look for "
        "broken examples in the corpus."
    )
    SETTING_TOO_SMALL = "The encoder's setting {name} = {value} has to be at least {least}."
    HEADS = (
        "The encoder's width = {width} cannot be split among heads = {heads}. Set width to a "
        "multiple of heads."
    )
    SCRATCH_SIZE = (
        "The saved encoder has {name} = {saved}, but the config says {value}. Set {name} = {saved} "
        "in the encoder's [components.….model], or train it again."
    )
    BACKEND_DOES_NOT_TRAIN = (
        "This backend takes weights from a trained pipeline only: use `from_files`."
    )
    BACKBONE_ALONE = "The backbone runs as a part of the encoder's model, never alone."
    ENTAILMENT_NO_HEAD = (
        "The weights in '{folder}' are not those of a classifier of texts: there is no {tensor}. "
        "Give a model that was trained for entailment (NLI) as source, such as "
        "'FacebookAI/roberta-large-mnli'."
    )
    LEARN_RATE_FACTOR = (
        "learn_rate_factor has to be 0 or more, and finite, but it is {learn_rate_factor}: it "
        "multiplies the learning rate."
    )
