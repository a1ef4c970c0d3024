"""Decides a whole set before anything is drawn: who, where, which fault, which papers, in order of acceptance."""
import dataclasses
import datetime as dt
import random

import faults
import hands
import harder
import people
import words

NEEDS_SHEET = ("no_stamp", "illegible", "reused_scan")


@dataclasses.dataclass
class Case:
    """One acceptance to draw: entry, print, people, fault and the way the identity paper is taken in."""

    index: int
    seed: str
    split: str
    slip_number: str
    outlet: tuple
    accepted_on: dt.date
    fault: str | None
    customer: people.Person
    card_holder: people.Person
    agent: people.Person | None
    printed: dict
    entry: dict
    signed_name: str
    hand: hands.Hand
    returning: bool
    id_mode: str
    copy_of: int | None
    staff: str
    product: str


class Planner:
    """Makes cases in order of their day, so that 'earlier' means earlier in the set."""

    def __init__(self, split, seed, count, regions, real_hands, only=()):
        self.split, self.seed, self.regions, self.real = split, seed, regions, real_hands
        self.cases, self.count = [], count
        self.first_day = dt.date(2026, 8, 3)
        self.faults = faults.allot(random.Random(f"{split}/{seed}/faults"), count, only)

    def plan(self):
        """All cases of the set."""
        for index in range(self.count):
            self.cases.append(self.case(index))
        return self.cases

    def case(self, index):
        """One case that does not depend on how it will be drawn."""
        rng = random.Random(f"{self.split}/{self.seed}/{index}")
        on = self.first_day + dt.timedelta(days=index * 75 // max(1, self.count))
        fault, copy_of = self.possible(rng, self.faults[index])
        customer, returning = self.customer(rng, on, fault)
        holder = customer
        if fault == "other_person":
            holder = people.make_person(rng, self.regions, self.split, on, kind=customer.paper)
        agent = self.agent(rng, on, fault)
        outlet = rng.choice(words.OUTLETS[self.split])
        number = f"{outlet[0]}{on:%Y%m%d}{outlet[1]}{index:05d}"
        printed = self.printed(rng, customer, agent, fault)
        entry = dict(printed)
        fault = faults.alter_entry(rng, fault, entry)
        signed, hand = self.signature(rng, customer, agent, fault)
        mode = self.id_mode(rng, fault)
        return Case(index, f"{self.split}/{self.seed}/{index}/draw", self.split, number, outlet, on, fault, customer, holder, agent, printed, entry,
                    signed, hand, returning, mode, copy_of, outlet[1][:2] + f"{rng.randint(1000, 9999)}", rng.choice(words.PRODUCTS))

    def possible(self, rng, fault):
        """The fault, or none where the set has no earlier case that it needs."""
        if fault == "forged_signature" and not [c for c in self.cases if c.fault is None and c.agent is None]:
            return None, None
        if fault == "reused_scan":
            sheets = [c.index for c in self.cases if c.id_mode == "sheet" and c.fault is None]
            return (fault, rng.choice(sheets)) if sheets else (None, None)
        return fault, None

    def customer(self, rng, on, fault):
        """A new customer, or one who came before."""
        before = [c.customer for c in self.cases if c.fault is None and c.agent is None
                  and (c.customer.valid_to is None or c.customer.valid_to > on)]
        if fault == "forged_signature" and before:
            written = [p for p in before if p.hand.writer]
            return rng.choice(written or before), True
        if before and rng.random() < 0.15 and fault in (None, "address", "service_number", "no_signature", "other_signature"):
            return rng.choice(before), True
        if harder.is_hard(self.split) and fault in harder.FAULTS_OF_FOREIGN and rng.random() < 0.35:
            person = harder.foreigner(rng, self.split, self.regions, on)
            person.hand = hands.Hand(rng, self.real, self.split, person.name)
            return person, False
        names = self.real.names()
        written = rng.choice(names) if names and rng.random() < 0.45 else None
        person = people.make_person(rng, self.regions, self.split, on, expired=fault == "id_expired", written=written)
        person.hand = hands.Hand(rng, self.real, self.split, person.name)
        return person, False

    def agent(self, rng, on, fault):
        """Now and then somebody acts for the customer."""
        if fault not in (None, "address", "id_digit", "no_signature") or rng.random() > 0.13:
            return None
        names = self.real.names()
        written = rng.choice(names) if names and rng.random() < 0.5 else None
        agent = people.make_person(rng, self.regions, self.split, on, written=written, kind="居民身份证")
        agent.hand = hands.Hand(rng, self.real, self.split, agent.name)
        return agent

    def printed(self, rng, customer, agent, fault):
        """What the slip says."""
        street = customer.address
        if rng.random() < 0.35:
            street = self.regions.pick(rng, 2020)[1] + people.pick_street(rng, self.split)
        contact = people.pick_name(rng, rng.random() < 0.5)[0]
        service, phone = people.mobile(rng), people.mobile(rng)
        return {"customer_name": customer.name, "customer_type": "公众", "id_type": customer.paper, "id_number": customer.id_number,
                "id_address": customer.address, "contact_name": customer.name if fault == "contact_is_customer" else contact,
                "contact_phone": service if fault == "contact_phone_is_service" else phone, "mailing_address": street, "service_number": service,
                "agent_name": agent.name if agent else "", "agent_id_number": agent.id_number if agent else ""}

    def signature(self, rng, customer, agent, fault):
        """The name that is written and the hand that writes it; no name where nothing is signed."""
        signer = agent or customer
        if fault == "no_signature":
            return "", signer.hand
        if fault == "other_signature":
            names = [n for n in (self.real.names() or people.WRITTEN_NAMES) if n != customer.name]
            name = rng.choice(names) if rng.random() < 0.6 else people.pick_name(rng, True)[0]
            return name, hands.Hand(rng, self.real, self.split, name)
        if fault == "forged_signature":
            for _ in range(50):
                other = hands.Hand(rng, self.real, self.split, signer.name)
                if other.writer != signer.hand.writer or not other.writer:
                    return signer.name, other
        return signer.name, signer.hand

    def id_mode(self, rng, fault):
        """Sheet, two photographs, one photograph of both, or a two-page file."""
        if fault in NEEDS_SHEET:
            return "sheet"
        if fault == "no_back":
            return rng.choice(["photos", "sheet"])
        return rng.choices(["sheet", "photos", "both_photo", "pages"], [45, 42, 8, 5])[0]
