"""scripts/check_site.py: what asks another host for something, and broken links, are found."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def check(monkeypatch, tmp_path):
    """What the checker says of a page with this body, a style sheet and a script."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    checker = importlib.import_module("check_site")

    def find_faults(body="", css="", script=""):
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other" / "index.html").write_text('<h2 id="there">There</h2>', "utf8")
        (tmp_path / "index.html").write_text(body, "utf8")
        (tmp_path / "style.css").write_text(css, "utf8")
        (tmp_path / "script.js").write_text(script, "utf8")
        return checker.find_faults(tmp_path)

    return find_faults


@pytest.mark.parametrize(
    "body",
    [
        '<a href="https://spacy.io">a link that a reader may follow</a>',
        '<a href="other/#there">there</a> <a href="other/">other</a> <a href="mailto:a@b.c">m</a>',
        '<link rel="stylesheet" href="./style.css"><img src="./style.css">',
        '<link rel="canonical" href="https://example.org/">',
    ],
)
def test_what_is_fine(check, body):
    assert check(body) == []


@pytest.mark.parametrize(
    "body",
    [
        '<script src="https://cdn.example.org/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example.org/css">',
        '<link rel="preconnect" href="https://fonts.example.org">',
        '<img src="HTTP://example.org/badge.svg">',
        '<img srcset="//example.org/a.png 2x">',
        '<p style="background: url(https://example.org/a.png)">',
    ],
)
def test_what_a_browser_would_load(check, body):
    (fault,) = check(body)
    assert "loads" in fault and "example.org" in fault.lower()


@pytest.mark.parametrize("link", ["nowhere/", "other/#nowhere", "#nowhere", "../out/of/the/site"])
def test_broken_links(check, link):
    (fault,) = check(f'<a href="{link}">x</a>')
    assert link in fault


def test_style_sheets(check):
    (fault,) = check(css="@import '//example.org/a.css';")
    assert "example.org/a.css" in fault
    assert check(css="a { background: url(data:image/svg+xml;http://www.w3.org/2000/svg) }") == []


def test_scripts(check):
    fetch = 'load("https://unpkg.com/mermaid@12/dist/mermaid.min.js")'
    assert check("<pre>graph</pre>", script=fetch) == []
    assert len(check('<pre class="mermaid">graph</pre>', script=fetch)) == 1
    assert len(check(script='fetch("https://example.org/count")')) == 1


def test_no_site(check, tmp_path):
    (tmp_path / "empty").mkdir()
    (fault,) = importlib.import_module("check_site").find_faults(tmp_path / "empty")
    assert "build the site first" in fault
