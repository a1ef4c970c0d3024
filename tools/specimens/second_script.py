"""Cards of autonomous regions: every label has its word in a second script above it, and so has the name.

The second name is a made-up word, not a transliteration; nothing but the Chinese is ever the truth.
"""
import styles

SCRIPTS = {"维吾尔": "uyghur", "哈萨克": "uyghur", "藏": "tibetan", "壮": "zhuang"}
FONTS = {"uyghur": "naskh", "tibetan": "tibetan", "zhuang": "liberation"}
LABELS = {
    "uyghur": ["ئىسمى", "جىنسى", "مىللىتى", "تۇغۇلغان", "ئادرېسى", "كىملىك نومۇرى"],
    "tibetan": ["མིང་།", "ཕོ་མོ།", "མི་རིགས།", "སྐྱེས་ཚེས།", "སྡོད་གནས།", "ཐོབ་ཐང་ཨང་།"],
    "zhuang": ["Singqmingz", "Singqbied", "Minzcuz", "Seng", "Dieg youq", "Hauhmax"]}
NAMES = {"uyghur": ["گۈلنار", "ئەركىن تۇرسۇن", "نۇربەك"], "tibetan": ["བཀྲ་ཤིས་ཚེ་རིང་།", "སྒྲོལ་མ་དབྱངས་ཅན།"], "zhuang": ["Veiz Roengz", "Nungz Mai"]}
PLACES = [(62, 78), (62, 155), (312, 155), (62, 229), (62, 303), (62, 520)]


def script_of(person, rng):
    """The second script of a card, or none; three in four such people have one."""
    script = SCRIPTS.get(person.nation)
    return script if script and rng.random() < 0.75 else None


def draw(pen, script, style, rng):
    """Adds the second words above the labels of a front."""
    size, lift = {"tibetan": (22, 9), "zhuang": (18, 0)}.get(script, (23, 0))
    face = styles.load(FONTS[script], size)
    for (x, y), word in zip(PLACES, LABELS[script]):
        pen.text((x + style.dx, y - lift + style.dy), word, font=face, fill=style.label, anchor="ls")
    pen.text((190 + style.dx, 68 - lift + style.dy), rng.choice(NAMES[script]), font=styles.load(FONTS[script], 26), fill=style.ink, anchor="ls")
