"""A catalogue of remakes, namesakes and spelling variants, and titles from other sites with the expected match.

`FAMILIES`: movies with the same name, each identified by name and year.
`OTHERS`: other movies, with alternative names after a bar.
`ASKED`: title and year as written by a site, and the expected movie; none if it is not in the catalogue or ambiguous.
"""

import re
from typing import NamedTuple

FAMILIES = """
King Kong: 1933 1976 2005
Psycho: 1960 1998
The Fly: 1958 1986
Cape Fear: 1962 1991
The Italian Job: 1969 2003
The Thing: 1982 2011
Invasion of the Body Snatchers: 1956 1978
Dawn of the Dead: 1978 2004
Halloween: 1978 2007 2018
A Nightmare on Elm Street: 1984 2010
Friday the 13th: 1980 2009
Carrie: 1976 2002 2013
Poltergeist: 1982 2015
RoboCop: 1987 2014
Total Recall: 1990 2012
Ghostbusters: 1984 2016
The Karate Kid: 1984 2010
Footloose: 1984 2011
Fame: 1980 2009
Conan the Barbarian: 1982 2011
Clash of the Titans: 1981 2010
Godzilla: 1954 1998 2014
Planet of the Apes: 1968 2001
The Omen: 1976 2006
The Wicker Man: 1973 2006
Get Carter: 1971 2000
Point Break: 1991 2015
Flatliners: 1990 2017
Suspiria: 1977 2018
A Star Is Born: 1937 1954 1976 2018
Ben-Hur: 1959 2016
The Magnificent Seven: 1960 2016
True Grit: 1969 2010
3:10 to Yuma: 1957 2007
The Ladykillers: 1955 2004
Alfie: 1966 2004
Sabrina: 1954 1995
The Parent Trap: 1961 1998
Freaky Friday: 1976 2003
Cinderella: 1950 2015
Beauty and the Beast: 1991 2017
The Jungle Book: 1967 1994 2016
Aladdin: 1992 2019
The Lion King: 1994 2019
Dumbo: 1941 2019
Mulan: 1998 2020
Pinocchio: 1940 2019 2022
Robin Hood: 1973 2010 2018
Hamlet: 1948 1990 1996 2000
Macbeth: 1948 1971 2015
Romeo and Juliet: 1968 2013
Othello: 1952 1995
Jane Eyre: 1943 1996 2011
Wuthering Heights: 1939 1992 2011
Great Expectations: 1946 1998 2012
Oliver Twist: 1948 2005
Little Women: 1933 1949 1994 2019
Les Misérables: 1935 1998 2012
The Three Musketeers: 1948 1973 1993 2011
The Count of Monte Cristo: 1934 2002 2024
The Hunchback of Notre Dame: 1923 1939 1996
The Phantom of the Opera: 1925 1943 2004
The Mummy: 1932 1999 2017
The Invisible Man: 1933 2020
Cat People: 1942 1982
House of Wax: 1953 2005
House on Haunted Hill: 1959 1999
The Haunting: 1963 1999
Village of the Damned: 1960 1995
Scarface: 1932 1983
Solaris: 1972 2002
Insomnia: 1997 2002
Funny Games: 1997 2007
Oldboy: 2003 2013
Death at a Funeral: 2007 2010
The Vanishing: 1988 1993
Crash: 1996 2004
The Illusionist: 2006 2010
Twilight: 1998 2008
The Avengers: 1998 2012
Gladiator: 1992 2000
Heat: 1986 1995
Notorious: 1946 2009
Bad Boys: 1983 1995
Frozen: 2010 2013
Rush: 1991 2013
Fair Game: 1995 2010
Black Sunday: 1960 1977
The Host: 2006 2013
Brothers: 2004 2009
The Gift: 2000 2015
Sisters: 1972 2015
The Double: 2011 2013
Inferno: 1980 2016
Bad Company: 1972 2002
Shame: 1968 2011
Hercules: 1997 2014
Life: 1999 2015 2017
Jack Frost: 1997 1998
"""

OTHERS = """
Ocean's 11 (1960) | Ocean's Eleven
Ocean's Eleven (2001)
The Thing from Another World (1951)
The Texas Chain Saw Massacre (1974)
The Texas Chainsaw Massacre (2003)
Robin Hood: Prince of Thieves (1991)
Bram Stoker's Dracula (1992)
Dracula (1931)
Drácula (1931)
Frankenstein (1931)
Mary Shelley's Frankenstein (1994)
Nosferatu (1922) | Nosferatu, eine Symphonie des Grauens
Nosferatu the Vampyre (1979) | Nosferatu: Phantom der Nacht
The Wolf Man (1941)
The Wolfman (2010)
Pride and Prejudice (1940)
Pride & Prejudice (2005)
Emma (1996)
Emma (1996)
Emma (2020)
Nine (2009)
9 (2009)
Mother (2009) | Madeo
Mother! (2017)
Deep Blue Sea (1999)
The Deep Blue Sea (2011)
Kicking and Screaming (1995)
Kicking & Screaming (2005)
The Matrix (1999)
The Godfather (1972)
The Godfather: Part II (1974)
The Godfather: Part III (1990)
Amélie (2001) | Le Fabuleux Destin d'Amélie Poulain
Léon: The Professional (1994) | Léon
WALL·E (2008)
Seven (1995) | Se7en
Alien (1979)
Alien³ (1992) | Alien 3
Spider-Man (2002)
X-Men (2000)
8½ (1963) | Otto e mezzo
Mission: Impossible II (2000)
Rocky II (1979)
Fast & Furious (2009)
Romeo + Juliet (1996)
MASH (1970) | M*A*S*H
Dr. Strangelove or: How I Learned to Stop Worrying (1964)
The Good, the Bad and the Ugly (1966) | Il buono, il brutto, il cattivo
Spirited Away (2001) | Sen to Chihiro no kamikakushi
Seven Samurai (1954) | Shichinin no samurai
Rashômon (1950)
Hate (1995) | La Haine
City of God (2002) | Cidade de Deus
Das Boot (1981) | The Boat
The Lives of Others (2006) | Das Leben der Anderen
Pan's Labyrinth (2006) | El laberinto del fauno
Three Colors: Blue (1993) | Trois couleurs : Bleu
Star Wars: Episode IV - A New Hope (1977)
Star Wars: Episode V - The Empire Strikes Back (1980)
Star Wars: Episode VI - Return of the Jedi (1983)
Raiders of the Lost Ark (1981) | Indiana Jones and the Raiders of the Lost Ark
John Wick: Chapter Two (2017)
Kill Bill: Vol. 1 (2003)
Kill Bill: Vol. 2 (2004)
Grave of the Fireflies (1988) | Hotaru no haka
Casablanca (1942)
The Hurt Locker (2008)
Memento (2000)
Moon (2009)
Let the Right One In (2008) | Låt den rätte komma in
Donnie Darko (2001)
Che: Part One (2008)
Che: Part Two (2008)
The Girl with the Dragon Tattoo (2009) | Män som hatar kvinnor
The Girl with the Dragon Tattoo (2011)
Ringu (1998) | Ring
The Ring (2002)
Ju-on: The Grudge (2002)
The Grudge (2004)
The Grudge (2020)
Toy Story (1995)
Toy Story 2 (1999)
The Man Who Knew Too Much (1934)
The Man Who Knew Too Much (1956)
Das Cabinet des Dr. Caligari (1920) | The Cabinet of Dr. Caligari
Up (2009)
Her (2013)
Æon Flux (2005)
Crouching Tiger, Hidden Dragon (2000) | Wo hu cang long
Y Tu Mamá También (2001)
The Intouchables (2011) | Intouchables
I, Robot (2004)
Undated (0)
"""

ASKED = """
Ocean's Eleven | 1960 | Ocean's 11 (1960)
Ocean's Eleven | 2001 | Ocean's Eleven (2001)
The Thing from Another World | 1951 | The Thing from Another World (1951)
The Thing | 1951 |
The Texas Chain Saw Massacre | 1974 | The Texas Chain Saw Massacre (1974)
The Texas Chainsaw Massacre | 2003 | The Texas Chainsaw Massacre (2003)
Robin Hood | 1991 |
Robin Hood: Prince of Thieves | 1991 | Robin Hood: Prince of Thieves (1991)
Guillermo del Toro's Pinocchio | 2022 |
Pinocchio | 2002 |
Bram Stoker's Dracula | 1992 | Bram Stoker's Dracula (1992)
Dracula | 1992 |
Dracula | 1931 | Dracula (1931)
Drácula | 1931 | Drácula (1931)
Frankenstein | 1931 | Frankenstein (1931)
Frankenstein | 1994 |
Nosferatu | 1922 | Nosferatu (1922)
Nosferatu | 2024 |
Nosferatu: Phantom der Nacht | 1979 | Nosferatu the Vampyre (1979)
Nosferatu | 1979 |
The Wolf Man | 1941 | The Wolf Man (1941)
The Wolfman | 2010 | The Wolfman (2010)
Pride & Prejudice | 2005 | Pride & Prejudice (2005)
Pride and Prejudice | 2005 | Pride & Prejudice (2005)
Pride and Prejudice | 1940 | Pride and Prejudice (1940)
Emma | 1996 |
Emma. | 2020 | Emma (2020)
Nine | 2009 | Nine (2009)
9 | 2009 | 9 (2009)
Mother | 2009 | Mother (2009)
mother! | 2017 | Mother! (2017)
Deep Blue Sea | 1999 | Deep Blue Sea (1999)
The Deep Blue Sea | 2011 | The Deep Blue Sea (2011)
Kicking and Screaming | 1995 | Kicking and Screaming (1995)
Kicking & Screaming | 2005 | Kicking & Screaming (2005)
Matrix, The | 1999 | The Matrix (1999)
THE MATRIX | 1999 | The Matrix (1999)
Godfather | 1972 | The Godfather (1972)
The Godfather Part II | 1974 | The Godfather: Part II (1974)
The Godfather: Part 2 | 1974 | The Godfather: Part II (1974)
The Godfather | 1974 |
The Godfather Part III | 1990 | The Godfather: Part III (1990)
Amelie | 2001 | Amélie (2001)
Le Fabuleux Destin d'Amélie Poulain | 2001 | Amélie (2001)
Leon: The Professional | 1994 | Léon: The Professional (1994)
Léon | 1994 | Léon: The Professional (1994)
WALL-E | 2008 | WALL·E (2008)
WallE | 2008 | WALL·E (2008)
Se7en | 1995 | Seven (1995)
Seven | 1995 | Seven (1995)
Alien 3 | 1992 | Alien³ (1992)
Alien³ | 1992 | Alien³ (1992)
Alien | 1979 | Alien (1979)
Aliens | 1986 |
Alien Resurrection | 1997 |
Spiderman | 2002 | Spider-Man (2002)
Spider-Man 2 | 2004 |
X Men | 2000 | X-Men (2000)
8 1/2 | 1963 | 8½ (1963)
Otto e mezzo | 1963 | 8½ (1963)
Mission: Impossible 2 | 2000 | Mission: Impossible II (2000)
Mission Impossible II | 2000 | Mission: Impossible II (2000)
Rocky 2 | 1979 | Rocky II (1979)
Rocky | 1976 |
Rocky III | 1982 |
Fast and Furious | 2009 | Fast & Furious (2009)
The Fast and the Furious | 2001 |
Romeo + Juliet | 1996 | Romeo + Juliet (1996)
Romeo & Juliet | 1996 | Romeo + Juliet (1996)
M*A*S*H | 1970 | MASH (1970)
Dr Strangelove or: How I Learned to Stop Worrying | 1964 | Dr. Strangelove or: How I Learned to Stop Worrying (1964)
The Good, The Bad and The Ugly | 1966 | The Good, the Bad and the Ugly (1966)
Il buono, il brutto, il cattivo | 1966 | The Good, the Bad and the Ugly (1966)
Sen to Chihiro no kamikakushi | 2001 | Spirited Away (2001)
Shichinin no samurai | 1954 | Seven Samurai (1954)
Seven Samurai | 1954 | Seven Samurai (1954)
Rashomon | 1950 | Rashômon (1950)
La Haine | 1995 | Hate (1995)
Haine, La | 1995 | Hate (1995)
Cidade de Deus | 2002 | City of God (2002)
The Boat | 1981 | Das Boot (1981)
Boot, Das | 1981 | Das Boot (1981)
Das Leben der Anderen | 2006 | The Lives of Others (2006)
El laberinto del fauno | 2006 | Pan's Labyrinth (2006)
Pan\u2019s Labyrinth | 2006 | Pan's Labyrinth (2006)
Trois couleurs: Bleu | 1993 | Three Colors: Blue (1993)
Three Colors: Red | 1994 |
Star Wars | 1977 | Star Wars: Episode IV - A New Hope (1977)
The Empire Strikes Back | 1980 | Star Wars: Episode V - The Empire Strikes Back (1980)
Return of the Jedi | 1983 | Star Wars: Episode VI - Return of the Jedi (1983)
Star Wars: Episode I - The Phantom Menace | 1999 |
Raiders of the Lost Ark | 1981 | Raiders of the Lost Ark (1981)
John Wick: Chapter 2 | 2017 | John Wick: Chapter Two (2017)
John Wick | 2014 |
Kill Bill: Volume 1 | 2003 | Kill Bill: Vol. 1 (2003)
Kill Bill: Vol. 2 | 2004 | Kill Bill: Vol. 2 (2004)
Kill Bill | 2003 |
Grave of the Fireflies | 1988 | Grave of the Fireflies (1988)
Grave of the Fireflies | 2005 |
Casablanca | | Casablanca (1942)
Halloween | |
Emma | |
The Hurt Locker | 2009 | The Hurt Locker (2008)
Memento | 2001 | Memento (2000)
Moon | 2010 | Moon (2009)
Let the Right One In | 2009 | Let the Right One In (2008)
Låt den rätte komma in | 2008 | Let the Right One In (2008)
Let Me In | 2010 |
Donnie Darko | 2002 | Donnie Darko (2001)
Che: Part One | 2008 | Che: Part One (2008)
Che: Part Two | 2008 | Che: Part Two (2008)
Che | 2008 |
The Girl with the Dragon Tattoo | 2009 | The Girl with the Dragon Tattoo (2009)
The Girl with the Dragon Tattoo | 2010 |
The Girl with the Dragon Tattoo | 2011 | The Girl with the Dragon Tattoo (2011)
Ring | 1998 | Ringu (1998)
Ringu | 1998 | Ringu (1998)
The Ring | 2002 | The Ring (2002)
Ju-On: The Grudge | 2002 | Ju-on: The Grudge (2002)
The Grudge | 2004 | The Grudge (2004)
The Grudge | 2020 | The Grudge (2020)
The Grudge 2 | 2006 |
Toy Story | 1995 | Toy Story (1995)
Toy Story 2 | 1999 | Toy Story 2 (1999)
Toy Story 3 | 2010 |
Frozen II | 2019 |
Halloween II | 1981 |
Psycho II | 1983 |
Carrie | 1952 |
Jack Frost | 1964 |
The Man Who Knew Too Much | 1934 | The Man Who Knew Too Much (1934)
The Man Who Knew Too Much | 1956 | The Man Who Knew Too Much (1956)
The Man Who Knew Too Little | 1997 |
The Cabinet of Dr. Caligari | 1920 | Das Cabinet des Dr. Caligari (1920)
The Cabinet of Doctor Caligari | 1920 | Das Cabinet des Dr. Caligari (1920)
UP | 2009 | Up (2009)
her | 2013 | Her (2013)
Aeon Flux | 2005 | Æon Flux (2005)
Crouching Tiger Hidden Dragon | 2000 | Crouching Tiger, Hidden Dragon (2000)
Wo hu cang long | 2000 | Crouching Tiger, Hidden Dragon (2000)
Y tu mama tambien | 2001 | Y Tu Mamá También (2001)
Intouchables | 2011 | The Intouchables (2011)
Untouchable | 2011 |
I, Robot | 2004 | I, Robot (2004)
Robots | 2005 |
Undated | 1999 |
"""

_MOVIE = re.compile(r"(?P<title>.+) \((?P<year>\d+)\)(?: \| (?P<other>.+))?")


class Movie(NamedTuple):
    title: str
    year: int | None
    other: str = ""


class Asked(NamedTuple):
    title: str
    year: int | None
    meant: tuple[str, int] | None


def families() -> list[Movie]:
    lines = (line.rpartition(": ") for line in FAMILIES.strip().splitlines())
    return [Movie(title, int(year)) for title, _, years in lines for year in years.split()]


def catalogue() -> list[Movie]:
    found = [_MOVIE.fullmatch(line) for line in OTHERS.strip().splitlines()]
    return families() + [Movie(m["title"], int(m["year"]) or None, m["other"] or "") for m in found if m]


def asked() -> list[Asked]:
    rows = [[part.strip() for part in line.split("|")] for line in ASKED.strip().splitlines()]
    others = [Asked(title, int(year) if year else None, _meant(meant)) for title, year, meant in rows]
    return [Asked(title, year, (title, year or 0)) for title, year, _ in families()] + others


def _meant(text: str) -> tuple[str, int] | None:
    found = _MOVIE.fullmatch(text)
    return (found["title"], int(found["year"])) if found else None
