"""Fifty well-known movies: title, year and genres."""

_ROWS = """
The Shawshank Redemption|1994|Crime,Drama
Forrest Gump|1994|Comedy,Drama,Romance,War
Pulp Fiction|1994|Comedy,Crime,Drama,Thriller
The Silence of the Lambs|1991|Crime,Horror,Thriller
The Matrix|1999|Action,Sci-Fi,Thriller
Star Wars|1977|Action,Adventure,Sci-Fi
The Empire Strikes Back|1980|Action,Adventure,Sci-Fi
Return of the Jedi|1983|Action,Adventure,Sci-Fi
Jurassic Park|1993|Action,Adventure,Sci-Fi,Thriller
Braveheart|1995|Action,Drama,War
Terminator 2: Judgment Day|1991|Action,Sci-Fi
Schindler's List|1993|Drama,War
Fight Club|1999|Action,Crime,Drama,Thriller
Toy Story|1995|Adventure,Animation,Children,Comedy,Fantasy
The Usual Suspects|1995|Crime,Mystery,Thriller
American Beauty|1999|Drama,Romance
Seven|1995|Mystery,Thriller
Apollo 13|1995|Adventure,Drama
Raiders of the Lost Ark|1981|Action,Adventure
The Lord of the Rings: The Fellowship of the Ring|2001|Adventure,Fantasy
The Lord of the Rings: The Two Towers|2002|Adventure,Fantasy
The Lord of the Rings: The Return of the King|2003|Action,Adventure,Drama,Fantasy
The Godfather|1972|Crime,Drama
The Godfather Part II|1974|Crime,Drama
Batman|1989|Action,Crime,Thriller
The Dark Knight|2008|Action,Crime,Drama
Saving Private Ryan|1998|Action,Drama,War
Aladdin|1992|Adventure,Animation,Children,Comedy,Musical
The Lion King|1994|Adventure,Animation,Children,Drama,Musical
Fargo|1996|Comedy,Crime,Drama,Thriller
The Sixth Sense|1999|Drama,Horror,Mystery
Twelve Monkeys|1995|Mystery,Sci-Fi,Thriller
Back to the Future|1985|Adventure,Comedy,Sci-Fi
Gladiator|2000|Action,Adventure,Drama
Shrek|2001|Adventure,Animation,Children,Comedy,Fantasy,Romance
Men in Black|1997|Action,Comedy,Sci-Fi
Memento|2000|Mystery,Thriller
Alien|1979|Horror,Sci-Fi
Aliens|1986|Action,Adventure,Horror,Sci-Fi
Die Hard|1988|Action,Crime,Thriller
Blade Runner|1982|Action,Sci-Fi,Thriller
Inception|2010|Action,Crime,Drama,Mystery,Sci-Fi,Thriller
Psycho|1960|Crime,Horror
Vertigo|1958|Drama,Mystery,Romance,Thriller
Casablanca|1942|Drama,Romance
Citizen Kane|1941|Drama,Mystery
Seven Samurai|1954|Action,Adventure,Drama
Spirited Away|2001|Adventure,Animation,Fantasy
Amélie|2001|Comedy,Romance
Parasite|2019|Comedy,Drama,Thriller
"""

WELL_KNOWN: list[tuple[str, int, list[str]]] = [
    (title, int(year), genres.split(","))
    for title, year, genres in (row.split("|") for row in _ROWS.strip().splitlines())
]
