"""A channel in a folder of its own, with one line in the registry, brings everything that it has."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from crossdock.channels import registry
from crossdock.channels.registry import equip_worker, load_settings
from crossdock.compose import Services
from crossdock.db.runtime import create_runtime
from crossdock.jobs.queue import queue
from crossdock.settings import Settings, SettingsError
from crossdock.web.guides import Guides
from tests.support.clocked import clocked
from tests.support.processes import environment
from tools.reference import errors_page, limits_page

FILES = {
    "__init__.py": '''
        from pathlib import Path

        from crossdock.channels.manifest import Limits, Manifest
        from toy.settings import ToySettings

        NAME = "toy"


        def _create(services):
            from toy.building import create_channel

            return create_channel(services)


        def _facts():
            from toy.building import FACTS

            return FACTS


        def _demo():
            from toy.demo import DEMO

            return DEMO


        def _commands():
            from toy.commands import app

            return {"toy": app}


        def _consumers(services):
            from toy.deliveries import create_consumers

            return create_consumers(services)


        def _delivery_kinds(services):
            from toy.deliveries import create_kinds

            return create_kinds(services)


        MANIFEST = Manifest(
            name=NAME,
            create=_create,
            facts=_facts,
            settings=ToySettings(),
            limits=lambda: Limits(settings=("greeting",), fields=(("toys", "7 | 8"),)),
            errors=lambda: [(418, "oops", "It is a toy.", "Play on.")],
            demo=_demo,
            commands=_commands,
            task_modules=("toy.jobs",),
            consumers=_consumers,
            delivery_kinds=_delivery_kinds,
            guide=Path(__file__).parent / "guide.md",
        )
    ''',
    "settings.py": '''
        from typing import Annotated, ClassVar

        from msgspec import Meta

        from crossdock.settings import Section


        class ToySettings(Section, frozen=True, kw_only=True):
            """The toy channel."""

            table: ClassVar[str] = "toy"
            part: ClassVar[str] = "channels/toy"

            greeting: Annotated[str, Meta(description="What it says.")] = "hello"
    ''',
    "building.py": '''
        import msgspec
        from starlette.responses import JSONResponse

        from crossdock.channels.contract import Answer, Channel, ChannelFacts
        from crossdock.errors import NotFound
        from toy.settings import ToySettings

        FACTS = ChannelFacts(name="toy", permissions=("toys.play",), settings={})


        def render_error(error, method):
            return Answer(status=418, body=msgspec.json.encode({"oops": error.code}))


        async def refuse(scope, receive, send):
            raise NotFound("not_found")


        def create_channel(services):
            greeting = services.settings.section(ToySettings).greeting

            async def greet(request):
                return JSONResponse({"says": greeting})

            return Channel(
                name="toy",
                paths=("/toy",),
                app=refuse,
                direct={("GET", "/toy/greeting"): greet},
                render_error=render_error,
            )
    ''',
    "demo.py": '''
        from crossdock.channels.contract import Demo, DemoPartner

        DEMO = Demo(
            partners=(DemoPartner(name="Demo toy"),),
            show=lambda key, secret: {"toy_key": key, "toy_secret": secret},
            show_sample=lambda variant_id: {"toy_id": variant_id},
        )
    ''',
    "commands.py": '''
        import typer

        from crossdock.terminal import JsonOption, report

        app = typer.Typer(help="Play with the toy.")


        @app.callback()
        def main() -> None:
            pass


        @app.command()
        def play(context: typer.Context, as_json: JsonOption = False) -> None:
            """Play once."""

            async def look(runtime):
                async with runtime.database.statement() as tx:
                    return await tx.value("select count(*) from shops")

            shops = context.obj.with_runtime(look)
            report({"shops": shops}, as_json=as_json, text="played")
    ''',
    "deliveries.py": '''
        from crossdock.shop.deliveries import DeliveryKind
        from crossdock.shop.events import Consumer


        async def take(tx, *, batch, now):
            pass


        def create_consumers(services):
            yield Consumer(name="toy_watcher", topics=("stock",), take=take)


        async def build(tx, *, claim):
            return None


        def create_kinds(services):
            yield DeliveryKind(name="toy_note", build=build)
    ''',
    "jobs.py": '''
        from crossdock.jobs.queue import queue


        @queue.task(name="wind_up_toy", pass_context=True)
        async def wind_up_toy(context):
            pass
    ''',
    "guide.md": '''
        # Toy channel

        How to play.
    ''',
}  # fmt: skip
PROGRAM = """
import sys
from crossdock.channels import registry
registry.CHANNELS += ("toy",)
from crossdock.cli import main
main()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the channel's package stands."""
    package = tmp_path / "elsewhere" / "toy"
    package.mkdir(parents=True)
    for name, text in FILES.items():
        (package / name).write_text(text.replace("\n        ", "\n").lstrip())
    return package.parent


@pytest.fixture
def _registered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The channel as the last line of this process's registry."""
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(registry, "CHANNELS", (*registry.CHANNELS, "toy"))
    yield
    queue.tasks.pop("wind_up_toy", None)
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
        del sys.modules[name]


def crossdock(*arguments: str, folder: Path, **settings: object) -> str:
    """What a command prints in a program whose registry has the channel."""
    given = environment(**settings)
    given["PYTHONPATH"] += f":{folder}"
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=given, cwd=folder, check=False, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.usefixtures("_registered")
async def test_it_answers_on_its_path_with_its_settings_and_its_own_errors(
    database_url, tmp_path, clock
):
    async with (
        clocked(
            database_url=database_url, data_dir=str(tmp_path), clock=clock, toy_greeting="moin"
        ) as server,
        httpx2.AsyncClient(base_url=server.url, verify=False) as client,
    ):
        greeted = await client.get("/toy/greeting")
        refused = await client.get("/toy/nothing")
        neighbour = await client.get("/wp-json/nothing")
        page = await client.get("/docs/channels/toy")
        landing = await client.get("/")

    assert (greeted.status_code, greeted.json()) == (200, {"says": "moin"})
    assert (refused.status_code, refused.json()) == (418, {"oops": "not_found"})
    assert neighbour.status_code == 404
    assert (page.status_code, "How to play." in page.text) == (200, True)
    assert "/docs/channels/toy" in landing.text


@pytest.mark.usefixtures("_registered")
def test_its_settings_are_a_table_and_have_names_in_the_environment(tmp_path):
    from toy.settings import ToySettings  # type: ignore[import-not-found]

    file = tmp_path / "crossdock.toml"
    file.write_text('[toy]\ngreeting = "servus"\n')
    assert load_settings({}, file=file).section(ToySettings).greeting == "servus"
    given = {"CROSSDOCK_TOY_GREETING": "ahoy"}
    assert load_settings(given, file=file).section(ToySettings).greeting == "ahoy"

    file.write_text("[toy]\ngreting = 1\n")
    with pytest.raises(SettingsError, match=r"did you mean toy\.greeting"):
        load_settings({}, file=file)


def test_without_its_line_in_the_registry_nothing_of_it_is_there(tmp_path):
    file = tmp_path / "crossdock.toml"
    file.write_text('[toy]\ngreeting = "servus"\n')

    with pytest.raises(SettingsError, match="unknown setting 'toy'"):
        load_settings({}, file=file)


@pytest.mark.usefixtures("_registered")
async def test_the_worker_has_its_tasks_its_consumers_and_its_kinds_of_deliveries(
    settings: Settings,
):
    services = Services(create_runtime(settings))

    equip_worker(services)
    await services.close()

    assert "toy_note" in [kind.name for kind in services.delivery_kinds]
    assert "toy_watcher" in [consumer.name for consumer in services.consumers]
    assert "wind_up_toy" in queue.tasks


@pytest.mark.usefixtures("_registered")
def test_its_page_is_listed_with_the_other_channels():
    [channels] = [
        section
        for section in Guides(of_channels=registry.channel_guides()).sections
        if section.title == "For partners' developers"
    ]

    assert (channels.entries[-1].title, channels.entries[-1].url) == (
        "Toy channel",
        "/docs/channels/toy",
    )


@pytest.mark.usefixtures("_registered")
def test_its_limits_and_errors_are_on_the_generated_pages():
    limits, errors = limits_page(), errors_page()

    of_the_toy = limits.partition("\n## toy\n")[2]
    assert '| `toy.greeting` | "hello" | What it says. |' in of_the_toy
    assert "| toys | 7 \\| 8 |" in of_the_toy
    assert "| 418 | `oops` | It is a toy. | Play on. |" in errors.partition("\n## toy\n")[2]


@pytest.mark.slow
def test_its_commands_and_its_demo_partner_are_there(folder, empty_database_url, tmp_path):
    settings = {"data_dir": tmp_path, "database_url": empty_database_url}

    told = crossdock("--help", folder=folder, **settings)
    loaded = crossdock("demo", "load", "--products", "60", "--json", folder=folder, **settings)
    shown = crossdock("demo", "credentials", "--json", folder=folder, **settings)
    played = crossdock("toy", "play", "--json", folder=folder, **settings)

    assert "Play with the toy." in told
    assert json.loads(loaded)["partners_added"] == 8
    toy = json.loads(shown)["toy"]
    assert (toy["toy_key"][:3], toy["toy_secret"][:3]) == ("pk_", "sk_")
    assert toy["toy_id"] == json.loads(shown)["shopwedo"]["sku"]
    assert json.loads(played) == {"shops": 1}
