"""A product's film in a real browser: fetched and rendered by the server's worker, then played.

Chromium plays no HLS by itself; players append the segments of a playlist through Media Source Extensions.
The test does what they do, in a few lines, so no player has to be kept here: what it needs of the server
is what any of them needs, the playlists, ranges, codecs and time stamps.
"""

import asyncio

import pytest

from crossdock.kit.clock import SystemClock
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.media import wish_for_all
from crossdock.shop.shops import read_shop
from tests.support.factories import make_shop
from tests.support.films import film
from tests.support.simulators.http import HttpSimulator, Reply

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PLAY_FILE = """async url => {
  const video = document.createElement('video');
  video.muted = true;
  video.src = url;
  document.body.append(video);
  await video.play();
  await new Promise(done => video.addEventListener('timeupdate', () => video.currentTime > 0.5 && done()));
  return [video.videoWidth, video.videoHeight, Math.round(video.duration)];
}"""
PLAY_STREAM = """async url => {
  const lines = async address => (await (await fetch(address)).text()).split('\\n');
  const master = await lines(url);
  const line = master.findLastIndex(each => each.startsWith('#EXT-X-STREAM-INF'));
  const codecs = master[line].match(/CODECS="([^"]+)"/)[1];
  const address = new URL(master[line + 1], url);
  const list = await lines(address);
  const parts = [];
  let next = null;
  for (const each of list) {
    const map = each.match(/EXT-X-MAP:URI="([^"]+)",BYTERANGE="(\\d+)@(\\d+)"/);
    const range = each.match(/EXT-X-BYTERANGE:(\\d+)@(\\d+)/);
    if (map) parts.push([map[1], +map[2], +map[3]]);
    else if (range) next = [+range[1], +range[2]];
    else if (each && !each.startsWith('#')) parts.push([each, ...next]);
  }
  const source = new MediaSource();
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(source);
  document.body.append(video);
  await new Promise(done => source.addEventListener('sourceopen', done, {once: true}));
  const buffer = source.addSourceBuffer(`video/mp4; codecs="${codecs}"`);
  const statuses = [];
  for (const [name, size, start] of parts) {
    const answer = await fetch(new URL(name, address), {headers: {Range: `bytes=${start}-${start + size - 1}`}});
    statuses.push(answer.status);
    const done = new Promise(finished => buffer.addEventListener('updateend', finished, {once: true}));
    buffer.appendBuffer(await answer.arrayBuffer());
    await done;
  }
  source.endOfStream();
  await video.play();
  video.currentTime = 4.5;
  await new Promise(done => video.addEventListener('ended', done));
  return {
    size: [video.videoWidth, video.videoHeight], seconds: Math.round(video.duration), statuses,
    whole: video.buffered.length, error: video.error && video.error.message,
  };
}"""
READY = "select video from products where shop_id = %s and video #>> '{media,hls}' <> ''"


async def test_plays_as_a_file_and_as_a_stream(visit, server, server_database):
    body = film(seconds=6, size=(640, 480))

    async def answer(_request):
        return Reply(200, body)

    async with HttpSimulator(answer) as elsewhere:
        async with server_database.begin() as tx:
            made = await make_shop(tx)
            shop = await read_shop(tx, slug=made.slug)
            record = ProductRecord(
                handle="lamp", name="Lamp", merchant="Acme", currency=shop.currency,
                video=f"{elsewhere.url}/lamp.mp4",
                variants=(VariantRecord(sku="LAMP-1", retail_minor=100),),
            )  # fmt: skip
            now = SystemClock().now()
            await upsert_products(tx, shop=shop, records=[record], now=now)
            await wish_for_all(tx, shop_id=shop.id, now=now)
        async with asyncio.timeout(110):
            told = None
            while told is None:
                await asyncio.sleep(0.5)
                async with server_database.statement() as tx:
                    told = await tx.value(READY, (shop.id,))
    media = told["media"]

    seen = await visit("/robots.txt")
    file = await seen.page.evaluate(PLAY_FILE, f"{server.url}/videos/{media['checksum']}.mp4")
    stream = await seen.page.evaluate(
        PLAY_STREAM, f"{server.url}/videos/{media['hls']}/master.m3u8"
    )

    assert file == [640, 480, 6]
    assert stream == {
        "size": [640, 480], "seconds": 6, "statuses": [206, 206, 206], "whole": 1, "error": None,
    }  # fmt: skip
    seen.assert_clean()
