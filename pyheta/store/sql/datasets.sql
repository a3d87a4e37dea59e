--- add: Give a file a name, unless the name is taken.
INSERT INTO pyheta.dataset (name, sha256, file, size) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO NOTHING;

--- find: The file that has this name.
SELECT name, sha256, file, size, added_at FROM pyheta.dataset WHERE name = $1;

--- all: Every file that has a name.
SELECT name, sha256, file, size, added_at FROM pyheta.dataset ORDER BY name;

--- remove: Take a name away. No row: nobody had it.
DELETE FROM pyheta.dataset WHERE name = $1 RETURNING true;
