"""Small handwritten MovieLens data sets."""

import zipfile
from pathlib import Path

FILES = {
    "movies.csv": [
        "movieId,title,genres",
        "1,Toy Story (1995),Adventure|Animation|Children",
        '2,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",Drama|Sci-Fi',
        "3,Cosmos,(no genres listed)",
    ],
    "links.csv": ["movieId,imdbId,tmdbId", "1,0114709,862", "2,0112682,902", "3,0081846,"],
    "ratings.csv": [
        "userId,movieId,rating,timestamp",
        "1,1,4.0,964982703",
        "1,2,3.5,964981247",
        "2,1,5.0,1445714835",
        "2,3,0.5,1445714996",
    ],
    "tags.csv": [
        "userId,movieId,tag,timestamp",
        "2,1,Pixar,1445714994",
        "1,1,  PIXAR ,1445714996",
        '1,2,"strange, dark",1445714996',
    ],
}
LATIN_1 = {
    "movies.dat": ["1::Toy Story (1995)::Animation|Children's", "2::Léon (1994)::Crime"],
    "ratings.dat": ["1::1::5::978300760", "1::2::3::978302109", "2::2::4::978301968"],
    "users.dat": ["1::F::1::10::48067"],
}


def write_folder(folder: Path, files: dict[str, list[str]] | None = None, *, encoding: str = "utf-8", end="\n") -> Path:
    folder.mkdir(exist_ok=True)
    for name, lines in (FILES if files is None else files).items():
        (folder / name).write_bytes("".join(line + end for line in lines).encode(encoding))
    return folder


def write_zip(path: Path, files: dict[str, list[str]] | None = None, *, inside: str = "ml-latest-small/") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, lines in (FILES if files is None else files).items():
            file.writestr(inside + name, "".join(line + "\n" for line in lines))
    return path


def changed(name: str, *lines: str, drop: int = 0) -> dict[str, list[str]]:
    """The files with `lines` at the end of one of them, in place of its last `drop` lines."""
    return FILES | {name: FILES[name][: len(FILES[name]) - drop] + list(lines)}
