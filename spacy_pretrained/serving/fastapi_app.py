"""The endpoints of the server, as a FastAPI application behind its guard."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from .annotate import FAULTS_OF_CLIENTS, WAITED, Annotated, Failed
from .asked import AskedFor, Refused, parse_body, read_body
from .batching import Full, Job
from .errors import Answers
from .guard import GONE, App, Guard, Note, to_error
from .page import read_page
from .parts import Parts
from .pictures import draw
from .schemas import ANSWER, MODELS, as_request, as_responses, describe_request

# FastAPI would give addresses, and errors with their messages, to whatever collects telemetry in
# this process. Older versions have none, and take no notice of the setting.
NO_TELEMETRY = dict.fromkeys(
    ("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False
)
# Seconds after which a client may ask again.
AGAIN = {"Retry-After": "1"}


class PlainRoute(APIRoute):
    """Gives its endpoint the request. FastAPI would look for parameters, of which there are none:
    that took a fifth of the event loop's time."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:
        return self.endpoint


def build_app(parts: Parts, keys: Sequence[bytes]) -> App:
    """keys: One of them has to come with a request; none for all to be let in."""
    # Its /docs and /redoc would load scripts from another host.
    app = FastAPI(
        title="spacy-pretrained",
        version=version("spacy-pretrained"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    app.router.route_class = PlainRoute
    names = [one.name for one in parts.served]
    described = [one.describe() for one in parts.served]

    def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        body = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Response(body.encode(), status, headers, "application/json")

    def not_ready() -> Response:
        return answer(to_error("not_ready", Answers.NOT_READY), 503, AGAIN)

    @app.exception_handler(Refused)
    async def refuse(request: Request, error: Refused) -> Response:
        return answer(to_error(error.code, error.message), error.status, error.headers)

    @app.exception_handler(HTTPException)
    async def refuse_path(request: Request, error: HTTPException) -> Response:
        message = {404: Answers.NOT_FOUND, 405: Answers.METHOD}.get(error.status_code)
        code = {404: "not_found", 405: "method"}.get(error.status_code, "refused")
        content = to_error(code, message or Answers.FAILED)
        return answer(content, error.status_code, dict(error.headers or {}))

    @app.exception_handler(ClientDisconnect)
    async def leave(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=GONE)

    @app.exception_handler(Exception)
    async def fail(request: Request, error: Exception) -> Response:
        return answer(to_error("failed", Answers.FAILED), 500)

    async def annotate_asked(request: Request) -> tuple[AskedFor, Job] | None:
        """None if the client has gone."""
        note: Note = request.scope["note"]
        asked = await _read(request, parts)
        note.model = asked.key.served.name
        note.n_texts, note.n_characters = len(asked.texts), sum(map(len, asked.texts))
        job = Job(asked.key, [(text, asked.what) for text in asked.texts], asked.failed)
        try:
            parts.annotator.submit(job)
        except Full:
            raise Refused(503, "full", Answers.FULL, AGAIN) from None
        return (asked, job) if await _wait(request, job, parts) else None

    def answer_annotated(asked: AskedFor, job: Job, **more: Any) -> Response:
        model = asked.key.served
        docs = [
            one.record if isinstance(one, Annotated) else to_error(one.code, one.message)
            for one in job.outcomes
        ]
        status = find_status(job.outcomes)
        content = {"model": model.name, "version": model.version, "docs": docs, **more}
        return answer(content, status, AGAIN if status == 503 else None)

    @app.post(
        "/v1/annotate",
        summary="Annotate a text, or several",
        openapi_extra=as_request(describe_request(names, parts.settings.limits)),
        responses=as_responses(
            ANSWER,
            s400="The body is not JSON, or the Host header is not of this server",
            s401="The key is missing or wrong",
            s408="The body took too long",
            s413="The body is too large",
            s415="The body is not said to be JSON",
            s422="The body asks for what there is not, or no text of it can be annotated",
            s500="All texts failed by a fault of the server",
            s503="Too many texts are waiting, or all of these have waited too long",
        ),
        response_class=Response,
    )
    async def annotate(request: Request) -> Response:
        done = await annotate_asked(request)
        return answer_annotated(*done) if done else Response(status_code=GONE)

    @app.post("/v1/pictures", include_in_schema=False)
    async def pictures(request: Request) -> Response:
        """For the page: the same, and displaCy's pictures of each record."""
        done = await annotate_asked(request)
        if not done:
            return Response(status_code=GONE)
        drawn = [
            draw(one.record) if isinstance(one, Annotated) else None for one in done[1].outcomes
        ]
        return answer_annotated(*done, pictures=drawn)

    @app.get("/v1/models", summary="The pipelines", responses=as_responses(MODELS))
    async def models(request: Request) -> Response:
        return answer({"models": described})

    @app.get("/health/live", summary="Whether the process works")
    async def live(request: Request) -> Response:
        return answer({"live": True}) if parts.annotator.is_alive else not_ready()

    @app.get("/health/ready", summary="Whether it takes requests")
    async def ready(request: Request) -> Response:
        is_ready = parts.state.ready and not parts.state.ending
        return answer({"ready": True}) if is_ready else not_ready()

    @app.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def metrics(request: Request) -> Response:
        return Response(parts.board.render(), media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        content, policy = read_page()
        headers = {"Content-Security-Policy": policy}
        return Response(content, headers=headers, media_type="text/html")

    hosts = parts.settings.allowed_hosts
    return Guard(app, hosts, keys, parts.row, lambda: parts.state.ending)


async def _read(request: Request, parts: Parts) -> AskedFor:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "content_type", Answers.CONTENT_TYPE)
    limits = parts.settings.limits
    body = await read_body(request, limits)
    session = request.headers.get("x-session")
    return parse_body(body, limits, parts.served, parts.settings.weights, session)


async def _wait(request: Request, job: Job, parts: Parts) -> bool:
    """Whether there are all outcomes before the client goes. Texts that wait for too long, or for
    nobody, are not annotated any more."""
    if job.is_done:  # all texts have failed before
        return True
    seconds = parts.settings.limits.seconds
    waited = Failed(WAITED, Answers.WAITED.format(seconds=seconds))
    timer = asyncio.get_running_loop().call_later(seconds, parts.annotator.drop, job, waited)
    # The body has been read: what is received now is that the client has gone.
    gone = asyncio.ensure_future(request.receive())
    gone.add_done_callback(lambda _: job.waited_for.set())
    try:
        await job.waited_for.wait()
        return job.is_done
    finally:
        timer.cancel()
        gone.cancel()
        parts.annotator.drop(job, waited)


def find_status(outcomes: Sequence[Annotated | Failed]) -> int:
    """Of a whole answer: 200 if there is a record, or nothing was asked. Otherwise 422 if the
    client has to change something, 503 if it may try again, and 500 if all is our fault."""
    codes = {one.code for one in outcomes if isinstance(one, Failed)}
    if not codes or any(isinstance(one, Annotated) for one in outcomes):
        return 200
    if codes & FAULTS_OF_CLIENTS:
        return 422
    return 503 if WAITED in codes else 500
