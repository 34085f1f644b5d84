"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    TEACHER_TEMPERATURE = (
        "temperature has to be above 0, but it is {temperature}. 1 changes nothing."
    )
    TEACHER_TOP_K = "top_k has to be 0, for all labels, or a number of them, but it is {top_k}."
    TEACHER_NOT_THERE = (
        "The teacher '{teacher}' is no folder of a trained pipeline and no installed package. Give "
        "one as [corpora.train.teacher]; a folder is looked for from where you run the command."
    )
    TEACHER_OF_NOTHING = (
        "The teacher '{teacher}' has no component that can teach: no pretrained_tagger, "
        "biaffine_parser or pretrained_ner. Name another pipeline as [corpora.train.teacher]."
    )
    TEACHER_COMPONENT = (
        "The teacher '{teacher}' has no component '{name}' that can teach, but these: {known}. "
        "Correct [corpora.train.components]."
    )
    TEACHER_CACHE = (
        "{path} is no cache of what a teacher said, or is damaged: {error}. Remove it, or name "
        "another file as [corpora.train.cache]."
    )
    TEACHER_CACHE_OF_ANOTHER = (
        "{path} is of another teacher, or of other settings of it: it is made anew."
    )
    LINES_ENCODING = (
        "{at}: not {encoding} ({error}). Save the file as UTF-8, or say what it is encoded in: "
        "--encoding {other}, for example (in Python encoding='{other}')."
    )
    LINES_ENCODING_UNKNOWN = (
        "Python knows no encoding '{encoding}'. Usual ones are utf8, utf-16, cp1252 and latin-1."
    )
    LINES_PIPE = (
        "{path} is no file, but a pipe or a device, and what it holds is read more than once. "
        "Write it to a file first."
    )
    LINES_BROKEN = "{path} cannot be uncompressed: {error}. Get it again."
    FAULTS_MOST = "These are {n} faults; there may be more, for reading has stopped here."
    CONLLU_COLUMNS = (
        "{at}: a CoNLL-U line has 10 columns with tabs between them, this one has "
        "{found}. Tabs may have been turned into spaces, or the blank line that ends a sentence "
        "may hold spaces."
    )
    CONLLU_BLANK = (
        "{at}: a column is empty. Put '_' where there is no value; a FORM is never white space."
    )
    CONLLU_COMMENT = (
        "{at}: a comment inside a sentence. Comments stand before a sentence's "
        "first line; is the blank line that ends the sentence before missing?"
    )
    CONLLU_EMPTY = "{path} has no sentences: is it a CoNLL-U file?"
    CONLLU_NO_WORDS = "{at}: the sentence that begins here has no words."
    CONLLU_ID = (
        "{at}: the ID is '{id}', but the next word of the sentence is {expected}. "
        "IDs count from 1 in every sentence, with empty nodes (like 8.1, 8.2) behind their word; "
        "a blank line ends a sentence."
    )
    CONLLU_RANGE = (
        "{at}: the multiword token '{id}' must begin at the next word of the "
        "sentence, {expected}, not end before it begins, and not overlap another."
    )
    CONLLU_RANGE_END = (
        "{at}: the multiword token ends with word {end}, but the words of the sentence are "
        "{length}."
    )
    CONLLU_UPOS = (
        "{at}: unknown UPOS '{upos}'. Universal Dependencies knows {known}; '_' is a missing one."
    )
    CONLLU_FEATS = (
        "{at}: malformed FEATS '{feats}'. Write '_', or Name=Value pairs with "
        "different names and '|' between them."
    )
    CONLLU_HEAD = (
        "{at}: the HEAD is '{head}', but must be 0 (the root), the ID of a word of "
        "the sentence (1 to {length}), or '_' (missing)."
    )
    CONLLU_HALF_ARC = (
        "{at}: HEAD is '{head}' and DEPREL '{dep}'. A word has both, or '_' in "
        "both; a head without a known relation has the DEPREL 'dep'."
    )
    CONLLU_ROOT_LABEL = (
        "{at}: HEAD is {head} and DEPREL '{dep}'. The DEPREL 'root' goes with HEAD "
        "0, and with no other."
    )
    CONLLU_ROOTS = (
        "{at}: the sentence has several roots (HEAD 0), its words {first} and "
        "{second}. Only one word of a sentence is the root."
    )
    CONLLU_CYCLE = (
        "{at}: word {id} depends on itself, directly or by way of other words. The "
        "heads of a sentence lead to its root."
    )
    CONLLU_MAX_SENTENCES = "max_sentences must be at least 1, but it is {max_sentences}."
    CONLLU_MULTIWORD = "Unknown way with multiword tokens '{multiword}'. Choose from {known}."
    CONLLU_UNWRITABLE = (
        "Token {i} of a Doc, '{word}', has a tab or a newline in it and cannot be written as a "
        "CoNLL-U word."
    )
    CONLLU_LABEL = (
        "The entity of token {i} of a Doc, '{word}', has the label '{label}'. A label with "
        "white space or '|' cannot be written in CoNLL-U: rename it."
    )
    CONLLU_HEAD_OUTSIDE = (
        "The head of token {i} of a Doc, '{word}', is token {head_i}, '{head}', in another "
        "sentence; CoNLL-U cannot say so. Were sentence starts changed after parsing?"
    )
    TAGS_UNKNOWN = (
        "'{tag}' is not an entity tag. Tags are O, a letter with a label such as B-PER and I-PER "
        "(IOB1, IOB2), also E- and S- (BIOES) or L- and U- (BILUO), and '-' where the annotation "
        "is missing."
    )
    TAGS_SCHEME = "Unknown scheme of tags '{scheme}'. Choose from {known}."
    TAGS_LETTER = (
        "The tag '{tag}' does not belong to the scheme {scheme}, whose letters are {letters}."
    )
    TAGS_LETTERS = (
        "The tags mix BIOES (E- and S-) with BILUO (L- and U-); their letters are {letters}. Make "
        "them of one scheme."
    )
    TAGS_MIXED = (
        "The tags of entities ({entities}) follow no scheme; tags that break each "
        "one: {kinds}. The first for {scheme} is at {where}. If the file is of that scheme all the "
        "same, say so (--scheme {scheme}; in Python scheme='{scheme}'): then these places are "
        "repaired and counted."
    )
    TAGS_SPAN = (
        "The span {span} (first token, behind the last, label) overlaps another, is empty, or is "
        "not inside of the sentence (tokens: {n_tokens})."
    )
    COLUMNS_DOCUMENT = "doc_sentences must be at least 1, but it is {doc_sentences}."
    COLUMNS_EMPTY = "{path} has no words: is it a file with a token a line?"
    COLUMNS_COUNT = (
        "{at}: columns found: {found}, expected: {expected} with {separator} between them, as in "
        "the rest of the file: {line!r}"
    )
    COLUMNS_COMMENT = (
        "{at}: a comment inside a sentence. Comments stand before a sentence's first line; is the "
        "blank line that ends the sentence before missing?"
    )
    COLUMNS_INDEX = (
        "{at}: the first column of this file counts the words of a sentence, but here it is "
        "'{index}'. Take out lines that are no words, such as multiword tokens."
    )
    COLUMNS_BLANK = (
        "{at}: the word is empty or white space, but has the tag '{tag}'. Remove the line, and "
        "tag the words around it; such lines are left out only where the tag is O."
    )
    COLUMNS_UPOS = (
        "{at}: unknown UPOS '{upos}'. Universal Dependencies knows {known}; '_' is a missing one. "
        "Tags of another set go to xpos."
    )
    COLUMNS_ONE = (
        "{at}: found one column, expected a word and its tag with a tab or a space between them: "
        "{line!r}. If it is another, give it (--separator; in Python separator=...)."
    )
    COLUMNS_NO_TAG = (
        "{path}: of the {n} columns, with {separator} between them, {which} tags of entities "
        "(O, B-PER and so on). Give the columns, counted from 0: word=0, tag={last} (in Python), "
        "--word 0 --tag {last} (`python -m spacy pretrained convert columns`). CoNLL-U has none: "
        "see `python -m spacy pretrained convert conllu`."
    )
    COLUMNS_NUMBER = (
        "{path}: there is no column {name}={number}; the file has {n} columns, with {separator} "
        "between them. Columns are counted from 0, or with -1 from the last."
    )
    COLUMNS_SAME = "{path}: {one} and {other} are the same column, {number}."
    CORPUS_PATH = (
        "The corpus has no path. Set it in the config, in [paths] or [corpora], or with "
        "--paths.train and --paths.dev."
    )
    CORPUS_NOT_THERE = (
        "There is no file or folder '{path}' to read a corpus from. Correct the path, or convert "
        "the corpus first (`python -m spacy pretrained convert`)."
    )
    CORPUS_FORMAT = (
        "'{path}' is not a .spacy file. `python -m spacy pretrained convert` makes one of CoNLL-U, "
        "columns and others."
    )
    CORPUS_BROKEN = "'{path}' cannot be read, it is not a .spacy file or damaged: {error}"
    CORPUS_EMPTY = "'{path}' has no documents with words in it."
    CORPUS_SENTENCES = (
        "The corpus has gold_sentences = {gold_sentences} and gold_tokens = {gold_tokens}. It is a "
        "share of the examples, from 0 to 1, and needs gold tokens."
    )
    CORPUS_LINE_BREAKS = (
        "The corpus has lost_line_breaks = {lost_line_breaks}. It is a share of the examples, from "
        "0 to 1."
    )
    MIXED_CORPUS_PATHS = (
        "A mixed corpus has paths of one corpus or more, each once. These are: {paths}."
    )
    MIXED_CORPUS_TEMPERATURE = (
        "The mixed corpus has temperature = {temperature}. It is a number from 0 (all corpora are "
        "of one size) to 1 (nothing comes twice)."
    )
    DATASET_NOT_INSTALLED = (
        "Reading Hugging Face datasets needs the package `datasets`. Run: "
        "pip install 'spacy-pretrained[datasets]'"
    )
    DATASET_NOT_THERE = (
        "'{path}' is no file or folder here, and no name of a data set on the hub ('name' or "
        "'owner/name')."
    )
    DATASET_NOT_ON_HUB = (
        "'{path}' is on this machine, where a name and a revision have no effect: they are for "
        "datasets on the hub. Leave them out."
    )
    DATASET_FORMAT = (
        "'{path}' is of an unknown format. Files of data sets are {known}; for files with a token "
        "a line see `python -m spacy pretrained convert columns`."
    )
    DATASET_OPEN = "The split '{split}' of the data set '{path}' cannot be opened: {error}"
    DATASET_SPLIT = "The data set '{path}' has no split '{split}'. Its splits are: {splits}."
    DATASET_COLUMN = "The data set has no column '{column}'. Its columns are: {columns}."
    DATASET_EMPTY = "The data set, or this split of it, has no words."
    DATASET_NO_LABELS = "No column with labels is given: tags, upos and xpos are all None."
    DATASET_WORDS = "Row {row}: the column '{column}' has to be a list of words, but it is {value}."
    DATASET_BLANK = (
        "Row {row}: word {i} in the column '{column}' is empty or white space, but has the tag "
        "'{tag}'. Remove it, and tag the words around it; such words are left out only where the "
        "tag is O."
    )
    DATASET_LENGTHS = (
        "Row {row}: words in the column '{words}': {n}, but labels in the column '{column}': {m}. "
        "Each word needs one, -100 where it is missing."
    )
    DATASET_LABELS = (
        "Row {row}: the column '{column}' has to be a list with a label for each word, but it is "
        "{value}."
    )
    DATASET_LABEL = (
        "Row {row}: a label in the column '{column}' is {value}; it has to be a string, an "
        "integer, or None where it is missing."
    )
    DATASET_NAMES = (
        "Row {row}: a label in the column '{column}' is the integer {value}, and the data set has "
        "no names for it. Give them all as label_names (for entities), or use a column of strings."
    )
    DATASET_RANGE = (
        "Row {row}: a label in the column '{column}' is {value}, but there are {n} names, from 0 "
        "on. -100 or None is a missing label."
    )
    DATASET_UPOS = (
        "Row {row}: unknown UPOS '{upos}'. Universal Dependencies knows {known}; '_' is a missing "
        "one. Tags of another set go to xpos."
    )
    DATASET_REPAIRS = (
        "The tags of '{path}' did not keep to their scheme. Places that were repaired: {repairs}; "
        "entities: {entities}."
    )
    DATASET_LEFT_OUT = (
        "Left out of '{path}': rows without words: {empty}; rows with null in place of their "
        "labels: {rows}; words that are null or white space: {words}."
    )
    DATASET_TEXT = "Row {row}: the column '{column}' has to be a text, but it is {value}."
    DATASET_SPAN = (
        "Row {row}: an entity in the column '{column}' is {value}. It has to have a start and an "
        "end (characters) and a label that is not empty: {{'start': 0, 'end': 2, 'label': 'ORG'}} "
        "or [0, 2, 'ORG']."
    )
    DATASET_SPAN_PLACE = (
        "{at}: the entity {span} is empty or not inside of the text, which has {n} characters."
    )
    DATASET_OVERLAP = (
        "{at}: the entity {span} overlaps or crosses another one. A token belongs to one "
        "entity at most; for nested or overlapping spans use spaCy's spancat."
    )
    DATASET_SPAN_REPAIRS = (
        "Entities of '{path}': {entities}. Left out because they begin or end inside of a token, "
        "so that the annotation of their tokens counts as missing: {misaligned}. White space at "
        "their ends was removed: {trimmed}. Left out because they are nothing but white space: "
        "{blank}, or because they are there twice: {repeated}. Rows without text, left out: {rows}."
    )
    EXPORT_JSON = "{at}: no JSON: {error}. The file has an object a line, or is one list of them."
    EXPORT_OBJECT = "{at}: each record has to be an object with a text and entities, not {value}."
    EXPORT_EMPTY = "{path} has no texts with annotation."
    EXPORT_TEXT = (
        "{at}: there is no text under '{key}'; the keys are {keys}. Name the one with the text, "
        "with --text."
    )
    EXPORT_SURROGATE = (
        "{at}: character {start} of the text is half of a surrogate pair, which no UTF-8 can hold. "
        "An emoji was cut in two: export the text again, or remove that half."
    )
    EXPORT_SPANS = (
        "{at}: there are no entities under {asked}; the keys are {keys}. Name the one with the "
        "entities, with --spans."
    )
    EXPORT_SEVERAL = (
        "{at}: there are entities under several keys, {names}. Name the one to read, with --spans."
    )
    EXPORT_TEXTS = (
        "{at}: the entities are of several texts, {names}. Name the control whose entities are of "
        "'{key}', with --spans."
    )
    EXPORT_SPAN = (
        "{at}: an entity under '{key}' is {value}. It has to have a start and an end (characters) "
        "and one label, as doccano, Label Studio and Prodigy write them. Texts with labels and no "
        "entities are for `python -m spacy pretrained convert texts`."
    )
    EXPORT_MOVED = (
        "{at}: the entity {span} is '{said}' by its export, but in the text '{found}' stands "
        "there. Was the text changed after it was annotated? Export it again."
    )
    TEXTS_TABLE = (
        "{at}: the row that begins here cannot be read: {error}. A field that begins with a double "
        "quote has to end with one, and those inside of it have to be doubled. If quotation marks "
        "are text in this file, say --quoting none (in Python quoting='none')."
    )
    TEXTS_QUOTING = "Unknown quoting '{quoting}'. Choose from {known}."
    TEXTS_OF_TABLE = (
        "'{path}' is a .csv or .tsv file, and {options} would have no effect: leave out what is "
        "for datasets."
    )
    TEXTS_OF_DATASET = (
        "'{path}' is no .csv or .tsv file, and {options} would have no effect: leave out what is "
        "for these. A dataset is in UTF-8 and has names for its columns."
    )
    TEXTS_COLUMNS = (
        "Two columns of '{path}' have the same name: {names}. Name all columns with --columns, and "
        "leave out a line with names."
    )
    TEXTS_FIELDS = (
        "{at}: a row has more fields than the {n} columns that have names: {row}. Quote "
        "fields that have the delimiter in them, or give each column a name."
    )
    TEXTS_SHORT = (
        "{at}: a row has fewer fields than the {n} columns: {row}. If a line break within a text "
        "ends it, quote that text (in .tsv with --quoting quotes). If its last fields are empty, "
        "write the delimiters before them."
    )
    TEXTS_MISSING = (
        "Row {row}: the list of labels in the column '{column}' is {value}. A missing label in a "
        "list says nothing: take it out. Where all labels of a text are unknown, have null in "
        "place of the list."
    )
    TEXTS_MULTI_HOT = (
        "All lists of labels in the column '{column}' have {n} values, 0 or 1. They look like a "
        "value for each label, 1 where it holds. A list has to have the labels that hold, and no "
        "others: ['sport', 'people']."
    )
    TEXTS_LABEL = "Row {row}: the label '{label}' is not one of those that were given: {known}."
    CONVERT_KIND = (
        "'{source}' does not show what it holds. Say so before its name, by one of {kinds}: "
        "python -m spacy pretrained convert KIND IN OUT. A dataset with words and labels is "
        "'dataset', texts with labels are 'texts'."
    )
    CONVERT_OUTPUT = (
        "'{output}' has to be a .spacy file: `spacy train` reads no other. A folder is written "
        "only from a folder with train, dev and test."
    )
    CONVERT_FOLDER = (
        "'{source}' is a folder, and '{output}' a file. Give a folder to write: train.spacy and so "
        "on go there."
    )
    CONVERT_NOTHING = (
        "'{folder}' has no train.conllu, dev.conllu or test.conllu (nor en_ewt-ud-train.conllu and "
        "the like), and no files of entities: train.iob2, train.conll and so on. Give the folder "
        "with your files."
    )
    CONVERT_SEVERAL = (
        "'{folder}' has several files for {split}: {names}. Leave one, or rename it to "
        "{split}.conllu."
    )
