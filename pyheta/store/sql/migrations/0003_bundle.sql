-- Steps with the same bundle may be computed together, in one program of one child process. It is no part of a
-- step's key. A worker that has claimed a step looks for its ready siblings in the order of the queue.
ALTER TABLE pyheta.step ADD COLUMN bundle text COLLATE "C";
CREATE INDEX step_sibling ON pyheta.step (bundle, priority DESC, id) WHERE state = 'queued' AND bundle IS NOT NULL;
