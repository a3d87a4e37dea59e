"""A report finds the losses of its runs in the store."""

from dataclasses import replace
from pathlib import Path

import builders
import numpy as np
from stored import losses

from pyheta.pipeline.losses import write_losses
from pyheta.report.query import ReportQuery
from pyheta.report.read import read_table
from pyheta.report.wording import lines
from pyheta.steps import Metric, Success
from pyheta.store.postgres import PostgresStore


async def test_losses_that_scores_have_kept_mark_a_table(
    store: PostgresStore, tmp_path: Path
) -> None:
    # Given three scores: the second is lowest, the first as good but for chance, the third worse
    random = np.random.default_rng(0)
    scores = [builders.score(net) for net in ("a", "b", "c")]
    sweep = replace(builders.submission(*scores), axes=("tag",))
    await store.submit(sweep)
    worker = await builders.new_worker(store)
    for mean, more in ((1.001, 0.001), (1.0, 0.0), (1.5, 1.0)):
        claim = await builders.claim_one(store, worker)
        path = tmp_path / "losses.safetensors"
        write_losses(path, losses(more + random.chisquare(1, 500)))
        kept = await store.artifacts.put(path)
        metrics = (Metric("test", "rmse", 0, mean),)
        assert await store.succeed(claim.step, claim.fence, Success((kept,), metrics))

    # When
    table = await read_table(store, store.artifacts, sweep.id, ReportQuery())

    # Then
    assert [line.cells[0].marks for line in lines(table)] == ["=", "*", ""]
    assert [(basis.windows, basis.block) for basis in table.bases] == [(500, 8)]
