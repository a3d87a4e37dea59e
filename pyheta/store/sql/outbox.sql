--- try_lock: One announcer a kind at a time; it lasts as long as the transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended('pyheta.outbox.' || $1, 0));

--- unrung: Ready steps, best first, that nobody has announced yet.
-- Also those announced longer than $3 ago, since their message may be lost.
SELECT id FROM pyheta.step
WHERE kind = $1::pyheta.kind AND state = 'queued' AND available_at <= now()
    AND (rung_at IS NULL OR rung_at < now() - $3::interval)
ORDER BY priority DESC, id
LIMIT $2;

--- mark: These are announced. One that is locked right now is moving on: it needs no mark.
WITH ready AS MATERIALIZED (
    SELECT id FROM pyheta.step
    WHERE id = ANY ($1::bigint[]) AND state = 'queued'
    ORDER BY id
    FOR UPDATE SKIP LOCKED
)
UPDATE pyheta.step SET rung_at = clock_timestamp() FROM ready WHERE step.id = ready.id;
