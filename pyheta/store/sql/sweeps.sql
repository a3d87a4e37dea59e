--- lock: Submissions, cancellations and retries take turns. Workers' statements do not wait.
SELECT pg_advisory_xact_lock(hashtextextended('pyheta.sweeps', 0));

--- add_sweep: A sweep that is not there yet. No row: it is.
INSERT INTO pyheta.sweep (id, name, source, overrides, axes, report, leakage, priority, runs, asked)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO NOTHING
RETURNING true;

--- resubmit_sweep: A sweep submitted again is live again, as the latest submission describes it.
UPDATE pyheta.sweep
SET submitted_at = now(), cancelled_at = NULL,
    source = $2, overrides = $3, axes = $4, report = $5, priority = $6
WHERE id = $1;

--- stage: Tables of this transaction, filled by COPY. Numbers are places in the submission.
CREATE TEMP TABLE asked_step (
    ordinal int PRIMARY KEY, key text COLLATE "C", op text, version int, kind text, params jsonb,
    bundle text, course text
) ON COMMIT DROP;
CREATE TEMP TABLE asked_need (step int, role text, need int) ON COMMIT DROP;
CREATE TEMP TABLE asked_file (step int, role text, sha256 text) ON COMMIT DROP;
CREATE TEMP TABLE asked_run (
    ordinal int, role text, config jsonb, seed int, score int, fold int, pooled int
) ON COMMIT DROP;
CREATE TEMP TABLE placed (ordinal int PRIMARY KEY, id bigint, added boolean) ON COMMIT DROP;

--- place_known: The ids of the steps that are in the store already.
INSERT INTO pg_temp.placed
SELECT asked_step.ordinal, step.id, false
FROM pg_temp.asked_step JOIN pyheta.step USING (key);

--- analyze: The planner knows nothing of fresh tables otherwise.
ANALYZE pg_temp.asked_step, pg_temp.asked_need, pg_temp.asked_file, pg_temp.asked_run,
    pg_temp.placed;

--- lock_known_needs: Lock, in id order, the unfinished steps that the steps to be added need.
SELECT count(*) FROM (
    SELECT FROM pyheta.step
    WHERE state <> 'succeeded' AND id IN (
        SELECT known.id
        FROM pg_temp.asked_need JOIN pg_temp.placed AS known ON known.ordinal = asked_need.need
        WHERE NOT EXISTS (SELECT FROM pg_temp.placed WHERE placed.ordinal = asked_need.step)
    )
    ORDER BY id
    FOR SHARE
) AS held;

--- add_steps: The steps that are not there yet, needs first: a need's id is always the smaller one.
WITH open_need AS (
    SELECT asked_need.step, count(DISTINCT asked_need.need) AS unmet
    FROM pg_temp.asked_need
    WHERE NOT EXISTS (
        SELECT FROM pg_temp.placed JOIN pyheta.step USING (id)
        WHERE placed.ordinal = asked_need.need AND step.state = 'succeeded'
    )
    GROUP BY asked_need.step
), added AS (
    INSERT INTO pyheta.step (
        key, op, version, kind, params, bundle, course, priority, unmet, state
    )
    SELECT key, op, version, kind::pyheta.kind, params, bundle, course, $1, coalesce(unmet, 0),
        CASE WHEN unmet IS NULL THEN 'queued' ELSE 'waiting' END::pyheta.state
    FROM pg_temp.asked_step LEFT JOIN open_need ON open_need.step = asked_step.ordinal
    WHERE NOT EXISTS (SELECT FROM pg_temp.placed WHERE placed.ordinal = asked_step.ordinal)
    ORDER BY ordinal
    RETURNING id, key
)
INSERT INTO pg_temp.placed
SELECT asked_step.ordinal, added.id, true FROM added JOIN pg_temp.asked_step USING (key);

--- add_needs: What the added steps need.
INSERT INTO pyheta.need (step_id, role, need_id)
SELECT dependant.id, asked_need.role, need.id
FROM pg_temp.asked_need
JOIN pg_temp.placed AS dependant ON dependant.ordinal = asked_need.step AND dependant.added
JOIN pg_temp.placed AS need ON need.ordinal = asked_need.need;

--- add_files: Which artifacts of the user the added steps read.
INSERT INTO pyheta.file (step_id, role, sha256)
SELECT placed.id, asked_file.role, asked_file.sha256
FROM pg_temp.asked_file JOIN pg_temp.placed ON placed.ordinal = asked_file.step AND placed.added;

--- add_sweep_steps: Everything that the sweep needs.
-- A step that was there before keeps what it was first submitted with: that holds the same content as what
-- this submission names, and is needed as much, whatever becomes of the sweep that brought it.
WITH RECURSIVE kept (id) AS (
    SELECT id FROM pg_temp.placed WHERE NOT added
    UNION
    SELECT need.need_id FROM kept JOIN pyheta.need ON need.step_id = kept.id
)
INSERT INTO pyheta.sweep_step (sweep_id, step_id)
SELECT $1, id FROM pg_temp.placed WHERE added
UNION ALL
SELECT $1, id FROM kept;

--- add_runs: The sweep's runs, each with the score that answers it.
INSERT INTO pyheta.run (sweep_id, ordinal, role, config, seed, score_id, fold, pooled_id)
SELECT $1, asked_run.ordinal, asked_run.role, asked_run.config, asked_run.seed, score.id,
    asked_run.fold, pooled.id
FROM pg_temp.asked_run
JOIN pg_temp.placed AS score ON score.ordinal = asked_run.score
LEFT JOIN pg_temp.placed AS pooled ON pooled.ordinal = asked_run.pooled;

--- count_outdated: Fits of other sweeps of this name that an older version of the code computed.
-- Nothing of them is in this submission, since the version is part of every key.
SELECT count(*)
FROM pyheta.step
WHERE op = 'fit' AND state = 'succeeded'
    AND version < (SELECT max(version) FROM pg_temp.asked_step WHERE op = 'fit')
    AND id IN (
        SELECT step_id FROM pyheta.sweep JOIN pyheta.sweep_step ON sweep_id = sweep.id
        WHERE name = $1
    );

--- count_added: How many steps the submission added.
SELECT count(*) FROM pg_temp.placed WHERE added;

--- resubmit_steps: Raise the priority of the sweep's unfinished steps; no longer ask any to stop.
WITH unfinished AS MATERIALIZED (
    SELECT step.id
    FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
    WHERE sweep_step.sweep_id = $1 AND step.state <> 'succeeded'
        AND (step.priority < $2 OR step.cancel_requested)
    ORDER BY step.id
    FOR UPDATE OF step
)
UPDATE pyheta.step SET priority = greatest(priority, $2), cancel_requested = false
FROM unfinished WHERE step.id = unfinished.id;

--- lock_steps: A sweep's steps in these states, locked in id order.
SELECT step.id
FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
WHERE sweep_step.sweep_id = $1 AND step.state = ANY ($2::pyheta.state[])
ORDER BY step.id
FOR UPDATE OF step;

--- lock_steps_of_runs: The same for the steps that some of its runs need.
WITH RECURSIVE needed (id) AS (
    SELECT unnest(ARRAY[score_id, pooled_id])
    FROM pyheta.run WHERE sweep_id = $1 AND ordinal = ANY ($3::int[])
    UNION
    SELECT need.need_id FROM needed JOIN pyheta.need ON need.step_id = needed.id
)
SELECT step.id
FROM pyheta.step
WHERE step.id IN (SELECT id FROM needed) AND step.state = ANY ($2::pyheta.state[])
ORDER BY step.id
FOR UPDATE;

--- lock_needs: Lock, in id order, what these steps need and has not succeeded.
SELECT count(*) FROM (
    SELECT FROM pyheta.step
    WHERE state <> 'succeeded'
        AND id IN (SELECT need_id FROM pyheta.need WHERE step_id = ANY ($1::bigint[]))
    ORDER BY id
    FOR SHARE
) AS held;

--- restart: Restart these failed or cancelled steps: queued, or waiting for unfinished needs.
WITH open_need AS (
    SELECT need.step_id, count(DISTINCT need.need_id) AS unmet
    FROM pyheta.need JOIN pyheta.step ON step.id = need.need_id AND step.state <> 'succeeded'
    WHERE need.step_id = ANY ($1::bigint[])
    GROUP BY need.step_id
), restarted AS (
    SELECT id, coalesce(unmet, 0) AS unmet
    FROM unnest($1::bigint[]) AS picked (id) LEFT JOIN open_need ON open_need.step_id = picked.id
)
UPDATE pyheta.step
SET state = CASE restarted.unmet WHEN 0 THEN 'queued' ELSE 'waiting' END::pyheta.state,
    unmet = restarted.unmet,
    tries = 0, crashes = 0, lost = 0, releases = 0,
    available_at = now(), rung_at = NULL, finished_at = NULL,
    reason = NULL, blocked_by = NULL
FROM restarted WHERE step.id = restarted.id;

--- failed_steps: A sweep's failed steps: those that wait for one of them fail too.
SELECT step.id
FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
WHERE sweep_step.sweep_id = $1 AND step.state = 'failed';

--- announce: Wake the workers that wait for steps of the kinds that are ready in this sweep.
SELECT pg_notify('pyheta_ready', kind::text)
FROM (
    SELECT DISTINCT step.kind
    FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
    WHERE sweep_step.sweep_id = $1 AND step.state = 'queued'
) AS ready;

--- states: A sweep's steps by state.
SELECT step.state, count(*)
FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
WHERE sweep_step.sweep_id = $1
GROUP BY step.state;

--- cancel_sweep: No row: there is no such sweep, or it was cancelled before.
UPDATE pyheta.sweep SET cancelled_at = now() WHERE id = $1 AND cancelled_at IS NULL RETURNING true;

--- cancel_steps: Cancel the open steps that no other live sweep needs; ask running ones to stop.
WITH alone AS MATERIALIZED (
    SELECT step.id, step.state
    FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
    WHERE sweep_step.sweep_id = $1 AND step.state IN ('waiting', 'queued', 'running')
        AND NOT EXISTS (
            SELECT FROM pyheta.sweep_step AS other JOIN pyheta.sweep ON sweep.id = other.sweep_id
            WHERE other.step_id = step.id AND sweep.cancelled_at IS NULL
        )
    ORDER BY step.id
    FOR UPDATE OF step
), stopped AS (
    UPDATE pyheta.step
    SET cancel_requested = (alone.state = 'running'),
        state = CASE alone.state WHEN 'running' THEN 'running' ELSE 'cancelled' END::pyheta.state,
        finished_at = CASE WHEN alone.state <> 'running' THEN now() END
    FROM alone WHERE step.id = alone.id
    RETURNING alone.state AS earlier
)
SELECT earlier AS state, count(*) FROM stopped GROUP BY earlier;

--- revive_sweep: A sweep of which something is tried again is live again.
UPDATE pyheta.sweep SET cancelled_at = NULL WHERE id = $1;

--- clear_stop_requests: No longer ask running steps of this sweep to stop.
WITH stopping AS MATERIALIZED (
    SELECT step.id
    FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
    WHERE sweep_step.sweep_id = $1 AND step.cancel_requested
    ORDER BY step.id
    FOR UPDATE OF step
)
UPDATE pyheta.step SET cancel_requested = false FROM stopping WHERE step.id = stopping.id;

--- known: The states of those of these keys that are there.
SELECT key, state FROM pyheta.step WHERE key = ANY ($1::text[]);

--- mean_seconds: How long steps took, by operation and the named parameters.
-- Not those that were resumed; and cold ones, or of unknown cost, only where there are no others.
SELECT op, ARRAY(
        SELECT params #>> string_to_array(name, '.')
        FROM unnest($1::text[]) WITH ORDINALITY AS named (name, place)
        ORDER BY place
    ) AS given,
    coalesce(avg(seconds) FILTER (WHERE NOT (cost ->> 'cold')::boolean), avg(seconds)) AS seconds
FROM pyheta.step
LEFT JOIN pyheta.attempt ON attempt.step_id = step.id AND attempt.fence = step.fence
WHERE state = 'succeeded' AND seconds IS NOT NULL AND coalesce((summary ->> 'resumed')::int, 0) = 0
GROUP BY op, given;
