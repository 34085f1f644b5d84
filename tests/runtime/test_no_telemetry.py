"""Nothing is sent anywhere, and no process is forked for it."""

import json
import subprocess
import sys

import pytest
from tiny_pipelines import make_examples, make_nlp, train

PROGRAM = """
import json, sys

seen = []
SENT = {"os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "socket.getaddrinfo"}
sys.addaudithook(lambda event, arguments: seen.append(event) if event in SENT else None)

import spacy
from spacy_pretrained.quantize import quantize_pipeline

nlp = spacy.load(sys.argv[1])
seen.clear()  # what torch does to find its libraries
quantized = quantize_pipeline(nlp, ["Ada sees the old river."] * 30)
quantized("Ada sees rivers.")
for name in ("openvino", "nncf"):
    assert name in sys.modules
print(json.dumps([seen, "openvino_telemetry" in sys.modules]))
"""


@pytest.mark.slow
def test_nothing_is_sent(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, "pretrained_tagger")
    train(nlp, make_examples(nlp), 2)
    nlp.to_disk(tmp_path)
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert json.loads(found.stdout.splitlines()[-1]) == [[], False]


def test_what_is_imported_already_stays():
    program = (
        "import openvino_telemetry, sys;"
        "from spacy_pretrained.runtime.no_telemetry import import_openvino;"
        "import_openvino(); assert sys.modules['openvino_telemetry'] is openvino_telemetry"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"CI": "true"})


def test_others_may_import_it_afterwards():
    program = (
        "from spacy_pretrained.runtime.no_telemetry import import_openvino, import_nncf;"
        "import_openvino(); import openvino_telemetry; print(openvino_telemetry.Telemetry)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
