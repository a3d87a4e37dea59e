-- The store: what was asked (sweep, run), what has to be computed (step, need, file), who computes it
-- (worker, attempt) and what came out (product, metric, blob). Everything lives in the schema `pyheta`.
-- Hashes are compared byte by byte (COLLATE "C"): faster, and a beginning of one can be looked up by range.

-- One row: which store this is. Queue names carry the id, so two stores can share one broker.
CREATE TABLE pyheta.identity (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one)
);
INSERT INTO pyheta.identity DEFAULT VALUES;

CREATE TYPE pyheta.kind AS ENUM ('data', 'train');
CREATE TYPE pyheta.state AS ENUM (
    'waiting',    -- some needs have not succeeded yet
    'queued',     -- waiting -> queued, running -> queued (another attempt), failed|cancelled -> queued (retry)
    'running',    -- queued -> running, by a claim
    'succeeded',  -- running -> succeeded: final
    'failed',     -- running -> failed; waiting -> failed when a need failed
    'cancelled'   -- waiting|queued|running -> cancelled
);
CREATE TYPE pyheta.outcome AS ENUM ('ok', 'error', 'crash', 'lost', 'release');

-- Grows with every claim of any step. A write about a step must carry the step's newest fence.
CREATE SEQUENCE pyheta.fence;

CREATE TABLE pyheta.sweep (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[0-9a-f]{64}$'),  -- hash of the name and of every run: submitting twice meets itself
    name text NOT NULL,
    source text NOT NULL,             -- the YAML text as the user wrote it
    overrides text[] NOT NULL,        -- what the command line changed
    axes text[] NOT NULL,             -- dotted keys that vary, in the order of the file
    report jsonb NOT NULL,            -- how the user wants the answer laid out
    leakage text NOT NULL CHECK (leakage IN ('forbid', 'allow')),
    priority int NOT NULL,
    runs int NOT NULL CHECK (runs > 0),
    asked jsonb NOT NULL,             -- steps that the runs ask for, by operation, before sharing
    created_at timestamptz NOT NULL DEFAULT now(),
    submitted_at timestamptz NOT NULL DEFAULT now(),  -- the last time somebody submitted it
    cancelled_at timestamptz
);
CREATE INDEX sweep_newest ON pyheta.sweep (submitted_at DESC);

-- A worker is one incarnation of one supervisor process. Its lease covers every step that it holds.
CREATE TABLE pyheta.worker (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    pid int NOT NULL,
    version text NOT NULL,
    kinds pyheta.kind[] NOT NULL,
    procs int NOT NULL CHECK (procs > 0),
    state text NOT NULL DEFAULT 'alive' CHECK (state IN ('alive', 'stopped', 'dead')),
    lease_until timestamptz NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CONSTRAINT ended_when_not_alive CHECK ((state = 'alive') = (ended_at IS NULL))
) WITH (fillfactor = 50);
CREATE INDEX worker_alive ON pyheta.worker (lease_until) WHERE state = 'alive';

CREATE TABLE pyheta.step (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- a step's needs always have smaller ids: locks in id order cannot deadlock
    key text COLLATE "C" NOT NULL UNIQUE CHECK (key ~ '^[0-9a-f]{64}$'),  -- computed once, whoever asks
    op text NOT NULL,
    version int NOT NULL,
    kind pyheta.kind NOT NULL,
    params jsonb NOT NULL,
    priority int NOT NULL DEFAULT 0,
    state pyheta.state NOT NULL DEFAULT 'waiting',
    unmet int NOT NULL DEFAULT 0 CHECK (unmet >= 0),  -- needs that have not succeeded, kept while waiting
    fence bigint,
    worker_id uuid REFERENCES pyheta.worker,
    tries int NOT NULL DEFAULT 0,
    crashes int NOT NULL DEFAULT 0,
    lost int NOT NULL DEFAULT 0,
    releases int NOT NULL DEFAULT 0,
    available_at timestamptz NOT NULL DEFAULT now(),
    rung_at timestamptz,              -- when the broker last confirmed an announcement
    cancel_requested boolean NOT NULL DEFAULT false,
    reason text,                      -- one line: why it failed
    blocked_by bigint REFERENCES pyheta.step,  -- the failed step that it needed, where that is the reason
    summary jsonb,
    seconds double precision,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT running_has_owner CHECK ((state = 'running') = (worker_id IS NOT NULL)),
    CONSTRAINT running_has_fence CHECK (state <> 'running' OR fence IS NOT NULL),
    CONSTRAINT waiting_waits_for_something CHECK (state <> 'waiting' OR unmet > 0),
    CONSTRAINT ready_has_all_needs CHECK (state NOT IN ('queued', 'running', 'succeeded') OR unmet = 0),
    CONSTRAINT terminal_has_an_end CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CONSTRAINT only_the_running_are_asked_to_stop CHECK (NOT cancel_requested OR state = 'running'),
    CONSTRAINT failed_says_why CHECK (state <> 'failed' OR reason IS NOT NULL)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX step_ready ON pyheta.step (kind, priority DESC, id) WHERE state = 'queued';
CREATE INDEX step_held ON pyheta.step (worker_id) WHERE state = 'running';
CREATE INDEX step_waiting ON pyheta.step (kind) WHERE state = 'waiting';
CREATE INDEX step_finished ON pyheta.step (finished_at) WHERE state = 'succeeded';

-- Need and sweep_step have no foreign keys: a submission fills them by joins with the steps that it has just
-- placed, sweeps and steps are removed together with these rows, and checking every row took a third of a large
-- submission's time.
CREATE TABLE pyheta.need (
    step_id bigint NOT NULL,
    role text NOT NULL,               -- "load", "fit/target"
    need_id bigint NOT NULL,
    PRIMARY KEY (step_id, role),
    CONSTRAINT needs_come_first CHECK (need_id < step_id)
);
CREATE INDEX need_of ON pyheta.need (need_id);

-- Artifacts that a user brought (the raw file of a data set), by the role they fill.
CREATE TABLE pyheta.file (
    step_id bigint NOT NULL REFERENCES pyheta.step,
    role text NOT NULL,
    sha256 text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (step_id, role)
);

CREATE TABLE pyheta.run (
    sweep_id text COLLATE "C" NOT NULL REFERENCES pyheta.sweep,
    ordinal int NOT NULL,
    role text NOT NULL CHECK (role IN ('net', 'baseline')),
    config jsonb NOT NULL,            -- resolved, defaults filled in
    seed int NOT NULL,
    score_id bigint NOT NULL REFERENCES pyheta.step,  -- a run's state is the state of its score
    PRIMARY KEY (sweep_id, ordinal)
);
CREATE INDEX run_score ON pyheta.run (score_id);

-- Every step that a sweep needs, directly or not: status counts and cancel read this instead of walking the graph.
CREATE TABLE pyheta.sweep_step (
    sweep_id text COLLATE "C" NOT NULL,
    step_id bigint NOT NULL,
    PRIMARY KEY (sweep_id, step_id)
);
CREATE INDEX sweep_step_of ON pyheta.sweep_step (step_id);

CREATE TABLE pyheta.attempt (
    step_id bigint NOT NULL REFERENCES pyheta.step,
    fence bigint NOT NULL,
    worker_id uuid NOT NULL REFERENCES pyheta.worker,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    outcome pyheta.outcome,
    reason text,
    detail text,                      -- traceback or exit status, at most 64 KiB
    log text,                         -- the tail of what the child printed, at most 64 KiB
    progress jsonb,
    PRIMARY KEY (step_id, fence),
    CONSTRAINT ended_has_outcome CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

CREATE TABLE pyheta.product (
    step_id bigint NOT NULL,
    fence bigint NOT NULL,
    name text NOT NULL,
    sha256 text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size bigint NOT NULL CHECK (size >= 0),
    PRIMARY KEY (step_id, name),      -- one attempt only is ever recorded
    FOREIGN KEY (step_id, fence) REFERENCES pyheta.attempt
);

CREATE TABLE pyheta.metric (
    step_id bigint NOT NULL,
    fence bigint NOT NULL,
    split text NOT NULL CHECK (split IN ('val', 'test')),
    name text NOT NULL,
    horizon int NOT NULL CHECK (horizon >= 0),  -- 0: all steps ahead together
    value double precision NOT NULL CHECK (value > '-Infinity' AND value < 'Infinity'),  -- finite (NaN sorts above infinity), or not there
    PRIMARY KEY (step_id, horizon, split, name),  -- a report reads horizon 0 of many steps
    FOREIGN KEY (step_id, fence) REFERENCES pyheta.attempt
);

-- Artifact bytes, unless PYHETA_ARTIFACTS_URL puts them elsewhere. Float noise does not compress.
CREATE TABLE pyheta.blob (
    sha256 text COLLATE "C" PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE pyheta.blob ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- The last belt: whoever writes, succeeded is final, a fence never goes back, and only these moves exist.
CREATE FUNCTION pyheta.step_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.fence < OLD.fence OR (NEW.fence IS NULL AND OLD.fence IS NOT NULL) THEN
        RAISE EXCEPTION 'fence of step % went back', OLD.id USING ERRCODE = 'PH002';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF OLD.state = 'succeeded' THEN
        RAISE EXCEPTION 'step % already succeeded', OLD.id USING ERRCODE = 'PH001';
    END IF;
    IF (OLD.state = 'waiting' AND NEW.state IN ('queued', 'failed', 'cancelled'))
        OR (OLD.state = 'queued' AND NEW.state IN ('running', 'cancelled'))
        OR (OLD.state = 'running' AND NEW.state IN ('queued', 'succeeded', 'failed', 'cancelled'))
        OR (OLD.state IN ('failed', 'cancelled') AND NEW.state IN ('waiting', 'queued')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'step %: % -> % is not a move', OLD.id, OLD.state, NEW.state USING ERRCODE = 'PH003';
END $$;
CREATE TRIGGER step_guard BEFORE UPDATE OF state, fence ON pyheta.step
    FOR EACH ROW EXECUTE FUNCTION pyheta.step_guard();
