-- Files that people gave a name, so that every user of the store can read them by it. What has a name is not removed.
CREATE TABLE pyheta.dataset (
    name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'),  -- an address: it stands for one file
    sha256 text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    file text NOT NULL,               -- what the file was called, for messages
    size bigint NOT NULL CHECK (size >= 0),
    added_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dataset_sha256 ON pyheta.dataset (sha256);
