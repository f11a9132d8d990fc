from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.event import Subject
from infra.master_key import (
    FILE,
    MasterKey,
    MasterKeyUnusable,
    kept_master_key,
    read_master_key,
)

ALICE = Subject("team", "s", "alice")
SECRET = bytes(range(32))


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    wrapped = kept_master_key(tmp_path).wrap(SECRET, ALICE, 1)
    assert kept_master_key(tmp_path).unwrap(wrapped, ALICE, 1) == SECRET
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_of_several_who_make_it_at_once_all_get_the_same(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(kept_master_key, [tmp_path] * 8))
    wrapped = keys[0].wrap(SECRET, ALICE, 1)
    assert all(key.unwrap(wrapped, ALICE, 1) == SECRET for key in keys)


def test_a_file_of_another_length_is_refused(tmp_path):
    (tmp_path / FILE).write_bytes(b"short")
    with pytest.raises(MasterKeyUnusable):
        kept_master_key(tmp_path)


def test_a_key_from_settings_is_base64():
    key = read_master_key(b64encode(SECRET).decode())
    assert MasterKey(SECRET).unwrap(key.wrap(b"x", ALICE, 1), ALICE, 1) == b"x"
    for wrong in ("not base64!", b64encode(b"short").decode()):
        with pytest.raises(MasterKeyUnusable):
            read_master_key(wrong)


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        (Subject("team", "s", "bob"), 1),
        (Subject("team", None, "alice"), 1),
        (Subject("teams", "", "alice"), 1),
        (ALICE, 2),
    ],
)
def test_a_wrapped_key_opens_for_its_own_subject_only(subject, number):
    key = MasterKey(SECRET)
    with pytest.raises(MasterKeyUnusable):
        key.unwrap(key.wrap(SECRET, ALICE, 1), subject, number)
