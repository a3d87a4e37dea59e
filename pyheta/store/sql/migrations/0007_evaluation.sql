-- All metrics of a part stand in one row: a run has three, however many metrics it has. Rows of one step ahead are
-- no longer written, since curves over the horizon are products; those of older stores are kept.
CREATE TABLE pyheta.measured (
    step_id bigint NOT NULL,
    fence bigint NOT NULL,
    split text NOT NULL CHECK (split IN ('train', 'val', 'test')),
    horizon int NOT NULL CHECK (horizon >= 0),  -- 0: all steps ahead together
    names text[] NOT NULL,
    numbers double precision[] NOT NULL,
    PRIMARY KEY (step_id, horizon, split),  -- a report reads horizon 0 of many steps
    FOREIGN KEY (step_id, fence) REFERENCES pyheta.attempt,
    CONSTRAINT each_name_has_a_number CHECK (cardinality(names) = cardinality(numbers)),
    CONSTRAINT numbers_are_finite CHECK (  -- or not there
        array_position(numbers, NULL) IS NULL AND NOT numbers && '{NaN,Infinity,-Infinity}'::float8[]
    )
);
INSERT INTO pyheta.measured
SELECT step_id, min(fence), split, horizon, array_agg(name ORDER BY name), array_agg(value ORDER BY name)
FROM pyheta.metric
GROUP BY step_id, horizon, split;
DROP TABLE pyheta.metric;
ALTER TABLE pyheta.measured RENAME TO metric;
ALTER TABLE pyheta.metric RENAME CONSTRAINT measured_pkey TO metric_pkey;
ALTER TABLE pyheta.metric RENAME CONSTRAINT measured_split_check TO metric_split_check;
ALTER TABLE pyheta.metric RENAME CONSTRAINT measured_horizon_check TO metric_horizon_check;
ALTER TABLE pyheta.metric RENAME CONSTRAINT measured_step_id_fence_fkey TO metric_step_id_fence_fkey;

-- A run of a rolling origin is one fold. Its configuration and seed have one result more: that of all folds together.
ALTER TABLE pyheta.run
    ADD COLUMN fold int CHECK (fold >= 0),
    ADD COLUMN pooled_id bigint REFERENCES pyheta.step,
    ADD CONSTRAINT folds_are_pooled CHECK ((fold IS NULL) = (pooled_id IS NULL));
CREATE INDEX run_pooled ON pyheta.run (pooled_id) WHERE pooled_id IS NOT NULL;
