--- register: A worker's life begins. Saying it twice (an answer was lost) changes nothing.
INSERT INTO pyheta.worker (id, host, pid, version, kinds, procs, device, lease_until)
VALUES ($1, $2, $3, $4, $5::pyheta.kind[], $6, $7, clock_timestamp() + $8::interval)
ON CONFLICT (id) DO NOTHING;

--- heartbeat: Extend a living worker's lease, note progress, list what it holds. No row: dead.
WITH beat AS (
    UPDATE pyheta.worker SET lease_until = clock_timestamp() + $2::interval
    WHERE id = $1 AND state = 'alive'
    RETURNING id
), noted AS (
    UPDATE pyheta.attempt SET progress = report.progress
    FROM unnest($3::bigint[], $4::bigint[], $5::jsonb[]) AS report (step_id, fence, progress)
    WHERE attempt.step_id = report.step_id AND attempt.fence = report.fence
        AND attempt.worker_id = (SELECT id FROM beat) AND attempt.ended_at IS NULL
)
SELECT step.id, step.fence, step.cancel_requested
FROM beat LEFT JOIN pyheta.step ON step.worker_id = beat.id AND step.state = 'running';

--- retire: A worker's life ends in order.
UPDATE pyheta.worker SET state = 'stopped', ended_at = now() WHERE id = $1 AND state = 'alive';

--- claim: Take this step for a living worker. The share lock keeps `mark_dead` out meanwhile.
-- Only steps that nobody has tried before have a bundle for their worker.
WITH living AS MATERIALIZED (
    SELECT id FROM pyheta.worker
    WHERE id = $1 AND state = 'alive' AND lease_until > clock_timestamp()
    FOR SHARE
), taken AS (
    UPDATE pyheta.step SET state = 'running', worker_id = $1, fence = nextval('pyheta.fence')
    WHERE id = $2 AND state = 'queued' AND available_at <= now() AND EXISTS (SELECT FROM living)
    RETURNING id, fence, key, op, version, kind, params,
        CASE WHEN tries + crashes + lost = 0 THEN bundle END AS bundle
), begun AS (
    INSERT INTO pyheta.attempt (step_id, fence, worker_id) SELECT id, fence, $1 FROM taken
)
SELECT id, fence, key, op, version, kind, params, bundle FROM taken;

--- claim_next: Take up to $3 ready steps (of sweep $4, if given), best first.
-- One short index scan a kind, however long the queue. The sweep is looked up for one candidate at
-- a time: a scalar subquery, since EXISTS may be planned as a hash of all the sweep's steps.
WITH living AS MATERIALIZED (
    SELECT id FROM pyheta.worker
    WHERE id = $1 AND state = 'alive' AND lease_until > clock_timestamp()
    FOR SHARE
), ready AS MATERIALIZED (
    SELECT candidate.id
    FROM unnest($2::pyheta.kind[]) AS wanted (kind)
    CROSS JOIN LATERAL (
        SELECT id, priority FROM pyheta.step
        WHERE kind = wanted.kind AND state = 'queued' AND available_at <= now()
            AND EXISTS (SELECT FROM living)
            AND ($4::text IS NULL OR (
                SELECT true FROM pyheta.sweep_step WHERE sweep_id = $4 AND step_id = step.id
            ))
        ORDER BY priority DESC, id
        LIMIT $3
        FOR UPDATE SKIP LOCKED
    ) AS candidate
    ORDER BY candidate.priority DESC, candidate.id
    LIMIT $3
), taken AS (
    UPDATE pyheta.step SET state = 'running', worker_id = $1, fence = nextval('pyheta.fence')
    WHERE id = ANY (ARRAY(SELECT id FROM ready))
    RETURNING id, fence, key, op, version, kind, params, priority,
        CASE WHEN tries + crashes + lost = 0 THEN bundle END AS bundle
), begun AS (
    INSERT INTO pyheta.attempt (step_id, fence, worker_id) SELECT id, fence, $1 FROM taken
)
SELECT id, fence, key, op, version, kind, params, bundle FROM taken ORDER BY priority DESC, id;

--- claim_siblings: Take up to $4 untried ready steps of bundle $2 (and sweep $5, if given).
-- Those that are ready, and the one already taken, are shared out among the processes of all living
-- workers that take kind $3 and have the same device: one process with a GPU is worth many others.
-- So many candidates are read that the share is known and those that others are taking can be
-- skipped; one that was taken meanwhile has another fence. The kind is no condition, since the
-- bundle implies it: with it, the planner might walk the index of the whole queue.
WITH living AS MATERIALIZED (
    SELECT id, device FROM pyheta.worker
    WHERE id = $1 AND state = 'alive' AND lease_until > clock_timestamp()
    FOR SHARE
), crew AS MATERIALIZED (
    SELECT greatest(sum(procs), 1) AS procs FROM pyheta.worker
    WHERE state = 'alive' AND lease_until > clock_timestamp() AND $3::pyheta.kind = ANY (kinds)
        AND device = (SELECT device FROM living)
), candidate AS MATERIALIZED (
    SELECT id, priority, fence FROM pyheta.step
    WHERE bundle = $2 AND state = 'queued' AND available_at <= now()
        AND tries = 0 AND crashes = 0 AND lost = 0
        AND EXISTS (SELECT FROM living)
        AND ($5::text IS NULL OR (
            SELECT true FROM pyheta.sweep_step WHERE sweep_id = $5 AND step_id = step.id
        ))
    ORDER BY priority DESC, id
    LIMIT $4 * (SELECT procs FROM crew)
), ready AS MATERIALIZED (
    SELECT step.id FROM candidate JOIN pyheta.step USING (id)
    WHERE step.state = 'queued' AND step.fence IS NOT DISTINCT FROM candidate.fence
    ORDER BY candidate.priority DESC, candidate.id
    LIMIT (
        SELECT least($4, ceil((count(*) + 1) / (SELECT procs FROM crew)::numeric) - 1)
        FROM candidate
    )
    FOR UPDATE OF step SKIP LOCKED
), taken AS (
    UPDATE pyheta.step SET state = 'running', worker_id = $1, fence = nextval('pyheta.fence')
    WHERE id = ANY (ARRAY(SELECT id FROM ready))
    RETURNING id, fence, key, op, version, kind, params, priority, bundle
), begun AS (
    INSERT INTO pyheta.attempt (step_id, fence, worker_id) SELECT id, fence, $1 FROM taken
)
SELECT id, fence, key, op, version, kind, params, bundle FROM taken ORDER BY priority DESC, id;

--- inputs: What claimed steps read: a user's files, products of needs, and what can be resumed.
-- Products of an earlier step of the same course may be resumed. Of decompositions it is the one
-- with the most rows: how many hold for the claimed step is seen where their values are, in
-- `ops/decompose.py`. Which fit may is decided in `nets/training/resume.py`; here integers are
-- compared, of the options in `train` that $2 names: they limit how far a step goes. Where a step's
-- summary has the option's name, it has counted how far it went; 'stopped' there names the limit
-- that ended it.
-- 'standing', the trainer state, is read only by a step that goes on from there.
SELECT step_id, role, role AS name, sha256 FROM pyheta.file WHERE step_id = ANY ($1::bigint[])
UNION ALL
SELECT need.step_id, need.role, product.name, product.sha256
FROM pyheta.need JOIN pyheta.product ON product.step_id = need.need_id
WHERE need.step_id = ANY ($1::bigint[]) AND product.name <> 'standing'
UNION ALL
SELECT claimed.id, 'earlier', product.name, product.sha256
FROM pyheta.step AS claimed
CROSS JOIN LATERAL (
    SELECT id FROM pyheta.step
    WHERE course = claimed.course AND state = 'succeeded'
    ORDER BY (summary ->> 'rows')::int DESC, id DESC
    LIMIT 1
) AS earlier
JOIN pyheta.product ON product.step_id = earlier.id
WHERE claimed.id = ANY ($1::bigint[]) AND claimed.op = 'decompose'
UNION ALL
SELECT claimed.id, 'earlier', product.name, product.sha256
FROM pyheta.step AS claimed
CROSS JOIN LATERAL (
    -- The one that went furthest of those within all limits of the claimed step. Nothing is left to
    -- do (finished) where it has come to one of them; otherwise, and where a state is to be left,
    -- its own state is needed.
    SELECT other.id, finished
    FROM pyheta.step AS other
    CROSS JOIN LATERAL (
        SELECT bool_and(used <= allowed) AS within,
            NOT (claimed.params #>> '{train,resumable}')::boolean
                AND bool_or(
                    used = allowed AND (summary ? option OR summary ->> 'stopped' = option)
                ) AS finished
        FROM unnest($2::text[]) AS option
        CROSS JOIN LATERAL (
            SELECT coalesce(summary -> option, params #> ARRAY['train', option])::int AS used,
                (claimed.params #> ARRAY['train', option])::int AS allowed
        ) AS extent
    ) AS compared
    WHERE course = claimed.course AND state = 'succeeded' AND within
        AND (finished OR EXISTS (
            SELECT FROM pyheta.product WHERE step_id = other.id AND name = 'standing'
        ))
    ORDER BY (summary ->> 'epochs')::int DESC, finished DESC, other.id
    LIMIT 1
) AS earlier
JOIN pyheta.product ON product.step_id = earlier.id AND NOT (finished AND product.name = 'standing')
WHERE claimed.id = ANY ($1::bigint[]) AND claimed.op = 'fit'
ORDER BY role, name;

--- succeed: Record a result together with the move to succeeded. False: the fence is old.
WITH done AS (
    UPDATE pyheta.step
    SET state = 'succeeded', worker_id = NULL, cancel_requested = false,
        summary = $3, seconds = ($4::jsonb ->> 'wall_seconds')::float8, finished_at = now()
    WHERE id = $1 AND fence = $2 AND state = 'running'
    RETURNING id, fence
), ended AS (
    UPDATE pyheta.attempt SET ended_at = now(), outcome = 'ok', cost = $4, log = $5
    FROM done WHERE attempt.step_id = done.id AND attempt.fence = done.fence
), made AS (
    INSERT INTO pyheta.product (step_id, fence, name, sha256, size)
    SELECT done.id, done.fence, product.*
    FROM done, unnest($6::text[], $7::text[], $8::bigint[]) AS product
), measured AS (
    INSERT INTO pyheta.metric (step_id, fence, split, horizon, names, numbers)
    SELECT done.id, done.fence, split, horizon,
        array_agg(name ORDER BY name), array_agg(value ORDER BY name)
    FROM done, unnest($9::text[], $10::text[], $11::int[], $12::float8[])
        AS metric (split, name, horizon, value)
    GROUP BY done.id, done.fence, split, horizon
)
SELECT EXISTS (SELECT FROM done);

--- wake: A need of these steps has succeeded; queue those for which it was the last one.
-- A statement of its own: only a fresh snapshot sees steps that were submitted while `succeed`
-- waited for its lock.
WITH dependants AS MATERIALIZED (
    SELECT id FROM pyheta.step
    WHERE state = 'waiting' AND id IN (SELECT step_id FROM pyheta.need WHERE need_id = $1)
    ORDER BY id
    FOR UPDATE
), woken AS (
    UPDATE pyheta.step
    SET unmet = unmet - 1, available_at = now(),
        state = CASE unmet WHEN 1 THEN 'queued' ELSE 'waiting' END::pyheta.state
    WHERE id = ANY (ARRAY(SELECT id FROM dependants))
    RETURNING kind, state
)
SELECT pg_notify('pyheta_ready', kind::text)
FROM (SELECT DISTINCT kind FROM woken WHERE state = 'queued') AS ready;

--- state_if_recorded: The step's state, if this attempt has ended just so: its answer was lost.
SELECT step.state
FROM pyheta.attempt JOIN pyheta.step ON step.id = attempt.step_id
WHERE attempt.step_id = $1 AND attempt.fence = $2 AND attempt.outcome = $3::pyheta.outcome;

--- fail: End an attempt without success; budgets and delays live here. No row: the fence is old.
-- Delays in seconds: after a release as many as the worker asks for, after a first loss none, else
-- 5, 10, 20 … 600 and up to half as much again, so that an outage does not synchronise its steps.
WITH held AS MATERIALIZED (
    SELECT id, cancel_requested,
        tries + ($3::pyheta.outcome = 'error')::int AS tries,
        crashes + ($3 = 'crash')::int AS crashes,
        lost + ($3 = 'lost')::int AS lost,
        releases + ($3 = 'release')::int AS releases
    FROM pyheta.step
    WHERE id = $1 AND fence = $2 AND state = 'running'
    FOR UPDATE
), counted AS (
    SELECT *,
        crashes >= 3 OR lost >= 3 AS poison,
        CASE $3 WHEN 'crash' THEN crashes WHEN 'lost' THEN lost - 1 ELSE tries END AS times
    FROM held
), judged AS (
    SELECT *,
        CASE
            WHEN cancel_requested THEN 'cancelled'
            WHEN poison OR tries >= 3 OR releases >= 100 OR NOT $4 THEN 'failed'
            ELSE 'queued'
        END::pyheta.state AS verdict,
        CASE WHEN poison THEN 'poison: ' ELSE '' END || $5::text AS why,
        CASE
            WHEN $3 = 'release' THEN $9::float8
            WHEN times = 0 THEN 0
            ELSE least(600, 5 * 2 ^ (times - 1)) * (1 + random() / 2)
        END * interval '1 second' * $6::float8 AS delay
    FROM counted
), moved AS (
    UPDATE pyheta.step
    SET state = verdict, worker_id = NULL, cancel_requested = false, rung_at = NULL,
        tries = judged.tries, crashes = judged.crashes,
        lost = judged.lost, releases = judged.releases,
        available_at = now() + delay,
        reason = CASE verdict WHEN 'failed' THEN why END,
        finished_at = CASE WHEN verdict <> 'queued' THEN now() END
    FROM judged WHERE step.id = judged.id
    RETURNING step.id, fence, step.kind, step.state
), ended AS (
    UPDATE pyheta.attempt SET ended_at = now(), outcome = $3, reason = $5, detail = $7, log = $8
    FROM moved WHERE attempt.step_id = moved.id AND attempt.fence = moved.fence
)
SELECT state, CASE state WHEN 'queued' THEN pg_notify('pyheta_ready', kind::text) END FROM moved;

--- end_dependants: Steps that wait for these failed or cancelled ones end likewise.
-- Returns the steps that did, whose own dependants come next: each level needs a fresh snapshot,
-- because a submission may have added steps while this statement waited for its locks.
-- 'failed' sorts before 'cancelled'.
WITH doomed AS MATERIALIZED (
    SELECT id FROM pyheta.step
    WHERE state = 'waiting'
        AND id IN (SELECT step_id FROM pyheta.need WHERE need_id = ANY ($1::bigint[]))
    ORDER BY id
    FOR UPDATE
), verdict AS (
    SELECT DISTINCT ON (doomed.id) doomed.id, cause.state,
        coalesce(cause.blocked_by, cause.id) AS root,
        CASE WHEN cause.blocked_by IS NULL
            THEN format('needs %s %s: %s', cause.op, left(cause.key, 12), cause.reason)
            ELSE cause.reason
        END AS why
    FROM doomed
    JOIN pyheta.need ON need.step_id = doomed.id AND need.need_id = ANY ($1::bigint[])
    JOIN pyheta.step AS cause ON cause.id = need.need_id AND cause.state IN ('failed', 'cancelled')
    ORDER BY doomed.id, cause.state, cause.id
)
UPDATE pyheta.step
SET state = verdict.state, finished_at = now(),
    reason = CASE verdict.state WHEN 'failed' THEN why END,
    blocked_by = CASE verdict.state WHEN 'failed' THEN root END
FROM verdict WHERE step.id = verdict.id
RETURNING step.id;

--- mark_dead: Workers whose lease ran out are dead from now on.
-- The row lock decides against a late heartbeat.
UPDATE pyheta.worker SET state = 'dead', ended_at = now()
WHERE id IN (
    SELECT id FROM pyheta.worker
    WHERE state = 'alive' AND lease_until < clock_timestamp() AND id IS DISTINCT FROM $1
    FOR UPDATE SKIP LOCKED
);

--- orphans: Held steps whose worker lives no more, each with the fence under which it was held.
SELECT step.id, step.fence
FROM pyheta.step JOIN pyheta.worker ON worker.id = step.worker_id
WHERE step.state = 'running' AND worker.state <> 'alive'
ORDER BY step.id;

--- open_steps: How many steps of these kinds (of sweep $2, if given) may still be computed.
-- Three ORs instead of one IN: each state has a partial index of its own.
SELECT count(*) FROM pyheta.step
WHERE kind = ANY ($1::pyheta.kind[])
    AND (state = 'waiting' OR state = 'queued' OR state = 'running')
    AND ($2::text IS NULL OR (
        SELECT true FROM pyheta.sweep_step WHERE sweep_id = $2 AND step_id = step.id
    ));
