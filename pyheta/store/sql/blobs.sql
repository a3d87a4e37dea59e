--- renew: These bytes, if they are here, count as put now. No row: they are not.
UPDATE pyheta.blob SET created_at = now() WHERE sha256 = $1 RETURNING true;

--- put: Keep these bytes, once.
INSERT INTO pyheta.blob (sha256, bytes) VALUES ($1, $2)
ON CONFLICT (sha256) DO UPDATE SET created_at = now();

--- get: The bytes.
SELECT bytes FROM pyheta.blob WHERE sha256 = $1;

--- remove: Forget these bytes.
DELETE FROM pyheta.blob WHERE sha256 = $1;

--- page: The next $2 artifacts after hash $1, each with its size and whether it was put within $3.
SELECT sha256, octet_length(bytes) AS size, created_at >= now() - $3::interval AS young
FROM pyheta.blob
WHERE sha256 > $1
ORDER BY sha256
LIMIT $2;

--- remove_unnamed: Forget those of these bytes that nothing names and that were not put within $2.
-- One statement: bytes that are put again meanwhile are young when their row is locked, and stay.
DELETE FROM pyheta.blob
WHERE sha256 = ANY ($1::text[]) AND created_at < now() - $2::interval
    AND NOT EXISTS (SELECT FROM pyheta.product WHERE product.sha256 = blob.sha256)
    AND NOT EXISTS (SELECT FROM pyheta.file WHERE file.sha256 = blob.sha256)
    AND NOT EXISTS (SELECT FROM pyheta.dataset WHERE dataset.sha256 = blob.sha256)
RETURNING sha256;
