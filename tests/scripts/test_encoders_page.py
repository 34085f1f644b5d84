"""docs/encoders.md shows what is in checkpoints/families.json."""

import importlib.util
import json
from pathlib import Path

from families import FAMILIES, IN_INT8

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("encoders_page", ROOT / "scripts/encoders_page.py")
encoders_page = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(encoders_page)


def test_the_page_is_up_to_date():
    page = encoders_page.PAGE.read_text("utf8")
    families = json.loads(encoders_page.FAMILIES.read_text("utf8"))
    assert encoders_page.fill(page, families) == page
    families["BERT"]["openvino"] = False
    assert encoders_page.fill(page, families) != page


def test_the_table_has_every_family_that_is_tried():
    families = json.loads(encoders_page.FAMILIES.read_text("utf8"))
    assert list(families) == list(FAMILIES)
    for name, row in families.items():
        family = FAMILIES[name]
        assert row["model_type"] == family.model_type
        assert row.get("openvino", False) == (family.openvino and family.refused is None)
        assert row.get("openvino_4") == family.openvino_4
        assert ("refused" in row) == (family.refused is not None)
    assert [name for name, row in families.items() if row.get("int8")] == [
        name for name in families if name in IN_INT8
    ]
