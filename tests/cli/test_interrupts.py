"""Ctrl-C ends a command at once, whatever swallows it, and leaves all as it was."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import spacy

from spacy_pretrained.cli.interrupts import ends_when_interrupted

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")

# A shell has what it starts in the background ignore the signal.
START = """
import hashlib, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[0] = "spacy"
from pathlib import Path
import spacy
from spacy_pretrained.cli.interrupts import ends_when_interrupted
from spacy_pretrained.saving.pipeline_folder import NewFolder

def sleep():
    time.sleep(60)

def swallow():
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(60)

def swallow_and_go_on():
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass

def never_return_to_python():
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)

from spacy_pretrained.cli.clear_errors import clear_errors
import typer

def main(output: Path, work: str):
    with clear_errors(), ends_when_interrupted(), NewFolder(output) as folder:
        folder.save(spacy.blank("xx"))
        print("ready", flush=True)
        globals()[work]()
        folder.put_in_place()

typer.run(main)
"""


def contents(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.mark.parametrize(
    "work", ["sleep", "swallow", "swallow_and_go_on", "never_return_to_python"]
)
def test_all_is_as_before(tmp_path, work):
    spacy.blank("de").to_disk(tmp_path / "old")
    before = contents(tmp_path)
    command = [sys.executable, "-c", START, str(tmp_path / "old"), work]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    begin = time.perf_counter()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "Stopped." in said, said
    assert time.perf_counter() - begin < 4  # half of that where nothing else runs
    assert contents(tmp_path) == before


AFTERWARDS = """
import signal, sys, threading, time
import spacy, typer
from pathlib import Path
from spacy_pretrained.cli.interrupts import ends_when_interrupted
from spacy_pretrained.saving.pipeline_folder import STOPPED, NewFolder

handler = signal.default_int_handler
signal.signal(signal.SIGINT, handler)
n_threads = threading.active_count()
try:
    with ends_when_interrupted():
        signal.raise_signal(signal.SIGINT)
        time.sleep(5)
except typer.Exit as end:
    assert end.exit_code == 130
assert not STOPPED.is_set() and threading.active_count() == n_threads
assert signal.getsignal(signal.SIGINT) == handler and signal.set_wakeup_fd(-1) == -1
with ends_when_interrupted(), NewFolder(Path(sys.argv[1])) as folder:
    folder.save(spacy.blank("xx"))
    folder.put_in_place()
print("as ever")
"""


def test_what_follows_in_the_same_process_is_as_ever(tmp_path):
    # In a process of its own: it interrupts itself.
    command = [sys.executable, "-c", AFTERWARDS, str(tmp_path / "new")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "as ever" in done.stdout, done.stderr
    assert (tmp_path / "new" / "meta.json").is_file()


def test_other_errors_pass():
    with pytest.raises(ValueError, match="mine"), ends_when_interrupted():
        raise ValueError("mine")


def test_in_a_thread_it_does_nothing():
    reached = []

    def work():
        with ends_when_interrupted():
            reached.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert reached
