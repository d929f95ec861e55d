"""Accept cards that wait to be put on record, where each takes the place of one in its slot.

    BOOTZ_URL=… BOOTZ_TOKEN=… python accept_replacements.py

A card for an empty slot is left for a person to judge.
"""

import os
import sys

from bootz.client import BootzClient, calls, models


def main() -> int:
    with BootzClient(os.environ["BOOTZ_URL"], os.environ["BOOTZ_TOKEN"]) as site:
        for card in site.rows(calls.replacement_list()):
            if not card.replaces:
                print(f"{card.serial_number}: slot {card.slot} of {card.chassis} was empty; left")
                continue
            wanted = models.AcceptBody(vendor=card.vendor)
            done = site.send(calls.replacement_accept(card.serial_number, wanted))
            print(f"{card.serial_number}: accepted in {done.chassis} for {card.replaces}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
