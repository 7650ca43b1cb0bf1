#!/usr/bin/env bash
# A Python client made by openapi-python-client treats a documented answer in JSON lines as an unexpected status.
#
# Seen with openapi-python-client 0.29.1: for a 200 whose only content is application/x-ndjson the generator warns "Unsupported
# content_type application/x-ndjson", leaves the response out and exits with 0. The function that it writes then knows no 200
# at all: it returns None, or raises UnexpectedStatus where the client was made with raise_on_unexpected_status. A 200 of
# text/csv with the same schema is returned as text.
#
# So an API that answers in lines of JSON should document a type that generators read as text or bytes beside it, or ship the
# generator's content_type_overrides, which give the lines back as text.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openapi-python-client==0.29.1
export PATH="$work/venv/bin:$PATH"

cd "$work"
cat >api.yaml <<'YAML'
openapi: 3.1.0
info: {title: Shop, version: "1"}
paths:
  /orders.ndjson:
    get:
      operationId: orders
      responses:
        "200":
          description: A line of JSON for each order.
          content: {application/x-ndjson: {schema: {type: string}}}
  /orders.csv:
    get:
      operationId: table
      responses:
        "200":
          description: A row for each order.
          content: {text/csv: {schema: {type: string}}}
YAML
openapi-python-client generate --path api.yaml --meta none --output-path shop >first.log 2>&1
grep -q "Unsupported content_type application/x-ndjson" first.log
printf 'content_type_overrides:\n  application/x-ndjson: text/plain\n' >overrides.yaml
openapi-python-client generate --path api.yaml --meta none --config overrides.yaml --output-path shop_with >second.log 2>&1

python - <<'PYTHON'
import importlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        kind = "text/csv" if self.path.endswith("csv") else "application/x-ndjson"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(b"id\n1\n" if kind == "text/csv" else b'{"id": 1}\n')

    def log_message(self, *arguments):
        pass


server = HTTPServer(("127.0.0.1", 0), Shop)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"


def call(package, name, **options):
    client = importlib.import_module(f"{package}.client").Client(base_url=address, **options)
    try:
        return importlib.import_module(f"{package}.api.default.{name}").sync_detailed(client=client).parsed
    except Exception as error:
        return type(error).__name__


found = {
    "ndjson": call("shop", "orders"),
    "ndjson, strict": call("shop", "orders", raise_on_unexpected_status=True),
    "csv": call("shop", "table"),
    "ndjson with overrides": call("shop_with", "orders"),
}
for name, result in found.items():
    print(f"{name:<22} {result!r}")
assert found == {
    "ndjson": None,
    "ndjson, strict": "UnexpectedStatus",
    "csv": "id\n1\n",
    "ndjson with overrides": '{"id": 1}\n',
}
PYTHON
