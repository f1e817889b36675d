"""Interruptions of the cable."""

import asyncio

from hil.virtual.contact import Contact

WITHIN_S = 2.0


def test_a_pulled_cable_is_put_back() -> None:
    """After the time that was asked for, and not at once."""

    async def scenario() -> None:
        plugs: list[bool] = []
        back = asyncio.Event()
        contact = Contact(lambda plugged: (plugs.append(plugged), back.set() if plugged else None)[0], lambda: None)
        contact.pull(0.01)
        assert plugs == []
        await asyncio.wait_for(back.wait(), WITHIN_S)
        assert plugs == [False, True]

    asyncio.run(scenario())


def test_a_lost_contact_comes_back() -> None:
    """The host looks at both changes."""

    async def scenario() -> None:
        seen: list[bool] = []
        back = asyncio.Event()

        def look() -> None:
            seen.append(contact.lost)
            if not contact.lost:
                back.set()

        contact = Contact(lambda plugged: None, look)
        contact.lose(0.01)
        await asyncio.wait_for(back.wait(), WITHIN_S)
        assert seen == [True, False]

    asyncio.run(scenario())


def test_nothing_comes_back_to_a_board_that_is_gone() -> None:
    """A closed one plugs nothing in."""

    async def scenario() -> None:
        plugs: list[bool] = []
        contact = Contact(plugs.append, lambda: None)
        contact.pull(0.0)
        contact.close()
        await asyncio.sleep(0.01)
        assert plugs == []

    asyncio.run(scenario())
