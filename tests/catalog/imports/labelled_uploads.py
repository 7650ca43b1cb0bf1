"""More labelled rows, as lines of a CSV upload: brackets, contradictory ids, duplicates, remakes.

`MOVIES`: title, year, IMDb and TMDB id, and another name. They are added to the catalogue of `labelled_titles`.
`ASKED`: title, year, IMDb and TMDB id as written in a file, and the expected movie; none if it
is not in the catalogue or ambiguous.
"""

import re
from typing import NamedTuple

from tests.catalog.imports import labelled_titles

FAMILIES = """
Dune: 1984 2021
M: 1931 1951
West Side Story: 1961 2021
Nightmare Alley: 1947 2021
All Quiet on the Western Front: 1930 1979 2022
The Bad Seed: 1956 2018
Overboard: 1987 2018
Papillon: 1973 2017
Peter Pan: 1953 2003
The Day the Earth Stood Still: 1951 2008
The Manchurian Candidate: 1962 2004
The Taking of Pelham One Two Three: 1974 1998
The Stepford Wives: 1975 2004
The Hills Have Eyes: 1977 2006
The Last House on the Left: 1972 2009
My Bloody Valentine: 1981 2009
Prom Night: 1980 2008
Black Christmas: 1974 2006 2019
Rabid: 1977 2019
Child's Play: 1988 2019
Pet Sematary: 1989 2019
Firestarter: 1984 2022
Salem's Lot: 1979 2024
Death Wish: 1974 2018
Hellboy: 2004 2019
The Little Mermaid: 1989 2023
Lady and the Tramp: 1955 2019
Pete's Dragon: 1977 2016
The Mechanic: 1972 2011
The Longest Yard: 1974 2005
Arthur: 1981 2011
Around the World in 80 Days: 1956 2004
The Nutty Professor: 1963 1996
Doctor Dolittle: 1967 1998
Willy Wonka & the Chocolate Factory: 1971
Charlie and the Chocolate Factory: 2005
"""

MOVIES = """
(500) Days of Summer (2009) | tt1022603 | 19913 |
Birdman or (The Unexpected Virtue of Ignorance) (2014) | tt2562232 | 194662 |
Run Lola Run (1998) | tt0130827 | 104 | Lola rennt
Life Is Beautiful (1997) | tt0118799 | 637 | La vita è bella
Bicycle Thieves (1948) | tt0040522 | 5156 | Ladri di biciclette
Day for Night (1973) | tt0070460 | 1675 | La nuit américaine
8 Women (2002) | tt0283832 | 1958 | 8 femmes
Apocalypse Now (1979) | tt0078788 | 28 |
Brazil (1985) | tt0088846 | 68 |
Kingdom of Heaven (2005) | tt0320661 | 1495 |
Troy (2004) | tt0332452 | 652 |
It (2017) | tt1396484 | 346364 |
Us (2019) | tt6857112 | 458723 |
[REC] (2007) | tt1038988 | 8329 |
[REC]² (2009) | tt1245112 | 10664 |
(Untitled) (2009) | tt1132193 | 20694 |
What's Up, Doc? (1972) | tt0069495 | 6949 |
Vertigo (1958) | tt0052357 | 426 |
Rear Window (1954) | tt0047396 | 567 |
The Birds (1963) | tt0056869 | 571 |
North by Northwest (1959) | tt0053125 | 213 |
Rope (1948) | tt0040746 | 1580 |
Marnie (1964) | tt0058329 | 506 |
Fargo (1996) | tt0116282 | 275 |
Blade Runner (1982) | tt0083658 | 78 |
Saturn 3 (1980) | tt0081454 | 23069 |
Saturn 3 (1980) | | |
Eros (2004) | tt0377059 | 4971 |
Eros (2004) | | |
Confessions of a Dangerous Mind (2002) | tt0270288 | 4912 |
Confessions of a Dangerous Mind (2002) | | |
The Killing (2023) | tt9991001 | 991001 |
The Killing (2023) | tt9991002 | 991002 |
Ikiru (1952) | tt0044741 | 3782 | 生きる
Leviathan (2014) | tt2802154 | 265180 | Левиафан
In the Mood for Love (2000) | tt0118694 | 843 | 花樣年華
1917 (2019) | tt8579674 | 530915 |
300 (2006) | tt0416449 | 1271 |
No (2012) | tt2059255 | 110398 |
"""

ASKED = """
(500) Days of Summer | 2009 | | | (500) Days of Summer (2009)
(500) Days of Summer (2009) | | | | (500) Days of Summer (2009)
500 Days of Summer | 2009 | | | (500) Days of Summer (2009)
Birdman or (The Unexpected Virtue of Ignorance) | 2014 | | | Birdman or (The Unexpected Virtue of Ignorance) (2014)
Birdman: Or (The Unexpected Virtue of Ignorance) | 2014 | | | Birdman or (The Unexpected Virtue of Ignorance) (2014)
Run Lola Run (Lola rennt) | 1998 | | | Run Lola Run (1998)
Lola rennt (Run Lola Run) | 1998 | | | Run Lola Run (1998)
Run Lola Run (Lola rennt) (1998) | | | | Run Lola Run (1998)
Life Is Beautiful (La vita è bella) | 1997 | | | Life Is Beautiful (1997)
Life Is Beautiful (Vita è bella, La) (1997) | | | | Life Is Beautiful (1997)
Bicycle Thieves (a.k.a. The Bicycle Thief) (Ladri di biciclette) | 1948 | | | Bicycle Thieves (1948)
Day for Night (La Nuit Américaine) | 1973 | | | Day for Night (1973)
8 Women (8 femmes) (2002) | | | | 8 Women (2002)
8 Femmes | 2002 | | | 8 Women (2002)
Apocalypse Now (Redux) | 1979 | | | Apocalypse Now (1979)
Apocalypse Now (Final Cut) | 1979 | | | Apocalypse Now (1979)
Brazil (Director's Cut) | 1985 | | | Brazil (1985)
Alien (Special Edition) | 1979 | | | Alien (1979)
Kingdom of Heaven (Director's Cut) | 2005 | | | Kingdom of Heaven (2005)
Troy (Director's Cut) | 2004 | | | Troy (2004)
Blade Runner (The Final Cut) | 1982 | | | Blade Runner (1982)
Blade Runner (Workprint) (1982) | | | | Blade Runner (1982)
Dune (Part One) | 2021 | | | Dune (2021)
Dune (2021) | | | | Dune (2021)
Dune (1984) | | | | Dune (1984)
Dune (1984) | 1984 | | | Dune (1984)
Psycho (Remake) | 1998 | | | Psycho (1998)
Psycho (1960) | 1960 | | | Psycho (1960)
Psycho (1998) | | | | Psycho (1998)
Crash (Cronenberg) | 1996 | | | Crash (1996)
Solaris (Solyaris) | 1972 | | | Solaris (1972)
Emma (Jane Austen) | 2020 | | | Emma (2020)
Seven (Se7en) | 1995 | | | Seven (1995)
Seven (a.k.a. Se7en) (1995) | | | | Seven (1995)
Amelie (Fabuleux destin d'Amélie Poulain, Le) | 2001 | | | Amélie (2001)
Spirited Away (Sen to Chihiro no kamikakushi) | 2001 | | | Spirited Away (2001)
Hate (Haine, La) | 1995 | | | Hate (1995)
Godfather, The (1972) | | | | The Godfather (1972)
[REC] | 2007 | | | [REC] (2007)
Rec | 2007 | | | [REC] (2007)
[REC] 2 | 2009 | | | [REC]² (2009)
[REC]² | 2009 | | | [REC]² (2009)
(Untitled) | 2009 | | | (Untitled) (2009)
What's Up Doc | 1972 | | | What's Up, Doc? (1972)
Three Colours: Blue | 1993 | | | Three Colors: Blue (1993)
The Clown House (It) | 2017 | | |
A Family (Us) | 2019 | | |
The Neighbours (US) | 2019 | | |
Behind the Scenes (Dune) | 2021 | | |
A City Looks for Someone (M) | 1931 | | |
Making Of (Alien) | 1979 | | |
Globe on Screen (Macbeth) | 2015 | | |
A School Play (Hamlet) | 2000 | | |
The Long Climb (Up) | 2009 | | |
Snow White (Her) | 2013 | | |
Remembering (Psycho) | 1998 | | |
(Up) | 1999 | | |
Hamlet (Nobody's Cut) | | | |
Dune (Part Two) | 2024 | | |
Vertigo | 1958 | tt0052357 | 426 | Vertigo (1958)
Vertigo - Aus dem Reich der Toten | 1958 | tt0052357 | | Vertigo (1958)
 | | tt0040746 | | Rope (1948)
 | | | 506 | Marnie (1964)
Rope | | tt0040746 | | Rope (1948)
Die Vögel | | tt0056869 | | The Birds (1963)
Der unsichtbare Dritte | 1959 | tt0053125 | 213 | North by Northwest (1959)
Das Fenster zum Hof | 1955 | tt0047396 | | Rear Window (1954)
Fargo | 1996 | | 275 | Fargo (1996)
Fargo | 1997 | tt0116282 | | Fargo (1996)
Rear Window | 1954 | | 567 | Rear Window (1954)
Rear Window | 1954 | tt0052357 | |
Vertigo | 2010 | tt0052357 | |
The Birds | 1963 | tt0056869 | 1580 |
The Birds | 2009 | | 571 |
Marnie | 1964 | tt7777777 | |
North by Northwest | 1959 | | 888888 |
Fargo | 2014 | | 275 |
Rope | 1948 | | 426 |
Something Else | 1948 | | 426 |
Troy | 2004 | tt6857112 | |
It | 1990 | tt1396484 | |
Us | 1992 | | 458723 |
Saturn 3 | 1980 | | | Saturn 3 (1980)
Saturn 3 | 1980 | tt0081454 | | Saturn 3 (1980)
Eros | 2004 | | | Eros (2004)
Eros | 2004 | | 4971 | Eros (2004)
Confessions of a Dangerous Mind | 2002 | | | Confessions of a Dangerous Mind (2002)
Confessions of a Dangerous Mind (2002) | | | | Confessions of a Dangerous Mind (2002)
The Killing | 2023 | | |
The Killing | 2023 | tt9991002 | | The Killing (2023)
Im Westen nichts Neues | 2022 | | |
Dune | 2000 | | |
Dune | | | |
M - Eine Stadt sucht einen Mörder | 1931 | | |
The Taking of Pelham 1 2 3 | 1974 | | | The Taking of Pelham One Two Three (1974)
The Taking of Pelham 123 | 2009 | | |
Around the World in Eighty Days | 1956 | | | Around the World in 80 Days (1956)
Willy Wonka and the Chocolate Factory | 1971 | | | Willy Wonka & the Chocolate Factory (1971)
Wonka | 2023 | | |
Dr. Dolittle | 1998 | | | Doctor Dolittle (1998)
Dr Dolittle | 1967 | | | Doctor Dolittle (1967)
Childs Play | 1988 | | | Child's Play (1988)
The Little Mermaid II | 2000 | | |
Hellboy II: The Golden Army | 2008 | | |
生きる | 1952 | | | Ikiru (1952)
Ikiru (生きる) | 1952 | | | Ikiru (1952)
Ikiru | 1953 | | | Ikiru (1952)
Ikiru | 1955 | | |
Левиафан | 2014 | | | Leviathan (2014)
ЛЕВИАФАН | 2014 | | | Leviathan (2014)
Leviathan | 1989 | | |
花樣年華 | 2000 | | | In the Mood for Love (2000)
In the Mood for Love (花樣年華) (2000) | | | | In the Mood for Love (2000)
1917 | 2019 | | | 1917 (2019)
1917 (2019) | | | | 1917 (2019)
1917 | 2020 | | | 1917 (2019)
300 | 2006 | | | 300 (2006)
300 | 2007 | tt0416449 | | 300 (2006)
300: Rise of an Empire | 2014 | | |
No | 2012 | | | No (2012)
NO | 2012 | tt2059255 | 110398 | No (2012)
A Quiet Year (No) | 2012 | | |
Untitled (1917) | 2019 | | |
The Making of (300) | 2006 | | |
No | 2012 | | 1271 |
300 | 2006 | tt8579674 | |
Oldboy | 2008 | | |
Oldboy | | | |
Suspiria | 1978 | | | Suspiria (1977)
Suspiria | 2019 | | | Suspiria (2018)
Suspiria | 1990 | | |
"""

_MOVIE = re.compile(r"(?P<title>.+) \((?P<year>\d+)\)")


class Movie(NamedTuple):
    title: str
    year: int | None
    imdb_id: str = ""
    tmdb_id: str = ""
    other: str = ""


class Line(NamedTuple):
    title: str
    year: str
    imdb_id: str = ""
    tmdb_id: str = ""
    meant: tuple[str, int] | None = None


def catalogue() -> list[Movie]:
    """With the movies of `labelled_titles`."""
    found = [Movie(movie.title, movie.year, other=movie.other) for movie in labelled_titles.catalogue()]
    found += [Movie(title, year) for title, year in _families()]
    return found + [Movie(*_name(name), *ids, other) for name, *ids, other in _parts(MOVIES, 4)]


def lines() -> list[Line]:
    """With the rows of `labelled_titles`."""
    found = [Line(row.title, str(row.year or ""), meant=row.meant) for row in labelled_titles.asked()]
    found += [Line(title, str(year), meant=(title, year)) for title, year in _families()]
    return found + [
        Line(title, year, imdb, tmdb, _name(meant) if meant else None)
        for title, year, imdb, tmdb, meant in _parts(ASKED, 5)
    ]


def _families() -> list[tuple[str, int]]:
    rows = (line.rpartition(": ") for line in FAMILIES.strip().splitlines())
    return [(title, int(year)) for title, _, years in rows for year in years.split()]


def _name(text: str) -> tuple[str, int]:
    found = _MOVIE.fullmatch(text)
    assert found, text
    return found["title"], int(found["year"])


def _parts(text: str, n: int) -> list[list[str]]:
    rows = [[part.strip() for part in line.split("|")] for line in text.strip("\n").splitlines()]
    return [[*row, *[""] * (n - len(row))] for row in rows]
