--- facts: The server's version, whether it takes writes, and whether a commit survives a crash.
SELECT current_setting('server_version') AS version,
    current_setting('server_version_num')::int / 10000 AS major,
    current_setting('transaction_read_only')::boolean AS read_only,
    current_setting('fsync')::boolean AS fsync,
    current_setting('full_page_writes')::boolean AS full_page_writes,
    current_setting('synchronous_commit') <> 'off' AS synchronous_commit;

--- identity: Which store this is.
SELECT id FROM pyheta.identity;
