"""Folding of text for search: case, accents and punctuation do not count."""

import re
import unicodedata


def fold(text: str) -> str:
    """`Người Nhện: Xa Nhà` -> `nguoi nhen xa nha`; what has no letter or digit folds to an empty string."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d").replace("ø", "o").replace("ł", "l"))
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.sub(r"[^\w]+", " ", plain).strip()
