from tqdm import tqdm


def progress_bar(
    *,
    total: int | None = None,
    description: str | None = None,
    unit: str = "B",
    bar_format: str | None = None,
    shown: bool = True,
) -> "tqdm[None]":
    """A bar on stderr that disappears at the end. Without a total it only counts."""
    return tqdm(
        total=total,
        desc=description,
        unit=unit,
        unit_scale=total is None or total >= 1000,
        bar_format=bar_format,
        leave=False,
        disable=not shown,
        mininterval=0.3,
    )
