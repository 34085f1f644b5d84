"""The package is a house of folders: imports between them point one way, and only files named
torch_* know torch, fastapi_* FastAPI, uvicorn_* uvicorn."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "spacy_pretrained"
CONFIGS = PACKAGE.with_name("configs")
MODULES = sorted(PACKAGE.rglob("*.py"))

# What a folder, or a module at the top, may import of the others. All of them may import the
# messages of `errors.py`.
MAY_IMPORT = {
    "runtime": "",
    "saving": "",
    "checkpoints": "",
    "sources": "checkpoints runtime",
    "windows": "checkpoints",
    "backends": "windows sources checkpoints runtime",
    "stock": "backends windows checkpoints saving",
    "encoder": "stock backends windows checkpoints runtime saving training",
    "annotation": "",
    "heads": "annotation runtime saving training",
    "tagger": "heads annotation saving",
    "ner": "heads annotation saving",
    "parser": "heads annotation saving",
    "lemmatizer": "heads annotation saving",
    "textcat": "heads annotation encoder backends windows checkpoints runtime saving",
    "corpora": "annotation heads ner parser textcat windows sources checkpoints runtime",
    "tokenizer": "corpora",
    "scoring": "parser textcat corpora annotation",
    "quantization": "scoring corpora encoder stock backends windows checkpoints runtime saving",
    "packaging": "quantization saving sources checkpoints runtime",
    "training": "sources checkpoints",
    "choosing": "sources checkpoints backends training",
    "benchmarking": "choosing packaging quantization training sources checkpoints runtime",
    "records": "annotation",
    "serving": "records encoder runtime saving",
    "bulk_annotation": "records quantization corpora annotation runtime saving",
    "bulk": "bulk_annotation records",
}
MAY_IMPORT["adapting"] = "bulk_annotation choosing training backends sources checkpoints"
MAY_IMPORT["adapting"] += " runtime saving"
MAY_IMPORT["searching"] = "training sources runtime saving"
MAY_IMPORT["cli"] = " ".join(MAY_IMPORT)  # commands are for what the others do
MAY_IMPORT["old_paths"] = ""  # see its __init__.py: its modules are those of the package itself
AT_THE_TOP = {"__init__.py", "errors.py", "records.py", "bulk.py"}
HEAVY = {"torch", "transformers", "nncf", "openvino", "safetensors", "matplotlib", "datasets"}
HEAVY |= {"fastapi", "starlette", "uvicorn", "accelerate", "optuna"}
# Files that say by their names what they import.
SAY_SO = {"torch_": HEAVY, "fastapi_": {"fastapi", "starlette"}, "uvicorn_": {"uvicorn"}}


def folder_of(path: Path) -> str:
    """That of a module, or the name of one at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def folders_imported(path: Path) -> set[str]:
    """Folders of the package that a module imports from, its own among them."""
    here = path.relative_to(PACKAGE.parent).with_suffix("").parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else ()
            module = (*base, *(node.module or "").split("."))
            if module[0] == PACKAGE.name:
                names = [alias.name for alias in node.names] if module[1:] in ((), ("",)) else []
                found |= {names[0] if names else module[1]}
        elif isinstance(node, ast.Import):
            parts = [alias.name.split(".") for alias in node.names]
            found |= {part[1] for part in parts if part[0] == PACKAGE.name and len(part) > 1}
    return found


def heavy_imports_at_top(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text("utf8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
    return found & HEAVY


def test_every_folder_has_its_place():
    folders = {folder_of(path) for path in MODULES if path.parent != PACKAGE}
    assert folders == {name for name in MAY_IMPORT if f"{name}.py" not in AT_THE_TOP}
    assert {path.name for path in PACKAGE.glob("*.py")} == AT_THE_TOP


def test_configs_have_no_code():
    """The folder is installed as `spacy_pretrained.configs`, hence its `__init__.py`."""
    (module,) = CONFIGS.rglob("*.py")
    assert module == CONFIGS / "__init__.py"
    assert all(isinstance(node, ast.Expr) for node in ast.parse(module.read_text("utf8")).body)


def test_the_table_has_no_circle():
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {
            f for f, names in MAY_IMPORT.items() if f not in done and set(names.split()) <= done
        }
        assert ready, f"a circle among {set(MAY_IMPORT) - done}"
        done |= ready


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_point_down(folder):
    modules = [path for path in MODULES if folder_of(path) == folder]
    assert modules
    for path in modules:
        others = folders_imported(path) - {folder, "errors", "__version__"}
        above = others - set(MAY_IMPORT[folder].split())
        assert not above, f"{path.relative_to(PACKAGE)} imports {above}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_stay_in_files_that_say_so(path):
    said = {
        name for begin, names in SAY_SO.items() if path.name.startswith(begin) for name in names
    }
    heavy = heavy_imports_at_top(path) - said
    assert not heavy, f"{path.name} imports {heavy} at its top"


NOT_INSTALLED = re.compile(r"\b(scripts|benchmarks|docs|configs)/")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_text_names_a_file_that_pip_does_not_bring(path):
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not NOT_INSTALLED.search(node.value), node.value


def test_every_entry_point_is_there():
    from importlib.metadata import distribution

    entries = distribution("spacy-pretrained").entry_points
    assert len(entries) >= 10
    for entry in entries:
        assert callable(entry.load()), entry.name
