--- cancelled_sweeps: The cancelled sweeps, and whether a step of theirs is still being stopped.
SELECT id, EXISTS (
    SELECT FROM pyheta.sweep_step JOIN pyheta.step ON step.id = sweep_step.step_id
    WHERE sweep_step.sweep_id = sweep.id AND step.state = 'running' AND step.cancel_requested
) AS stopping
FROM pyheta.sweep
WHERE cancelled_at IS NOT NULL;

--- steps: Steps of no sweep but these, locked in id order.
-- Not those that run: somebody will record their end.
SELECT id FROM pyheta.step
WHERE state <> 'running' AND NOT EXISTS (
    SELECT FROM pyheta.sweep_step WHERE step_id = step.id AND sweep_id <> ALL ($1::text[])
)
ORDER BY id
FOR UPDATE;

--- forget_runs: The runs of these sweeps.
DELETE FROM pyheta.run WHERE sweep_id = ANY ($1::text[]);

--- forget_sweep_steps: What these sweeps needed.
DELETE FROM pyheta.sweep_step WHERE sweep_id = ANY ($1::text[]);

--- forget_sweeps: These sweeps.
DELETE FROM pyheta.sweep WHERE id = ANY ($1::text[]);

--- forget_metrics: The metrics of these steps.
DELETE FROM pyheta.metric WHERE step_id = ANY ($1::bigint[]);

--- forget_products: Which artifacts these steps made.
DELETE FROM pyheta.product WHERE step_id = ANY ($1::bigint[]);

--- forget_attempts: Who tried these steps.
DELETE FROM pyheta.attempt WHERE step_id = ANY ($1::bigint[]);

--- forget_needs: Their needs. No step that stays needs one of them: its sweep would have it too.
DELETE FROM pyheta.need WHERE step_id = ANY ($1::bigint[]);

--- forget_files: Which artifacts of the user these steps read.
DELETE FROM pyheta.file WHERE step_id = ANY ($1::bigint[]);

--- forget_steps: These steps. None that stays is blocked by one of them: it would need that one.
DELETE FROM pyheta.step WHERE id = ANY ($1::bigint[]);

--- unneeded_artifacts: Those of these artifacts without a name that no step needs, ignoring sweeps $2.
WITH named AS (
    SELECT sha256, step_id FROM pyheta.product WHERE sha256 = ANY ($1::text[])
    UNION ALL
    SELECT sha256, step_id FROM pyheta.file WHERE sha256 = ANY ($1::text[])
)
SELECT sha256 FROM unnest($1::text[]) AS artifact (sha256)
WHERE NOT EXISTS (
    SELECT FROM named JOIN pyheta.sweep_step USING (step_id)
    WHERE named.sha256 = artifact.sha256 AND sweep_step.sweep_id <> ALL ($2::text[])
)
AND NOT EXISTS (SELECT FROM pyheta.dataset WHERE dataset.sha256 = artifact.sha256);
