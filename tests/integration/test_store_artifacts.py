"""What every place for artifacts promises, in PostgreSQL as in a folder."""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
import tables

from pyheta.errors import ConfigError, StoreError
from pyheta.steps import digest
from pyheta.store import artifacts as module
from pyheta.store.artifacts import HashNamed, ObjectArtifacts
from pyheta.store.postgres import PostgresStore
from pyheta.store.seam import Artifacts, StoredArtifact

HOUR = 3600.0


async def listed(artifacts: Artifacts) -> list[StoredArtifact]:
    return [found async for batch in artifacts.stored(HOUR) for found in batch]


class ArtifactsContract:
    """Subclasses provide `artifacts`, and what happens behind its back.

    `damage` changes the bytes of an artifact, `age` makes all of them two hours old.
    """

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "weights.safetensors"
        path.write_bytes(bytes(range(256)) * 4)
        return path

    async def test_gives_back_what_was_put(
        self, artifacts: Artifacts, file: Path, tmp_path: Path
    ) -> None:
        product = await artifacts.put(file)
        await artifacts.fetch(product.sha256, tmp_path / "back")

        assert (product.name, product.size) == ("weights", 1024)
        assert (tmp_path / "back").read_bytes() == file.read_bytes()

    async def test_keeps_the_same_bytes_once(
        self, artifacts: Artifacts, file: Path, tmp_path: Path
    ) -> None:
        copy = tmp_path / "copy"
        copy.write_bytes(file.read_bytes())

        first, second = await artifacts.put(file), await artifacts.put(copy)

        assert first.sha256 == second.sha256
        assert await listed(artifacts) == [StoredArtifact(first.sha256, 1024, young=True)]

    async def test_lists_all_in_batches(
        self, artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "BATCH", 2)
        files = [tmp_path / str(number) for number in range(5)]
        for file in files:
            file.write_text(file.name)

        put = [(await artifacts.put(file)).sha256 for file in files]

        assert sorted(found.sha256 for found in await listed(artifacts)) == sorted(put)

    async def test_are_young_again_when_they_are_put_again(
        self, artifacts: Artifacts, age: Callable[[], Awaitable[None]], file: Path
    ) -> None:
        product = await artifacts.put(file)
        await age()
        assert not (await listed(artifacts))[0].young

        await artifacts.put(file)

        assert (await listed(artifacts))[0].young
        assert await artifacts.remove([product.sha256], HOUR) == set()

    async def test_are_removed_when_they_are_old(
        self, artifacts: Artifacts, age: Callable[[], Awaitable[None]], file: Path
    ) -> None:
        product = await artifacts.put(file)
        await age()

        assert await artifacts.remove([product.sha256, digest("gone before")], HOUR) == {
            product.sha256
        }
        assert await listed(artifacts) == []

    async def test_keeps_an_empty_file(self, artifacts: Artifacts, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        product = await artifacts.put(tmp_path / "empty")
        await artifacts.fetch(product.sha256, tmp_path / "back")

        assert (tmp_path / "back").read_bytes() == b""

    async def test_says_what_is_missing_and_writes_nothing(
        self, artifacts: Artifacts, tmp_path: Path
    ) -> None:
        with pytest.raises(StoreError, match="is not there"):
            await artifacts.fetch(digest("nothing"), tmp_path / "back")

        assert not (tmp_path / "back").exists()

    async def test_refuses_damaged_bytes_and_writes_nothing(
        self,
        artifacts: Artifacts,
        damage: Callable[[str], Awaitable[None]],
        file: Path,
        tmp_path: Path,
    ) -> None:
        product = await artifacts.put(file)
        await damage(product.sha256)

        with pytest.raises(StoreError, match="damaged"):
            await artifacts.fetch(product.sha256, tmp_path / "back")

        assert not (tmp_path / "back").exists()

    async def test_replaces_a_file_and_leaves_no_other(
        self, artifacts: Artifacts, file: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "inputs"
        folder.mkdir()
        (folder / "back").write_bytes(b"old")
        product = await artifacts.put(file)

        await artifacts.fetch(product.sha256, folder / "back")

        assert [path.name for path in folder.iterdir()] == ["back"]

    async def test_checks_itself_and_leaves_nothing_behind(
        self, artifacts: Artifacts, stored: Callable[[], Awaitable[int]]
    ) -> None:
        assert await artifacts.check() == cast(HashNamed, artifacts).where
        assert await stored() == 0


class TestPostgresArtifacts(ArtifactsContract):
    @pytest.fixture
    async def artifacts(self, database_url: str) -> AsyncIterator[Artifacts]:
        async with PostgresStore.open(database_url) as store:
            yield store.artifacts

    @pytest.fixture
    def damage(self, database_url: str) -> Callable[[str], Awaitable[None]]:
        async def damage(sha256: str) -> None:
            change = "UPDATE pyheta.blob SET bytes = set_byte(bytes, 7, 255) WHERE sha256 = $1"
            await tables.execute(database_url, change, sha256)

        return damage

    @pytest.fixture
    def age(self, database_url: str) -> Callable[[], Awaitable[None]]:
        return partial(
            tables.execute,
            database_url,
            "UPDATE pyheta.blob SET created_at = now() - interval '2 hours'",
        )

    @pytest.fixture
    def stored(self, database_url: str) -> Callable[[], Awaitable[int]]:
        async def stored() -> int:
            return len(await tables.fetch(database_url, "SELECT FROM pyheta.blob"))

        return stored

    async def test_names_the_setting_for_what_is_too_large(
        self, artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LARGEST_BLOB", 10)
        (tmp_path / "large").write_bytes(b"x" * 11)

        with pytest.raises(ConfigError, match="PYHETA_ARTIFACTS_URL"):
            await artifacts.put(tmp_path / "large")


class TestObjectArtifacts(ArtifactsContract):
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path / "not there yet" / "artifacts"

    @pytest.fixture
    def artifacts(self, root: Path) -> Artifacts:
        return ObjectArtifacts(root.as_uri(), uuid4())

    @pytest.fixture
    def damage(self, root: Path) -> Callable[[str], Awaitable[None]]:
        async def damage(sha256: str) -> None:
            (root / sha256[:2] / sha256).write_bytes(b"something else")

        return damage

    @pytest.fixture
    def age(self, root: Path) -> Callable[[], Awaitable[None]]:
        async def age() -> None:
            for path in root.glob("??/*"):
                os.utime(path, (time.time() - 2 * HOUR,) * 2)

        return age

    @pytest.fixture
    def stored(self, root: Path) -> Callable[[], Awaitable[int]]:
        async def stored() -> int:
            return len([path for path in root.rglob("*") if path.is_file()])

        return stored

    @pytest.mark.parametrize("url", ["file:///proc/nothing/here", "ftp://host/folder"])
    async def test_says_where_nothing_can_be_kept(self, url: str) -> None:
        with pytest.raises(ConfigError, match="PYHETA_ARTIFACTS_URL"):
            ObjectArtifacts(url, uuid4())

    async def test_counts_the_other_stores_in_the_same_place(
        self, artifacts: Artifacts, root: Path, file: Path
    ) -> None:
        other = ObjectArtifacts(root.as_uri(), uuid4())
        await artifacts.put(file)
        assert (await artifacts.others(), await other.others()) == (0, 1)

        await other.put(file)

        assert (await artifacts.others(), await other.others()) == (1, 1)

    async def test_leaves_alone_what_is_no_artifact(self, artifacts: Artifacts, root: Path) -> None:
        (root / "ab").mkdir(parents=True)
        (root / "ab" / "notes.txt").write_text("mine")

        assert await listed(artifacts) == []
