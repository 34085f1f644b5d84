"""Check the built documentation: no page asks another host for anything, and no link is broken.

    python scripts/check_site.py site

`zensical build --strict` takes links that lead out of docs/ for good ones; here they are errors.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

REMOTE = re.compile(r"^(https?:)?//", re.IGNORECASE)
REMOTE_IN_CSS = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
URL = re.compile(r"https?://([\w.-]+)([\w./@-]*)")
# Attributes that a browser follows by itself. A link's href counts unless it only names something.
LOADS = {"src", "srcset", "data", "poster"}
NAMES_ONLY = {"canonical", "next", "prev", "author", "license"}
NAMESPACES = {"www.w3.org", "fontawesome.com"}  # identifiers and comments, never requested
# What the theme's script fetches, and what has to be on a page for it to do so. The polyfill is
# fetched by browsers that have no ResizeObserver: none since 2020.
FETCHED_FOR = {
    "unpkg.com/mermaid": "mermaid",
    "unpkg.com/glightbox": "glightbox",
    "unpkg.com/pyodide": "pyodide",
    "cdn.jsdelivr.net/pyodide": "pyodide",
    "unpkg.com/ace-builds": "pyodide",
    "api.github.com/": "md-source",
    "unpkg.com/resize-observer-polyfill": None,
}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.classes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids.add(values.get("id", ""))
        self.classes.update(values.get("class", "").split())
        self.loads += [value for name, value in values.items() if name in LOADS]
        if tag == "link" and not NAMES_ONLY.intersection(values.get("rel", "").split()):
            self.loads.append(values.get("href", ""))
        if tag == "a":
            self.links.append(values.get("href", ""))


def find_faults(site: Path) -> list[str]:
    """What is wrong with a built site, a line for each fault."""
    site = site.resolve()
    pages = {path: Page(path.read_text("utf8")) for path in sorted(site.rglob("*.html"))}
    if not pages:
        return [f"{site} has no pages: build the site first."]
    faults = []
    for path, page in pages.items():
        faults += [f"{path} loads {url}" for url in page.loads if REMOTE.match(url)]
        if path.name != "404.html":  # its links start at the root of a host
            broken = (link for link in page.links if is_broken(path, link, pages, site))
            faults += [f"{path} links to {link}, which is not there" for link in broken]
    for path in (*pages, *sorted(site.rglob("*.css"))):
        faults += [f"{path} loads {url}" for url in REMOTE_IN_CSS.findall(path.read_text("utf8"))]
    classes = set().union(*(page.classes for page in pages.values()))
    for path in sorted(site.rglob("*.js")):
        faults += find_fetches(path, classes)
    return faults


def is_broken(path: Path, link: str, pages: dict[Path, Page], site: Path) -> bool:
    """Whether a link leads out of the site, to nothing, or to an anchor that is not there."""
    if REMOTE.match(link) or re.match(r"\w+:", link):
        return False
    file, anchor = urldefrag(link)
    target = (path.parent / unquote(file)).resolve() if file else path
    if target.is_dir():
        target = target / "index.html"
    if site not in target.parents or not target.exists():
        return True
    return bool(anchor) and target in pages and unquote(anchor) not in pages[target].ids


def find_fetches(path: Path, classes: set[str]) -> list[str]:
    """What a script would fetch from other hosts on pages that have elements of these classes."""
    faults = []
    for host, rest in URL.findall(path.read_text("utf8")):
        if host in NAMESPACES:
            continue
        reasons = [why for start, why in FETCHED_FOR.items() if f"{host}{rest}".startswith(start)]
        if not reasons or reasons[0] in classes:
            faults.append(f"{path} fetches from {host}{rest}")
    return faults


def main() -> None:
    (site,) = map(Path, sys.argv[1:])
    faults = find_faults(site)
    print("\n".join(faults) or f"{site}: no broken links, nothing from another host")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
