"""Invented pick-up points of carriers in four real towns."""

from collections.abc import Iterator
from decimal import Decimal

from crossdock.demo.chance import Chance
from crossdock.shop.customers import Address
from crossdock.shop.warehouse import PickupPoint

PER_TOWN = 15
SENDER = Address(
    company="Demo shop",
    street="Zonneweg",
    house_number="14",
    postcode="2800",
    city="Mechelen",
    country="BE",
)
# Name, country, zip codes, latitude and longitude of the middle in thousandths of a degree.
_TOWNS = (
    ("Mechelen", "BE", ("2800", "2801", "2811", "2812"), 51_028, 4_478),
    ("Antwerpen", "BE", ("2000", "2018", "2020", "2060", "2100"), 51_219, 4_402),
    ("Gent", "BE", ("9000", "9030", "9040", "9050"), 51_054, 3_722),
    ("Amsterdam", "NL", ("1011 AB", "1012 JS", "1017 ZZ", "1071 XX", "1098 PM"), 52_373, 4_893),
)
_CARRIERS = {
    "BE": ("bpost", "dpd", "postnl", "dhl", "kariboo"),
    "NL": ("postnl", "dpd", "dhlparcel"),
}
_SHOPS = (
    "Dagwinkel", "Krantenkiosk", "Bloemenhoek", "Boekhandel", "Nachtwinkel", "Wasserette",
    "Fietspunt", "Bakkerij",
)  # fmt: skip
_KEEPERS = ("Ans", "Bert", "De Linde", "Het Anker", "Mirte", "Op de Hoek", "Sofie", "'t Plein")
_STREETS = ("Lindelaan", "Kerkplein", "Molenweg", "Stationsdreef", "Havenkaai", "Eikenpad")
_HOURS = {
    **{day: ["09:00-12:30", "13:30-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
    "sat": ["09:00-17:00"],
    "sun": [],
}


def pickup_points(*, seed: int) -> Iterator[PickupPoint]:
    """The points of all towns, the same for the same seed."""
    for town, country, zip_codes, latitude, longitude in _TOWNS:
        for number in range(PER_TOWN):
            chance = Chance(seed, "pickup point", town, number)
            carriers = _CARRIERS[country]
            yield PickupPoint(
                carrier=carriers[number % len(carriers)],
                code=f"{country}{zip_codes[0][:4]}-{number + 1:03d}",
                name=f"{chance.pick(_SHOPS)} {chance.pick(_KEEPERS)}",
                street=chance.pick(_STREETS),
                number=str(chance.between(1, 180)),
                zip_code=zip_codes[number % len(zip_codes)],
                city=town,
                country=country,
                latitude=_near(latitude, chance),
                longitude=_near(longitude, chance),
                hours=dict(_HOURS),
            )


def _near(thousandths: int, chance: Chance) -> Decimal:
    """A coordinate up to 0.02 degrees away, about two kilometres."""
    return Decimal(thousandths * 1000 + chance.between(-20_000, 20_000)).scaleb(-6)
