"""`python -m spacy pretrained serve`."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors
from .unused import refuse_unused


def serve(
    context: typer.Context,
    pipelines: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=]PIPELINE …",
            help="Folders or packages; requests name a pipeline by NAME, by default LANG_NAME",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any")
    ] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that annotate; they share the cores")] = 1,
    weights: Annotated[
        str | None,
        typer.Option(
            help="How to divide the requests that name no pipeline: a=9,b=1. Those with the same "
            "X-Session header go to the same pipeline. By default, the first pipeline gets all"
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File with one key per line; requests must have one of them")
    ] = None,
    no_key: Annotated[
        bool, typer.Option("--no-key", help="Let anybody in who can reach --host")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Name that the Host header may have; repeatable"),
    ] = None,
    pid_file: Annotated[Path | None, typer.Option(help="File for the process id")] = None,
    reload: Annotated[
        Path | None,
        typer.Option(
            metavar="PIDFILE",
            help="Tell the server with this --pid-file to load its pipelines again, and exit",
        ),
    ] = None,
    max_body: Annotated[int, typer.Option(help="Most bytes in a request")] = 4_000_000,
    max_texts: Annotated[int, typer.Option(help="Most texts in a request")] = 256,
    max_characters: Annotated[int, typer.Option(help="Most characters in a text")] = 20_000,
    max_waiting: Annotated[int, typer.Option(help="Most texts that wait in a worker")] = 1_000,
    timeout: Annotated[float, typer.Option(help="Most seconds that a text waits")] = 30.0,
) -> None:
    """Serve pipelines over HTTP, with a web page to try them.

    It needs the extra `serve`: FastAPI and uvicorn.

    Example: python -m spacy pretrained serve training/model-int8 --workers 2
    """
    with clear_errors():
        from ..serving.pid_file import reload_server
        from ..serving.serve import check_forks
        from ..serving.serve import serve as serve_settings
        from ..serving.settings import (
            Limits,
            Settings,
            check_host_name,
            parse_pipeline,
            parse_weights,
        )

        if reload is not None:
            others = {param.name for param in context.command.params} - {"reload"}
            refuse_unused(context, others, "with --reload, for the server keeps its settings")
            check_forks()
            process = reload_server(reload)
            msg.good(
                f"Told server {process} to load its pipelines again. Its log says when it is done."
            )
            return
        settings = Settings(
            pipelines=tuple(map(parse_pipeline, pipelines or ())),
            weights=parse_weights(weights) if weights is not None else {},
            workers=workers,
            host=host,
            port=port,
            allowed_hosts=tuple(map(check_host_name, allow_host or ())),
            key_file=None if api_key_file is None else str(api_key_file),
            limits=Limits(max_body, max_texts, max_characters, max_waiting, timeout),
        )
        code = serve_settings(settings, no_key=no_key, pid=pid_file)
    raise typer.Exit(code)
