"""The layers point one way, and only files named torch_* know torch."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "spacy_pretrained"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Bottom first. A module may import those of lower layers, and nothing else of the package.
LAYERS = [
    ["errors", "__init__", "resizing", "lbfgs", "cores", "doc_stream", "no_telemetry"],
    ["bootstrap", "pipeline_folder", "throughput", "blas_threads"],
    [
        "wordpieces",
        "windows",
        "bioes",
        "doc_arrays",
        "mst",
        "losses",
        "confidence",
        "sentences",
        "label_set",
        "directions",
        "entailment_labels",
    ],
    [
        "catalogue",
        "conll18",
        "training_logger",
        "lemmatizer_trees",
        "gold",
        "calibration",
        "noun_chunks",
        "tag_schemes",
        "textcat_scorer",
        "label_calibration",
        "label_settings",
    ],
    ["alignment", "checkpoint", "vector_shards", "column_layout", "conllu_rows", "corpus"],
    ["column_rows", "window_batches"],
    [
        "torch_device",
        "linear",
        "orth",
        "biaffine",
        "listener",
        "token_vectors",
        "window_plan",
        "text_plan",
        "feature_cache",
        "columns",
        "conllu",
        "dataset_source",
        "textcat_gold",
        "mixing",
        "contrastive",
        "few_shot_batches",
    ],
    ["dataset", "span_dataset", "doc_vectors", "pair_plan", "few_shot_head"],
    ["torch_weights", "openvino_backend"],
    ["torch_backend"],
    ["backbone", "torch_entailment"],
    [
        "encoder",
        "sentence_encoder",
        "tagger_model",
        "textcat_model",
        "parser_model",
        "torch_export",
        "ner_model",
        "parser_gold",
        "ner_gold",
        "parser_scorer",
        "head_pipe",
    ],
    ["similarity_model", "entailment_model"],
    ["few_shot_model"],
    ["few_shot_training"],
    ["pipes", "calibration_texts", "score_counts", "quantization_recipes", "quantizable"],
    ["quantization_gate"],
    ["quantize"],
    ["quantize_command"],
    ["cli"],
]
HEAVY = {"torch", "transformers", "nncf", "openvino", "safetensors", "matplotlib", "datasets"}


def name_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE).with_suffix("")
    return relative.parts[0] if len(relative.parts) > 1 else relative.name


def level_of(name: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if name in layer)


def imports_of(tree: ast.Module, *, top_only: bool) -> set[str]:
    """Modules that are imported: of this package as ".name", others by their first part."""
    nodes = tree.body if top_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {"." + name.split(".")[0] for name in names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    tree = ast.parse(path.read_text("utf8"))
    own = name_of(path)
    for imported in imports_of(tree, top_only=False):
        if imported.startswith("."):
            assert level_of(imported[1:]) < level_of(own), f"{own} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_stay_in_files_that_say_so(path):
    if path.name.startswith("torch_"):
        return
    heavy = imports_of(ast.parse(path.read_text("utf8")), top_only=True) & HEAVY
    assert not heavy, f"{path.name} imports {heavy} at its top"


def test_every_entry_point_is_there():
    from importlib.metadata import distribution

    entries = distribution("spacy-pretrained").entry_points
    assert len(entries) >= 10
    for entry in entries:
        assert callable(entry.load()), entry.name
