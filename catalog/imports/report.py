"""Sentences that tell the owner what an import would add and change."""

from catalog.models import UserImport


def sentences(user_import: UserImport) -> list[str]:
    """For an import that was read; the same before and after the commit."""
    counts = user_import.counts
    matched, unmatched = counts["matched"], counts["unmatched"]
    brings = [
        _n(counts["ratings_new"], "new rating"),
        f"{counts['ratings_changed']:,} changed" if counts["ratings_changed"] else "",
        f"{counts['ratings_same']:,} unchanged" if counts["ratings_same"] else "",
        f"{counts['ratings_kept']:,} kept, rated later on this site" if counts["ratings_kept"] else "",
    ]
    more = [
        _n(counts["viewings_new"], "new viewing") if counts["viewings_new"] else "",
        f"{_n(counts['watchlist_new'], 'movie')} for the watchlist" if counts["watchlist_new"] else "",
    ]
    lines = [f"{matched:,} of {_n(matched + unmatched, 'row')} found in the catalogue", _joined(brings), _joined(more)]
    return [line for line in lines if line]


def _joined(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part)


def _n(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
