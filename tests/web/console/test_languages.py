"""The language of the console ..."""

import re


async def test_is_the_browsers_until_a_person_chooses_one(browser, person):
    noor = await browser(await person())

    asked = await noor.get("/console/account", headers={"Accept-Language": "nl-BE, en;q=0.4"})
    assert '<html lang="nl">' in asked.text
    assert "Afmelden" in asked.text

    chosen = await noor.submit(
        "/console/account", {"language": "fr"}, to="/console/account/language"
    )
    shown = await noor.get(chosen.headers["location"], headers={"Accept-Language": "nl"})
    assert '<html lang="fr">' in shown.text
    assert re.search(r'value="fr" lang="fr" selected>Français<', shown.text)

    await noor.submit("/console/account", {"language": ""}, to="/console/account/language")
    assert '<html lang="en">' in (await noor.get("/console/account")).text


async def test_refuses_a_language_that_it_does_not_speak(browser, person):
    noor = await browser(await person())
    answer = await noor.submit(
        "/console/account", {"language": "tlh"}, to="/console/account/language"
    )
    assert answer.status_code == 400
    assert '<html lang="en">' in (await noor.get("/console/account")).text


async def test_is_the_browsers_before_anybody_signs_in(browser):
    shown = await (await browser()).get("/console/sign-in", headers={"Accept-Language": "de"})
    assert '<html lang="de">' in shown.text


async def test_is_that_of_what_the_core_refuses(browser, person):
    noor = await browser(await person(role="viewer"))
    told = {}
    for language in ("nl", "fr", "de"):
        page = await noor.get("/console/people", headers={"Accept-Language": language})
        assert page.status_code == 403
        told[language] = re.sub(r"\s+", " ", page.text)
    assert "Dit hoort niet bij uw rol (" in told["nl"]
    assert "ne comprend pas cela." in told["fr"]
    assert "umfasst das nicht." in told["de"]
