"""Files in the format of Commons, and API responses about them."""

from typing import Any
from urllib.parse import quote

AT_ONCE = 50
LONGEST_ADDRESS = 8000
STANDARD_WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
UPLOADS, PAGES = "https://upload.wikimedia.org/wikipedia/commons", "https://commons.wikimedia.org/wiki"
CC_BY_SA = {"LicenseShortName": "CC BY-SA 4.0", "LicenseUrl": "https://creativecommons.org/licenses/by-sa/4.0"}


def commons_file(
    name: str,
    artist: str | None = "Ada",
    *,
    mime: str = "image/jpeg",
    size: tuple[int, int] = (1200, 1600),
    **more: Any,
) -> dict[str, Any]:
    """Returns a file. `artist` is HTML. `more` are additional details, and None removes one."""
    details = CC_BY_SA | {"Artist": artist, "AttributionRequired": "true"} | more
    found = {
        key: {"value": value, "source": "commons-desc-page"} for key, value in details.items() if value is not None
    }
    return {"name": name, "mime": mime, "size": size, "extmetadata": found}


def answer_about(files: dict[str, dict[str, Any]], moved: dict[str, str], asked: dict[str, str]) -> dict[str, Any]:
    """Returns the API's response about files, keyed by name. `moved` are old names."""
    written = [title.partition(":")[2] for title in asked["titles"].split("|")]
    names = [(name, name[:1].upper() + name[1:].replace("_", " ")) for name in written]
    query: dict[str, Any] = {}
    if changed := [pair for pair in names if pair[0] != pair[1]]:
        query["normalized"] = _moves(changed)
    if redirects := [(name, moved[name]) for _, name in names if name in moved]:
        query["redirects"] = _moves(redirects)
    pages = dict.fromkeys(moved.get(name, name) for _, name in names)
    query["pages"] = [_page(name, files.get(name), asked) for name in pages]
    return {"batchcomplete": True, "query": query}


def _moves(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"fromencoded": False, "from": f"File:{old}", "to": f"File:{new}"} for old, new in pairs]


def _page(name: str, found: dict[str, Any] | None, asked: dict[str, str]) -> dict[str, Any]:
    page: dict[str, Any] = {"ns": 6, "title": f"File:{name}"}
    if found is None:
        return page | {"missing": True, "imagerepository": ""}
    (width, height), wanted = found["size"], int(asked["iiurlwidth"])
    at = f"a/ab/{quote(name.replace(' ', '_'))}"
    info = {
        "size": 123456,
        "width": width,
        "height": height,
        "thumburl": f"{UPLOADS}/thumb/{at}/{wanted}px-{at[5:]}" if width > wanted else f"{UPLOADS}/{at}",
        "thumbwidth": min(width, wanted),
        "thumbheight": round(height * min(width, wanted) / width),
        "url": f"{UPLOADS}/{at}",
        "descriptionurl": f"{PAGES}/File:{at[5:]}",
        "descriptionshorturl": "https://commons.wikimedia.org/w/index.php?curid=1",
        "mime": found["mime"],
        "extmetadata": {
            key: value for key, value in found["extmetadata"].items() if key in asked["iiextmetadatafilter"].split("|")
        },
    }
    return page | {"pageid": 1, "imagerepository": "local", "imageinfo": [info]}
