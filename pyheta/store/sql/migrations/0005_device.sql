-- Where a worker trains nets. One process with a graphics processor trains what many without train one by one: what
-- is ready is shared out among those that have the same.
ALTER TABLE pyheta.worker ADD COLUMN device text NOT NULL DEFAULT 'cpu' CHECK (device IN ('cpu', 'cuda'));
