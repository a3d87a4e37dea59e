-- What the attempt that succeeded cost its child process: the fields of `Cost` in pyheta/steps.py. A step's `seconds`
-- are its wall seconds. Attempts from before have none, since their seconds were shared out among lanes that had
-- nothing to do with each other.
ALTER TABLE pyheta.attempt
    ADD COLUMN cost jsonb,
    ADD CONSTRAINT only_success_has_a_cost CHECK (cost IS NULL OR outcome IS NOT DISTINCT FROM 'ok'),
    ADD CONSTRAINT cost_can_be CHECK (
        cost IS NULL OR (
            coalesce((cost ->> 'wall_seconds')::float8 >= 0, false)
            AND coalesce((cost ->> 'cpu_seconds')::float8 >= 0, false)
            AND coalesce((cost ->> 'shared')::int >= 1, false)
            AND coalesce((cost ->> 'peak_memory')::bigint > 0, false)
            AND coalesce(cost ->> 'peak_of' IN ('step', 'process'), false)
            AND coalesce((cost ->> 'threads')::int >= 1, false)
            AND coalesce(jsonb_typeof(cost -> 'cold') = 'boolean', false)
        )
    );
