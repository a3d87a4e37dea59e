-- What `pyheta gc` looks up: who names an artifact, and, for the foreign key, who is blocked by a step.
CREATE INDEX product_sha256 ON pyheta.product (sha256);
CREATE INDEX step_blocked ON pyheta.step (blocked_by) WHERE blocked_by IS NOT NULL;
