#!/usr/bin/env bash
# A generated Python client cannot parse an answer that has a field named `cast`.
#
# Seen with openapi-python-client 0.29.1. The code it generates for a model calls `cast` of `typing` where a field is an
# array, or null; it also assigns each field to a local variable of the field's name. A field `cast`, which catalogues
# of movies have, therefore hides the function: `from_dict` raises UnboundLocalError or NameError for a valid answer.
# The generator says nothing. Fields named like Python's keywords are renamed; names that the code imports are not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openapi-python-client==0.29.1

cd "$work"
cat >openapi.json <<'JSON'
{
  "openapi": "3.0.3",
  "info": {"title": "Movies", "version": "1"},
  "paths": {"/movies/{id}/": {"get": {
    "operationId": "movies_retrieve",
    "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
    "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Movie"}}}}}
  }}},
  "components": {"schemas": {"Movie": {
    "type": "object",
    "required": ["title", "genres", "cast"],
    "properties": {
      "title": {"type": "string"},
      "genres": {"type": "array", "items": {"type": "string"}},
      "cast": {"type": "array", "items": {"type": "string"}}
    }
  }}}
}
JSON
sed 's/"cast"/"actors"/g' openapi.json >renamed.json
for name in openapi renamed; do
    "$work/venv/bin/openapi-python-client" generate --path "$name.json" --output-path "$name" --meta none >"$name.log" 2>&1 || {
        cat "$name.log"
        exit 1
    }
done
"$work/venv/bin/python" - <<'PYTHON'
from importlib import import_module
from importlib.metadata import version

print("openapi-python-client", version("openapi-python-client"))
answer = {"title": "Heat", "genres": ["Crime"], "cast": ["Al Pacino"], "actors": ["Al Pacino"]}
renamed = import_module("renamed.models").Movie.from_dict(answer)
print("field `actors`:", renamed.actors)
assert renamed.actors == ["Al Pacino"]
try:
    import_module("openapi.models").Movie.from_dict(answer)
except NameError as error:  # UnboundLocalError is one
    print(f"field `cast`: {type(error).__name__}: {error}")
else:
    raise SystemExit("the client parses it now")
PYTHON
