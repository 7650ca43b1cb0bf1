"""Vocabulary of generated movies."""


def _split(text: str, *, separator: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(separator))


# Genres with their frequency and keywords.
GENRES: dict[str, tuple[float, tuple[str, ...]]] = {
    "Action": (10, ("chase", "explosion", "hostage", "mercenary", "undercover agent", "martial arts", "bodyguard")),
    "Adventure": (7, ("treasure", "expedition", "jungle", "lost city", "pirate", "desert", "map")),
    "Animation": (4, ("talking animal", "stop motion", "toy", "dragon", "friendship", "magic school")),
    "Children": (3, ("summer camp", "lost pet", "birthday", "puppet", "brothers and sisters", "snowman")),
    "Comedy": (15, ("wedding", "mistaken identity", "road trip", "roommate", "satire", "office", "slapstick")),
    "Crime": (7, ("heist", "mafia", "prison", "detective", "corruption", "drug dealer", "con artist")),
    "Documentary": (3, ("archive footage", "nature", "musician", "climate", "sport history", "interview")),
    "Drama": (20, ("family secret", "illness", "immigrant", "courtroom", "teacher", "poverty", "grief", "small town")),
    "Fantasy": (5, ("witch", "prophecy", "elf", "enchanted forest", "curse", "parallel world")),
    "Film-Noir": (1, ("femme fatale", "private eye", "blackmail", "night club", "insurance fraud")),
    "Horror": (7, ("haunted house", "vampire", "slasher", "zombie", "exorcism", "cabin", "cult")),
    "Musical": (2, ("broadway", "dance contest", "singer", "opera", "tap dance")),
    "Mystery": (4, ("missing person", "amnesia", "locked room", "diary", "stranger", "old crime")),
    "Romance": (8, ("first love", "love triangle", "letters", "summer in italy", "divorce", "reunion")),
    "Sci-Fi": (6, ("time travel", "robot", "space station", "alien contact", "dystopia", "clone", "hacker")),
    "Thriller": (9, ("conspiracy", "stalker", "assassin", "kidnapping", "double agent", "countdown")),
    "War": (3, ("resistance", "soldier", "siege", "submarine", "prisoner of war", "spy")),
    "Western": (2, ("gunslinger", "saloon", "cattle", "sheriff", "gold rush", "stagecoach")),
}

ADJECTIVES = _split(
    "Silent Broken Golden Crimson Hidden Last Distant Burning Frozen Gentle Restless Hollow Electric Velvet Iron Paper "
    "Secret Wild Lonely Bitter Bright Savage Tender Endless Stolen Sacred Scarlet Quiet Reckless Forgotten Midnight "
    "Wandering Fearless Crooked Innocent Perfect Invisible Northern Southern Eternal Shattered Faithful Strange Blue"
)
NOUNS = _split(
    "River Harbour Mirror Garden Orchard Winter Summer Station Horizon Empire Promise Shadow Bridge Island Lantern "
    "Machine Stranger Letter Kingdom Valley Storm Crown Circle Highway Tower Dancer Hunter Captain Daughter Brother "
    "Widow Thief Witness Painter Soldier Pilot Clock Ocean Forest Desert Mountain Signal Echo Ember Feather Compass "
    "Carnival Theatre Hotel Street Window Door Star Moon Sun Dream Memory Wolf Raven Fox Tiger Serpent Horse Sparrow "
    "Rebellion Inheritance Verdict Alibi Masquerade Voyage Ritual Experiment Paradox Frontier Sanctuary Labyrinth"
)
PLACES = _split(
    "Lisbon Havana Prague Hanoi Oslo Marseille Tangier Kyoto Vienna Dakar Lima Naples Glasgow Istanbul Montreal Samara "
    "Bergen Cordoba Trieste Galway Valparaiso Odessa Porto Riga Seville Hue Cardiff Memphis Savannah Reno"
)
FIRST_NAMES = _split(
    "Ada Bruno Carla Dario Elena Felix Greta Hugo Ines Jonas Kira Leo Mara Nils Olga Pablo Quinn Rosa Samir Tess Uma "
    "Viktor Wanda Xavier Yara Zoe Amir Bianca Cyrus Dalia Emil Farah Goran Hana Ivan Jade Karim Linh Minh Noor Oscar "
    "Priya Ravi Sofia Tomas Vera Astrid Boris Celia Diego Esther Franka Gideon Helga Isaac June Klaus Lucia Marek Nadia"
)
LAST_NAMES = _split(
    "Abbott Barros Castellan Dubois Engström Ferreira Galloway Hartmann Ibarra Jansen Kowalski Lindqvist Moreau Nakano "
    "Okafor Petrov Quintero Rossi Sandoval Takeda Ueda Vasquez Whitlock Ximenes Yilmaz Zeller Ashford Brandt Calloway "
    "Dressler Eastman Fontaine Grimaldi Holloway Iversen Juarez Keller Lombardi Marchetti Novak Orlov Pemberton Rahman "
    "Sorensen Thibault Ulrich Varga Winslow Nguyen Tran Adeyemi Bakker Costa Dimitrov Eklund Farkas Gruber Haddad"
)
HEROES = _split(
    "a retired pilot|a stubborn journalist|a pair of estranged sisters|a young clerk|a travelling salesman|"
    "a gifted forger|a village doctor|an ageing actor|a runaway student|a night nurse|a band of old friends|"
    "a disgraced officer|a quiet librarian|an ambitious cook|a lighthouse keeper|a street musician",
    separator="|",
)
DEEDS = _split(
    "must face an old debt|stumbles upon a crime|tries to escape the past|is drawn into a dangerous game|"
    "sets out to right a wrong|risks everything for a stranger|cannot forget what happened that night|"
    "returns home after twenty years|is hired for one last job|falls for the wrong person|"
    "has one week to change everything|finds a friend in an unlikely place",
    separator="|",
)
LANGUAGES = {"en": 0.72, "fr": 0.07, "es": 0.06, "ja": 0.05, "ko": 0.03, "de": 0.03, "it": 0.02, "vi": 0.02}
