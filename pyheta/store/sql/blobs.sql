--- has: Are these bytes here?
SELECT EXISTS (SELECT FROM pyheta.blob WHERE sha256 = $1);

--- put: Keep these bytes, once.
INSERT INTO pyheta.blob (sha256, bytes) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING;

--- get: The bytes.
SELECT bytes FROM pyheta.blob WHERE sha256 = $1;

--- remove: Forget these bytes.
DELETE FROM pyheta.blob WHERE sha256 = $1;
