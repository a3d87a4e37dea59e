"""A claimed step finds what an earlier step of its course has left."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import builders
import pytest
from builders import A_COST, BOTH, ERROR

from pyheta.nets.training.options import LIMITS
from pyheta.steps import Claim, Kind, Product, Step, Success
from pyheta.store.postgres import PostgresStore


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore.open(database_url, limits=lambda: LIMITS) as store:
        yield store


def outcome(tag: str, epochs: int, stopped: str, products: Sequence[str] = ("weights",)) -> Success:
    """A fit's, whose products' hashes tell of `tag`."""
    made = tuple(Product(name, f"{tag:0<63}{number}", 1) for number, name in enumerate(products))
    return Success(made, summary={"epochs": epochs, "stopped": stopped})


LEFT = ("weights", "standing")


async def ended(store: PostgresStore, step: Step, success: Success) -> None:
    """The step has been computed so."""
    await store.submit(builders.submission(step, name=step.key))
    claim = await builders.claim_one(store, await builders.new_worker(store))
    assert claim.key == step.key
    assert await store.succeed(claim.step, claim.fence, success)


async def found_by(store: PostgresStore, step: Step) -> dict[str, str]:
    """The first digits of what it finds, by name."""
    await store.submit(builders.submission(step, name=step.key))
    [claim] = await store.claim_next(await builders.new_worker(store), BOTH, 1)
    return found(claim)


def found(claim: Claim) -> dict[str, str]:
    return {one.name: one.sha256.strip("0")[:1] for one in claim.inputs if one.role == "earlier"}


async def test_of_those_that_went_less_far_the_one_that_went_furthest(store: PostgresStore) -> None:
    # Given fits of one course that stopped after 3, 6 and 9 epochs and have left how they stood
    for tag, epochs in {"a": 3, "b": 6, "c": 9}.items():
        await ended(
            store, builders.fit_of_course("x", epochs), outcome(tag, epochs, "epochs", LEFT)
        )

    # When one is claimed that goes on to the eighth
    # Then it finds what the one has left that stopped after six
    assert await found_by(store, builders.fit_of_course("x", 8)) == {
        "weights": "b",
        "standing": "b",
    }


async def test_also_by_the_claim_of_a_single_step(store: PostgresStore) -> None:
    await ended(store, builders.fit_of_course("x", 3), outcome("a", 3, "patience"))
    later = builders.fit_of_course("x", 8)
    receipt = await store.submit(builders.submission(later))
    assert receipt.added == 1
    worker = await builders.new_worker(store)
    [claim] = await store.claim_next(worker, BOTH, 1)
    await store.fail(claim.step, claim.fence, builders.RELEASE)

    again = await store.claim(worker, claim.step)

    assert again is not None
    assert found(again) == {"weights": "a"}


async def test_one_that_the_same_patience_ended_though_it_has_left_nothing(
    store: PostgresStore,
) -> None:
    await ended(store, builders.fit_of_course("x", 50), outcome("a", 7, "patience"))

    assert await found_by(store, builders.fit_of_course("x", 10)) == {"weights": "a"}


async def test_one_that_went_to_the_same_epoch_with_less_patience(store: PostgresStore) -> None:
    await ended(store, builders.fit_of_course("x", 9, patience=2), outcome("a", 9, "epochs"))

    assert await found_by(store, builders.fit_of_course("x", 9, patience=4)) == {"weights": "a"}


async def test_how_it_stood_only_where_something_is_left_to_do(store: PostgresStore) -> None:
    left = builders.fit_of_course("x", 50, resumable=True)
    await ended(store, left, outcome("a", 7, "patience", LEFT))

    assert await found_by(store, builders.fit_of_course("x", 60)) == {"weights": "a"}
    whole = {"weights": "a", "standing": "a"}
    assert await found_by(store, builders.fit_of_course("x", 60, patience=9)) == whole
    assert await found_by(store, builders.fit_of_course("x", 60, resumable=True)) == whole


async def test_of_two_that_went_as_far_the_one_that_is_of_use(store: PostgresStore) -> None:
    # Given two that patience ended after the same epoch, the second of which has left how it stood
    await ended(store, builders.fit_of_course("x", 50), outcome("a", 7, "patience"))
    await ended(
        store, builders.fit_of_course("x", 51, resumable=True), outcome("b", 7, "patience", LEFT)
    )

    # Then more patience goes on from the second, and as much takes one of them as it is
    more = builders.fit_of_course("x", 60, patience=9)
    assert await found_by(store, more) == {"weights": "b", "standing": "b"}
    assert (await found_by(store, builders.fit_of_course("x", 60))).keys() == {"weights"}


async def test_one_with_as_much_patience_though_another_with_more_went_further(
    store: PostgresStore,
) -> None:
    await ended(store, builders.fit_of_course("x", 50, 2), outcome("a", 7, "patience"))
    await ended(
        store,
        builders.fit_of_course("x", 50, 9, resumable=True),
        outcome("b", 20, "patience", LEFT),
    )

    assert await found_by(store, builders.fit_of_course("x", 90, 2)) == {"weights": "a"}


@pytest.mark.parametrize(
    ("epochs", "patience", "resumable"),
    [
        (10, 5, False),  # more epochs
        (3, 4, False),  # less patience, which might have ended it before
        (2, 5, False),  # fewer epochs: the weights of the second may be gone
        (3, 5, True),  # and to leave how it stands
    ],
)
async def test_nothing_that_it_could_not_go_on_from(
    store: PostgresStore, epochs: int, patience: int, resumable: bool
) -> None:
    await ended(store, builders.fit_of_course("x", 3), outcome("a", 3, "epochs"))

    assert (
        await found_by(store, builders.fit_of_course("x", epochs, patience, resumable=resumable))
        == {}
    )


async def test_not_how_a_need_stood(store: PostgresStore) -> None:
    # Given a fit that has left how it stood, and the score that reads its weights
    fit = builders.fit_of_course("x", 3, resumable=True)
    await store.submit(builders.submission(fit, builders.score("s", fit)))
    worker = await builders.new_worker(store)
    [claim] = await store.claim_next(worker, BOTH, 1)
    await store.succeed(claim.step, claim.fence, outcome("a", 3, "epochs", LEFT))

    [score] = await store.claim_next(worker, BOTH, 1)

    assert [one.name for one in score.inputs] == ["weights"]


async def test_nothing_of_another_course(store: PostgresStore) -> None:
    await ended(store, builders.fit_of_course("y", 3), outcome("a", 3, "epochs", LEFT))
    await ended(store, builders.fit("none"), outcome("b", 3, "epochs", LEFT))

    assert await found_by(store, builders.fit_of_course("x", 10)) == {}
    assert await found_by(store, builders.fit("of no course")) == {}


async def test_nothing_of_one_that_is_not_done(store: PostgresStore) -> None:
    await store.submit(
        builders.submission(*(builders.fit_of_course("x", epochs) for epochs in (2, 3)))
    )
    worker = await builders.new_worker(store)
    held, failed = await store.claim_next(worker, BOTH, 2)
    await store.fail(failed.step, failed.fence, ERROR)

    assert found(held) == {}
    assert await found_by(store, builders.fit_of_course("x", 10)) == {}


def decomposition(course: str, content: str) -> Step:
    """A ready one of a column with this content."""
    params = {"column": "load", "content": content}
    return Step("decompose", 1, Kind.DATA, params, course=course)


def components(tag: str, rows: int) -> Success:
    """A decomposition's outcome, whose product's hash tells of `tag`."""
    made = Product("components", f"{tag:0<63}0", 1)
    return Success(
        (made,), summary={"rows": rows, "resumed": 0}, cost=replace(A_COST, wall_seconds=2.0)
    )


async def test_of_decompositions_the_one_with_the_most_rows(store: PostgresStore) -> None:
    # Given columns that begin alike, one of them longer than the one that is to be decomposed
    for tag, rows in {"a": 300, "b": 900, "c": 600}.items():
        await ended(store, decomposition("x", tag), components(tag, rows))

    assert await found_by(store, decomposition("x", "d")) == {"components": "b"}


async def test_of_decompositions_with_as_many_rows_the_newest(store: PostgresStore) -> None:
    for tag in ("a", "b"):
        await ended(store, decomposition("x", tag), components(tag, 300))

    assert await found_by(store, decomposition("x", "c")) == {"components": "b"}


async def test_no_decomposition_of_another_course_or_of_none(store: PostgresStore) -> None:
    await ended(store, decomposition("y", "a"), components("a", 300))
    await ended(store, Step("decompose", 1, Kind.DATA, {"column": "c"}), components("c", 300))

    assert await found_by(store, decomposition("x", "d")) == {}
    assert await found_by(store, Step("decompose", 1, Kind.DATA, {"column": "e"})) == {}


async def test_estimates_leave_out_a_decomposition_that_took_rows_over(
    store: PostgresStore,
) -> None:
    await ended(store, decomposition("x", "a"), components("a", 300))
    quick = replace(
        components("b", 400),
        summary={"rows": 400, "resumed": 300},
        cost=replace(A_COST, wall_seconds=0.1),
    )
    await ended(store, decomposition("x", "b"), quick)

    assert await store.mean_seconds(["column"]) == {("decompose", ("load",)): 2.0}
