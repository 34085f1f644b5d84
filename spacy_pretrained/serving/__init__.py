"""Pipelines over HTTP: `python -m spacy pretrained serve`.

    supervisor.py     opens the socket, replaces generations, serves nothing
    → generation.py   loads the pipelines and forks workers on the socket
      → worker.py     one of them: an event loop, and one annotating thread
        → guard.py        every request: host, key, log, figures
        → fastapi_app.py  the endpoints
        → batching.py     the texts that wait, and the thread that takes them in batches
        → annotate.py     a stream of batches: the engine has one, the other components another

FastAPI and uvicorn come with the extra `serve` and are imported inside functions.
"""
