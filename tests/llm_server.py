"""A server of our own on 127.0.0.1 that speaks enough of OpenAI's API to answer, and to fail in every way wanted."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Reply:
    """What the server does with one request."""

    def __init__(self, text="", *, status=200, body=None, finish="stop", headers=(), wait_s=0.0, claim=0, drop=False):
        self.status = status
        self.headers = dict(headers)
        self.wait_s = wait_s  # before it answers
        self.claim = claim  # so many bytes more than it sends
        self.drop = drop  # closes the connection without an answer
        completion = {
            "id": "1", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}],
        }  # fmt: skip
        self.body = (json.dumps(completion) if body is None else body).encode()


class Talk:
    """What was asked, and what is still to be answered; the last reply is repeated."""

    def __init__(self, replies, models):
        self.replies = list(replies)
        self.models = models
        self.requests = []
        self.keys = []
        self.stopped = threading.Event()

    def next(self):
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def serving(*replies, models=("m",)):
    """The base URL of a server and its Talk; texts are replies too. It stops at the end of the block."""
    talk = Talk([reply if isinstance(reply, Reply) else Reply(reply) for reply in replies], models)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self):
            listed = [{"id": name, "object": "model", "created": 0, "owned_by": "us"} for name in talk.models]
            self.send(Reply(body=json.dumps({"object": "list", "data": listed})))

        def do_POST(self):
            talk.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            talk.keys.append(self.headers.get("Authorization"))
            self.send(talk.next())

        def send(self, reply):
            talk.stopped.wait(reply.wait_s)
            if reply.drop:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + reply.claim))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", talk
    finally:
        talk.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
