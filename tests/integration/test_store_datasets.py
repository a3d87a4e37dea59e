"""Files with a name in the store: one file a name, for everybody, and gc leaves them alone."""

import asyncio
import hashlib
from pathlib import Path

import pytest
import tables

from pyheta.commands.data_add import Added, add, remove
from pyheta.commands.gc import Total, collect
from pyheta.errors import InputError
from pyheta.store.postgres import PostgresStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text("date,a\n")
    return path


def other(file: Path) -> Path:
    path = file.with_name("other.csv")
    path.write_text("date,b,c\n")
    return path


async def blobs(url: str) -> int:
    return len(await tables.fetch(url, "SELECT FROM pyheta.blob"))


async def age(url: str) -> None:
    await tables.execute(url, "UPDATE pyheta.blob SET created_at = now() - interval '61 minutes'")


async def test_a_file_is_found_by_the_name_that_it_was_given(
    store: PostgresStore, file: Path, tmp_path: Path
) -> None:
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()

    assert await add(store, store.artifacts, file, "prices") == Added("prices", sha256, 7)

    found = await store.find_dataset("prices")
    assert found is not None
    assert (found.sha256, found.file, found.size) == (sha256, "prices.csv", 7)
    assert [each.name for each in await store.datasets()] == ["prices"]
    assert await store.find_dataset("price") is None
    await store.artifacts.fetch(found.sha256, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


async def test_adding_it_again_changes_nothing(store: PostgresStore, file: Path) -> None:
    await add(store, store.artifacts, file, "prices")
    before = await store.datasets()

    await add(store, store.artifacts, file, "prices")

    assert await store.datasets() == before


async def test_one_file_may_have_two_names(store: PostgresStore, file: Path) -> None:
    for name in ("a", "b"):
        await add(store, store.artifacts, file, name)
    assert [each.name for each in await store.datasets()] == ["a", "b"]


async def test_another_file_under_a_taken_name_is_refused_and_not_stored(
    store: PostgresStore, file: Path, database_url: str
) -> None:
    await add(store, store.artifacts, file, "prices")

    with pytest.raises(
        InputError, match=r"'prices' is another file .*or first: pyheta data remove"
    ):
        await add(store, store.artifacts, other(file), "prices")

    assert await blobs(database_url) == 1


async def test_of_two_at_once_one_gets_the_name(store: PostgresStore, file: Path) -> None:
    tries = (add(store, store.artifacts, path, "prices") for path in (file, other(file)))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Added", "InputError"]
    assert len(await store.datasets()) == 1


async def test_gc_leaves_a_named_file_and_removes_it_once_it_has_no_name(
    store: PostgresStore, file: Path, database_url: str
) -> None:
    await add(store, store.artifacts, file, "prices")
    await age(database_url)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()

    assert (await collect(store, store.artifacts, dry_run=False)).freed == Total()
    assert await store.artifacts.remove([sha256], 0) == set()  # whatever gc believes

    assert "pyheta gc" in await remove(store, "prices")
    assert (await collect(store, store.artifacts, dry_run=False)).freed == Total(1, 7)
    assert await store.datasets() == []


async def test_removing_a_name_that_nobody_has_is_refused(store: PostgresStore) -> None:
    with pytest.raises(InputError, match="no file of the store is called 'prices'"):
        await remove(store, "prices")


@pytest.mark.parametrize("name", ["a b", "", "../a", "x" * 65])
async def test_the_store_takes_no_name_that_is_none(
    store: PostgresStore, database_url: str, name: str
) -> None:
    insert = "INSERT INTO pyheta.dataset (name, sha256, file, size) VALUES ($1, $2, 'f', 0)"
    with pytest.raises(Exception, match="dataset_name_check"):
        await tables.execute(database_url, insert, name, "0" * 64)
