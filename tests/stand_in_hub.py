"""A stand-in for the model hub on this machine: what huggingface_hub asks for, and what can go
wrong on the way."""

import hashlib
import http.server
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SMALLEST_LFS = 10_000  # bytes; larger files have a SHA-256 on the hub


@dataclass
class StandInHub:
    """Serves folders as models. Faults may be set at any time."""

    models: dict[str, Path]  # by owner/name
    refs: dict[str, str] = field(default_factory=lambda: {"main": COMMIT})  # commits of branches
    break_at: dict[str, int] = field(default_factory=dict)  # file: bytes after which it breaks off
    breaks: int = 10**9  # how often
    says_larger: set[str] = field(default_factory=set)  # files that are shorter than it says
    changes: set[str] = field(default_factory=set)  # files that arrive with one other byte
    status: int = 0  # of every answer, if not 0
    code: str = ""  # X-Error-Code with it
    token: str = ""  # that is needed, if not empty
    requests: list[str] = field(default_factory=list)  # "METHOD /path"
    headers: list[dict[str, str]] = field(default_factory=list)  # names in lower case

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), lambda *args: Answer(*args, hub=self)
        )
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def files_sent(self) -> list[str]:
        """Names of the files that were asked for, one for each time."""
        sent = [r.split("/resolve/")[1] for r in self.requests if r.startswith("GET /owner")]
        return [path.split("/", 1)[1] for path in sent]


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *args, hub: StandInHub):
        self.hub = hub
        super().__init__(*args)

    def do_GET(self) -> None:
        hub = self.hub
        hub.requests.append(f"{self.command} {self.path}")
        hub.headers.append({name.lower(): value for name, value in self.headers.items()})
        if hub.status:
            self.refuse(hub.status, hub.code)
            return
        if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self.refuse(401, "RepoNotFound")  # as the hub does of private models
            return
        path = unquote(self.path.split("?")[0]).strip("/")
        is_api = path.startswith("api/models/")
        owner, name, kind, *rest = [*path.removeprefix("api/models/").split("/"), "", "", ""]
        folder = hub.models.get(f"{owner}/{name}")
        rest = [part for part in rest if part]
        commit = hub.refs.get(rest[0] if rest else "main", rest[0] if rest else "")
        if folder is None:
            self.refuse(404, "RepoNotFound")
        elif commit not in hub.refs.values():
            self.refuse(404, "RevisionNotFound")
        elif is_api:
            self.send_listing(folder, f"{owner}/{name}", commit)
        elif kind == "resolve" and (folder / "/".join(rest[1:])).is_file():
            self.send_file("/".join(rest[1:]), folder, commit)
        else:
            self.refuse(404, "EntryNotFound")

    do_HEAD = do_GET

    def send_listing(self, folder: Path, name: str, commit: str) -> None:
        files = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            file = {"rfilename": path.relative_to(folder).as_posix(), "size": len(content)}
            file["blobId"] = hashlib.sha1(content).hexdigest()
            if len(content) >= SMALLEST_LFS:
                digest = hashlib.sha256(content).hexdigest()
                file["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            files.append(file)
        listing = {"_id": "1", "id": name, "sha": commit, "siblings": files, "tags": []}
        self.send(json.dumps(listing).encode(), {"Content-Type": "application/json"})

    def send_file(self, name: str, folder: Path, commit: str) -> None:
        content = (folder / name).read_bytes()
        large = len(content) >= SMALLEST_LFS
        etag = (hashlib.sha256 if large else hashlib.sha1)(content).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        start = int(self.headers.get("Range", "bytes=0-").split("=")[1].split("-")[0])
        if start:
            end = len(content) - 1
            headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        if large:
            headers |= {"X-Linked-ETag": f'"{etag}"', "X-Linked-Size": str(len(content))}
        if name in self.hub.changes:
            content = bytes([content[0] ^ 1]) + content[1:]
        if name in self.hub.says_larger:
            content = content[:-1]
            headers.pop("X-Linked-Size", None)
        self.send(content[start:], headers, self.hub.break_at.get(name), 206 if start else 200)

    def send(
        self,
        content: bytes,
        headers: dict[str, str],
        break_at: int | None = None,
        status: int = 200,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "GET":
            return
        if break_at is not None and self.hub.breaks > 0:
            self.hub.breaks -= 1
            self.wfile.write(content[:break_at])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
        else:
            self.wfile.write(content)

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args) -> None:
        """Say nothing."""
