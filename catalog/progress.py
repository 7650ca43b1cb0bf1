from tqdm import tqdm


def progress_bar(*, total: int, description: str, unit: str = "B", shown: bool = True) -> "tqdm[None]":
    """A bar on stderr that leaves nothing behind; `update(n)` moves it on."""
    return tqdm(
        total=total, desc=description, unit=unit, unit_scale=True, leave=False, disable=not shown, mininterval=0.3
    )
