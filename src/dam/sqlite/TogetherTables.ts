/** What `Tables` has for jobs that have to do with each other: orders, jobs that become one, and changes of those that wait. */
export const togetherTables = `
  ALTER TABLE jobs ADD COLUMN order_key TEXT;
  ALTER TABLE jobs ADD COLUMN order_stops INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX jobs_in_order ON jobs (customer, order_key, seq)
    WHERE order_key IS NOT NULL AND state IN ('scheduled', 'queued', 'parked', 'running');
  CREATE INDEX jobs_of_order ON jobs (customer, order_key, seq) WHERE order_key IS NOT NULL;

  ALTER TABLE jobs ADD COLUMN debounce_key TEXT;
  ALTER TABLE jobs ADD COLUMN debounce_since REAL;
  CREATE INDEX jobs_debounced ON jobs (customer, debounce_key)
    WHERE debounce_key IS NOT NULL AND state = 'scheduled';

  ALTER TABLE jobs ADD COLUMN coalesce_key TEXT;
  ALTER TABLE jobs ADD COLUMN leader_id TEXT;
  CREATE INDEX jobs_coalesced ON jobs (coalesce_key, seq)
    WHERE coalesce_key IS NOT NULL AND leader_id IS NULL AND state IN ('queued', 'parked', 'running');
  CREATE INDEX jobs_following ON jobs (leader_id, seq) WHERE leader_id IS NOT NULL AND state = 'scheduled';

  CREATE TABLE orders (
    customer TEXT NOT NULL,
    key TEXT NOT NULL,
    job_id TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (customer, key)
  ) STRICT, WITHOUT ROWID;
  `
