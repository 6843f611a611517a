"""Campaigns when things go wrong: nobody is dialed twice, nobody sits in silence, every lead is accounted for."""

from tests.recovery.campaign_stage import Person, stages


async def test_a_progressive_campaign_reaches_people_and_accounts_for_every_lead(tmp_path):
    ways = ["talk", "busy", "no_answer", "hang_up", "talk", "decline"]
    persons = [Person(way, ring_s=0.5, talk_s=4.0) for way in ways]
    async with stages(tmp_path, persons) as stage:
        assert (await stage.act("start")) == {"ok": True}
        leads = await stage.until_accounted_for()
        await stage.running.until_idle()
        print(leads)
        assert len(leads) == len(persons)
        assert all(len(stage.people.calls_to(number)) == 1 for number in stage.people.people)
