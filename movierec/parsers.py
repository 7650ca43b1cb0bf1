"""The parser for API request bodies. It cannot be in `api`, because REST framework imports it before its own views."""

from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from catalog.safe_json import InvalidJSON, parse_json


class JSONParser(parsers.JSONParser):
    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return parse_json(stream.read())
        except InvalidJSON as error:
            raise ParseError(_("The body is not valid JSON: %(error)s.") % {"error": error}) from None
