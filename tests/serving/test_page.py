"""The page at `/`: it asks nobody else for anything, and nothing that a pipeline says is markup to
it. A browser tries it, where there is one."""

import base64
import hashlib
import re
import shutil
import subprocess
from urllib.parse import quote, urlencode

import pytest
import spacy
from serving_client import SECONDS, TEXT, serve_in_thread
from spacy.language import Language
from spacy.tokens import Span

from spacy_pretrained.serving.page import read_page
from spacy_pretrained.serving.pipelines import Served
from spacy_pretrained.serving.settings import Settings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
browser = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
EVIL = "<img src=x onerror=document.title='broken'>"


@Language.component("says_markup")
def say_markup(doc):
    """Everything that a pipeline can say."""
    for token in doc:
        token.tag_ = token.lemma_ = EVIL
        token.dep_ = EVIL if token.i else "ROOT"
        token.head = doc[0]
    doc.ents = [Span(doc, 0, 1, EVIL)]
    doc.spans[EVIL] = [Span(doc, 0, 2, EVIL)]
    doc.cats = {EVIL: 0.5}
    return doc


def show(url: str, *options: str) -> str:
    """RETURNS: The page as it is when its script has run."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--virtual-time-budget=10000", *options, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS).stdout


def test_it_is_all_there_is(client):
    answer = client.get("/")
    page = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"// .*", "", page))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", page)
    assert not re.search(r"\son[a-z]+=", page), "the policy would not let it run"


def test_the_policy_allows_its_script_and_its_server(client):
    answer = client.get("/")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    (script,) = re.findall(rb"<script>(.*?)</script>", answer.body, re.S)
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    assert policy["script-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert read_page()[0] == answer.body


@browser
def test_it_shows_what_the_pipeline_says(client, tmp_path):
    url = f"http://127.0.0.1:{client.port}/#{urlencode({'text': TEXT})}"
    page = show(url, f"--user-data-dir={tmp_path}")
    found = page[page.index("<main") :]
    assert re.findall(r"<h2>(.*?)</h2>", found) == ["Entities", "Trees", "Tokens"]
    assert re.search(r"<mark.*?Ada.*?PERSON", found, re.S)
    assert "displacy-arrow" in found and "<td>river</td>" in found
    assert "Annotated in" in page


@browser
def test_own_labels(client, tmp_path):
    state = urlencode({"text": TEXT, "model": "zero-shot", "labels": "rivers, <b>robots</b>"})
    page = show(f"http://127.0.0.1:{client.port}/#{state}", f"--user-data-dir={tmp_path}")
    assert "<h2>Categories</h2>" in page
    assert "<td>rivers</td>" in page and "<td>&lt;b&gt;robots&lt;/b&gt;</td>" in page


@browser
def test_what_looks_like_markup_is_shown_as_text(tmp_path):
    nlp = spacy.blank("xx")
    nlp.add_pipe("says_markup")
    with serve_in_thread([Served("evil", nlp, "")], Settings(pipelines=())) as client:
        url = f"http://127.0.0.1:{client.port}/#text={quote(EVIL + ' and more')}"
        page = show(url, f"--user-data-dir={tmp_path}")
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert [title.partition(":")[0] for title in titles] == [
        *("Categories", "Entities", "Spans", "Trees", "Tokens")
    ]
    assert "<title>evil" in page
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror") > 10


@browser
def test_errors_and_keys_are_said(syntax, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("a-key-0123456789")
    with serve_in_thread([syntax], Settings(pipelines=(), key_file=str(keys))) as client:
        page = show(f"http://127.0.0.1:{client.port}/#text=a", f"--user-data-dir={tmp_path / 'b'}")
    assert re.search(r'<p id="said"[^>]*class="error">Send the key', page)
    assert re.search(r'<div id="key-row">', page)
