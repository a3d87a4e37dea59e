--- sweeps: The sweeps, the newest submission first.
SELECT id, name, overrides, runs, created_at, submitted_at, cancelled_at,
    axes, report, leakage, asked
FROM pyheta.sweep
ORDER BY submitted_at DESC
LIMIT $1;

--- find_sweep: The best two matches of a name or the beginning of an id: names first, then newest.
SELECT id, name, overrides, runs, created_at, submitted_at, cancelled_at,
    axes, report, leakage, asked
FROM pyheta.sweep
WHERE name = $1 OR starts_with(id, $1)
ORDER BY name = $1 DESC, submitted_at DESC
LIMIT 2;

--- step_counts: A sweep's steps by operation and state.
SELECT step.op, step.kind, step.state, count(*), avg(step.seconds) AS mean_seconds
FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
WHERE sweep_step.sweep_id = $1
GROUP BY step.op, step.kind, step.state
ORDER BY step.kind, step.op, step.state;

--- run_counts: A sweep's runs by the state of their scores.
-- A fold that has its score waits for that of all folds.
SELECT answer.state, count(*)
FROM pyheta.run
JOIN pyheta.step AS own ON own.id = run.score_id
LEFT JOIN pyheta.step AS pooled ON pooled.id = run.pooled_id
CROSS JOIN LATERAL (
    SELECT CASE own.state WHEN 'succeeded' THEN coalesce(pooled.state, own.state) ELSE own.state END
        AS state
) AS answer
WHERE run.sweep_id = $1
GROUP BY answer.state;

--- finished_since: How many of a sweep's steps succeeded lately.
SELECT count(*)
FROM pyheta.step
WHERE state = 'succeeded' AND finished_at > now() - $2::interval
    AND EXISTS (SELECT FROM pyheta.sweep_step WHERE sweep_id = $1 AND step_id = step.id);

--- running: A sweep's steps that workers hold, the longest running first.
SELECT step.id, step.key, step.op, step.params, worker.host, worker.pid,
    attempt.started_at, attempt.progress
FROM pyheta.step
JOIN pyheta.worker ON worker.id = step.worker_id
JOIN pyheta.attempt ON attempt.step_id = step.id AND attempt.fence = step.fence
WHERE step.state = 'running'
    AND EXISTS (SELECT FROM pyheta.sweep_step WHERE sweep_id = $1 AND step_id = step.id)
ORDER BY attempt.started_at, step.id
LIMIT $2;

--- failures: A sweep's failed steps by reason, without those that failed only because a need did.
SELECT step.op, step.reason, count(*), min(step.key) AS example
FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
WHERE sweep_step.sweep_id = $1 AND step.state = 'failed' AND step.blocked_by IS NULL
GROUP BY step.op, step.reason
ORDER BY count(*) DESC, step.op, step.reason
LIMIT $2;

--- workers: The living workers, with the number of steps that each holds.
SELECT id, host, pid, kinds, procs, device, version, state, held.count AS held, started_at,
    extract(epoch FROM lease_until - clock_timestamp())::float8 AS lease_seconds
FROM pyheta.worker
CROSS JOIN LATERAL (
    SELECT count(*) FROM pyheta.step WHERE step.worker_id = worker.id AND step.state = 'running'
) AS held
WHERE state = 'alive'
ORDER BY started_at DESC;

--- runs: A sweep's runs (only $2, if given), their scores' state, metrics up to horizon $3; $4: pooled.
SELECT run.sweep_id, run.ordinal, run.role, run.config, run.seed,
    CASE WHEN NOT $4 THEN run.fold END AS fold, step.key, step.state, step.reason,
    measured.splits, measured.names, measured.horizons, measured.values
FROM pyheta.run
JOIN pyheta.step ON step.id = CASE WHEN $4 THEN coalesce(run.pooled_id, run.score_id) ELSE run.score_id END
CROSS JOIN LATERAL (
    SELECT array_agg(split) AS splits, array_agg(name) AS names,
        array_agg(horizon) AS horizons, array_agg(value) AS values
    FROM pyheta.metric CROSS JOIN unnest(names, numbers) AS one (name, value)
    WHERE metric.step_id = step.id AND metric.horizon <= $3
) AS measured
WHERE run.sweep_id = $1 AND ($2::int IS NULL OR run.ordinal = $2)
    AND (NOT $4::boolean OR coalesce(run.fold, 0) = 0)
ORDER BY run.ordinal;

--- locate_run: The newest run that needs a step whose key lies between $1 and $2.
WITH RECURSIVE above (id) AS (
    SELECT id FROM pyheta.step WHERE key >= $1 AND key < $2
    UNION
    SELECT need.step_id FROM above JOIN pyheta.need ON need.need_id = above.id
), answered (sweep_id, ordinal, pooled) AS (
    SELECT run.sweep_id, run.ordinal, false
    FROM above JOIN pyheta.run ON run.score_id = above.id
    UNION ALL
    SELECT run.sweep_id, run.ordinal, true
    FROM above JOIN pyheta.run ON run.pooled_id = above.id
)
SELECT answered.sweep_id, answered.ordinal
FROM answered JOIN pyheta.sweep ON sweep.id = answered.sweep_id
ORDER BY sweep.submitted_at DESC, answered.pooled, answered.ordinal  -- rather the very fold
LIMIT 1;

--- steps_of: A score and everything that it needs, needs first, with products and metrics.
WITH RECURSIVE needed (id) AS (
    SELECT id FROM pyheta.step WHERE key = $1
    UNION
    SELECT need.need_id FROM needed JOIN pyheta.need ON need.step_id = needed.id
)
SELECT step.*, cause.key AS cause, made.products, measured.metrics
FROM needed
JOIN pyheta.step USING (id)
LEFT JOIN pyheta.step AS cause ON cause.id = step.blocked_by
CROSS JOIN LATERAL (
    SELECT array_agg((name, sha256, size) ORDER BY name) AS products
    FROM pyheta.product WHERE product.step_id = step.id
) AS made
CROSS JOIN LATERAL (
    SELECT array_agg((split, name, horizon, value) ORDER BY horizon, split, name) AS metrics
    FROM pyheta.metric CROSS JOIN unnest(names, numbers) AS one (name, value)
    WHERE metric.step_id = step.id
) AS measured
ORDER BY step.id;

--- steps: A sweep's steps of one operation, the oldest first.
SELECT step.*, cause.key AS cause, NULL AS products, NULL AS metrics
FROM pyheta.sweep_step
JOIN pyheta.step ON step.id = sweep_step.step_id
LEFT JOIN pyheta.step AS cause ON cause.id = step.blocked_by
WHERE sweep_step.sweep_id = $1 AND step.op = $2
ORDER BY step.id;

--- products: The hashes of one product of these steps, where they have it.
SELECT step.key, product.sha256
FROM pyheta.step
JOIN pyheta.product ON product.step_id = step.id
WHERE step.key = ANY ($1::text[]) AND product.name = $2
ORDER BY step.id;

--- attempts: Every attempt of these steps, the newest last.
SELECT attempt.step_id AS step, step.op, attempt.fence, worker.host, worker.pid, attempt.started_at,
    attempt.ended_at, attempt.outcome, attempt.reason, attempt.detail, attempt.log, attempt.cost
FROM pyheta.attempt
JOIN pyheta.step ON step.id = attempt.step_id
JOIN pyheta.worker ON worker.id = attempt.worker_id
WHERE attempt.step_id = ANY ($1::bigint[])
ORDER BY attempt.fence;
