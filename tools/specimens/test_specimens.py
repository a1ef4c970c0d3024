"""Checks of the generator that need no fonts: run with `python -m unittest` in this folder."""
import datetime as dt
import itertools
import random
import unittest

import faults
import people
import styles
import words
import zones


class SplitsShareNothing(unittest.TestCase):
    def test_layouts_fonts_hands_and_backgrounds_stand_in_one_split_only(self):
        shared_by_design = {"ocrb"}
        for table in (styles.PRINT_FONTS, styles.CARD_FONTS, styles.NUMBER_FONTS, styles.HAND_FONTS, styles.BACKGROUNDS, styles.LAYOUTS,
                      words.COMPANIES, words.TITLES, words.OUTLETS, words.ROADS):
            for one, other in itertools.combinations(styles.SPLITS, 2):
                self.assertEqual(set(table[one]) & set(table[other]) - shared_by_design, set())


class Numbers(unittest.TestCase):
    def test_a_known_number_is_valid_and_its_neighbours_are_not(self):
        self.assertTrue(people.is_valid_number("11010519491231002X"))
        self.assertFalse(people.is_valid_number("110105194912310021"))

    def test_every_altered_number_fails_its_check_digit(self):
        rng = random.Random(7)
        for _ in range(500):
            body = "".join(rng.choice("123456789") for _ in range(17))
            number = body + people.check_digit(body)
            self.assertFalse(people.is_valid_number(faults.alter_digit(rng, number, alike=False)))
            self.assertFalse(people.is_valid_number(faults.alter_digit(rng, number, alike=True)))
            if len(set(number[6:])) > 1:
                self.assertFalse(people.is_valid_number(faults.swap_digits(rng, number)))


class Zones(unittest.TestCase):
    def test_the_example_of_icao_comes_out_as_printed(self):
        lines = zones.card("I<", "UTO", "D23145890", dt.date(1974, 8, 12), "F", dt.date(2012, 4, 15), "UTO", "ERIKSSON", "ANNA MARIA")
        self.assertEqual(lines, ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"])

    def test_every_line_is_full(self):
        rng = random.Random(5)
        for _ in range(200):
            lines = zones.passport("P<", "UTO", "A" * rng.randint(1, 30), "B C", "L898902", dt.date(1974, 8, 12), "F", dt.date(2031, 4, 15), rng)
            self.assertEqual([len(line) for line in lines], [44, 44])

    def test_a_known_credit_code_has_its_check_character(self):
        total = sum(zones.CODE.index(c) * pow(3, i, 31) for i, c in enumerate("91110000123456788"))
        self.assertEqual(zones.CODE[(31 - total % 31) % 31], "M")


class Faults(unittest.TestCase):
    def test_every_fault_occurs_in_a_set_of_sixty_and_two_in_five_are_clean(self):
        chosen = faults.allot(random.Random(1), 60)
        self.assertEqual(set(chosen), set(faults.WEIGHTS))
        self.assertAlmostEqual(chosen.count(None) / 60, 0.4, delta=0.08)

    def test_a_lookalike_name_differs_in_one_character(self):
        rng = random.Random(3)
        for name in ("王已明", "田晴", "武宇"):
            altered = faults.alter_name(rng, name, alike=True)
            self.assertEqual(sum(a != b for a, b in zip(name, altered)), 1)

    def test_every_fault_says_what_it_must_raise(self):
        self.assertEqual(set(faults.EXPECT), set(faults.WEIGHTS))


if __name__ == "__main__":
    unittest.main()
