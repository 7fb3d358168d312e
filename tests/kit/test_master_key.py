"""The master key's file..."""

import base64
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from crossdock.compose import create_box
from crossdock.errors import Conflict, Invalid
from crossdock.kit.crypto import SecretBox
from crossdock.kit.master_key import KeyFile, decode_key
from crossdock.settings import Settings

OLD, NEW = b"o" * 32, b"n" * 32
TEXTS = {key: base64.b64encode(key).decode() for key in (OLD, NEW)}


def mode_and_names(folder: Path) -> tuple[int, list[str]]:
    mode = stat.S_IMODE((folder / "master.key").stat().st_mode)
    return mode, [path.name for path in folder.iterdir()]


def test_is_made_once_and_readable_by_its_owner_only(tmp_path):
    first = KeyFile(tmp_path / "data").read()

    assert KeyFile(tmp_path / "data").read() == first
    assert [len(key) for key in first] == [32]
    assert mode_and_names(tmp_path / "data") == (0o600, ["master.key"])


def test_is_not_made_where_the_setting_has_a_key(tmp_path):
    box = create_box(Settings().having(master_key=TEXTS[NEW], data_dir=str(tmp_path)))

    assert SecretBox(NEW).open(box.seal(b"x", place="p"), place="p") == b"x"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "nonsense", "AAAA", "x\n" * 2, TEXTS[OLD] + "\nnonsense"])
def test_is_named_when_it_is_spoilt_and_not_shown(text, tmp_path):
    (tmp_path / "master.key").write_text(text)

    with pytest.raises(Invalid, match=r"master\.key must be") as refusal:
        KeyFile(tmp_path).read()

    assert not text or text not in str(refusal.value)


@pytest.mark.parametrize("text", ["x", "AAAA", "!" * 44, base64.b64encode(b"a" * 33).decode()])
def test_takes_no_text_that_is_no_key(text):
    with pytest.raises(Invalid, match="the setting must be"):
        decode_key(text, where="the setting")


def test_keeps_the_older_keys_behind_a_new_one(tmp_path):
    file = KeyFile(tmp_path)
    [first] = file.read()

    file.change()
    file.change()

    keys = file.read()
    assert (len(set(keys)), keys[2]) == (3, first)
    assert mode_and_names(tmp_path) == (0o600, ["master.key"])


def test_loses_the_older_keys_when_told_to(tmp_path):
    file = KeyFile(tmp_path)
    first = file.read()[0]
    assert file.forget_older(newest=first) == 0
    file.change()
    newest = file.read()[0]
    with pytest.raises(Conflict, match="changed meanwhile"):
        file.forget_older(newest=first)
    assert file.read() == (newest, first)

    assert file.forget_older(newest=newest) == 1
    assert file.read() == (newest,)


def test_keeps_its_link_and_its_owner(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "key").write_text(TEXTS[OLD])
    if os.geteuid() == 0:
        os.chown(tmp_path / "elsewhere" / "key", 4321, 4321)
    owner = (tmp_path / "elsewhere" / "key").stat().st_uid
    (tmp_path / "master.key").symlink_to("elsewhere/key")

    KeyFile(tmp_path).change()

    assert (tmp_path / "master.key").is_symlink()
    assert (tmp_path / "elsewhere" / "key").stat().st_uid == owner
    assert KeyFile(tmp_path).read()[1] == OLD


def test_is_followed_by_a_box_that_is_in_use(tmp_path):
    settings = Settings().having(data_dir=str(tmp_path), master_key_older=(TEXTS[OLD],))
    box, twin = create_box(settings), create_box(settings)
    before = box.seal(b"x", place="p")

    KeyFile(tmp_path).change()

    after = box.seal(b"x", place="p")
    newest, former = KeyFile(tmp_path).read()
    assert SecretBox(newest).open(after, place="p") == b"x"
    assert SecretBox(former).open(before, place="p") == b"x"
    assert {twin.open(s, place="p") for s in (before, after)} == {b"x"}
    assert box.open(SecretBox(OLD).seal(b"y", place="p"), place="p") == b"y"


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("half a k")])
def test_is_not_missed_by_a_box_that_is_in_use(spoil, tmp_path):
    box = create_box(Settings().having(data_dir=str(tmp_path)))
    sealed = box.seal(b"x", place="p")

    spoil(tmp_path / "master.key")

    assert box.open(box.seal(b"x", place="p"), place="p") == box.open(sealed, place="p") == b"x"


def _read(folder: str) -> bytes:
    return KeyFile(Path(folder)).read()[0]


def _change(folder: str) -> None:
    KeyFile(Path(folder)).change()


def test_is_the_same_for_processes_that_start_together(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(_read, [str(tmp_path)] * 16, chunksize=1)
    assert len(set(keys)) == 1


def test_loses_no_key_to_changes_at_once(tmp_path):
    first = _read(str(tmp_path))
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.map(_change, [str(tmp_path)] * 12, chunksize=1)

    keys = KeyFile(tmp_path).read()
    assert (len(set(keys)), keys[-1]) == (13, first)
