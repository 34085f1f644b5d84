"""The page at `/`: one file, which asks nobody but this server for anything."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

# displaCy's markup has styles in it, which need 'unsafe-inline'. No script but the page's own runs,
# whatever markup there is.
POLICY = (
    "default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def read_page() -> tuple[bytes, str]:
    """The page and its Content-Security-Policy."""
    page = Path(__file__).with_name("page.html").read_bytes()
    script = re.search(rb"<script>(.*?)</script>", page, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    return page, POLICY.format(digest=digest)
