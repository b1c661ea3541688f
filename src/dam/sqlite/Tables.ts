/**
 * The tables of the SQLite store, as a list of migrations: a file's `user_version` says how many of them it has seen.
 *
 * A job is spread over tables by how often its parts change. `jobs` holds what every transition rewrites and stays
 * small; the payload is written once, and attempts and result are only added, so that no transition copies a body.
 * Keys are random, so each one changes a page of its index somewhere; their index holds 16 bytes of a digest instead of
 * scope and key, which makes it a fifth of the size. A rerun has no digest and so stands outside.
 *
 * Moments are `REAL`: whole numbers take no more room, and nothing beyond 2^53 can appear.
 */

import { batchTables } from "./BatchTables.ts"
import { credentialTables } from "./CredentialTables.ts"
import { togetherTables } from "./TogetherTables.ts"

/** Marks a file as a store of ours (`PRAGMA application_id`). */
export const applicationId = 0x657a7468

/** Never edited, only added to: a file may have seen any prefix of them. */
export const migrations: ReadonlyArray<string> = [
  `
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL,
    dialect TEXT NOT NULL,
    key_scope TEXT NOT NULL,
    key TEXT NOT NULL,
    key_digest BLOB,
    key_given INTEGER NOT NULL,
    payload TEXT NOT NULL,
    lane TEXT NOT NULL,
    account TEXT NOT NULL,
    isolated INTEGER NOT NULL,
    created_at REAL NOT NULL,
    not_before REAL,
    parent_id TEXT,
    parent_relation TEXT,
    rerun_of TEXT,
    traceparent TEXT,
    quorum INTEGER NOT NULL,
    state TEXT NOT NULL,
    delivery_state TEXT NOT NULL DEFAULT 'none',
    epoch INTEGER NOT NULL DEFAULT 0,
    due_at REAL,
    started_at REAL,
    finished_at REAL,
    settled_at REAL,
    held_since REAL
  ) STRICT;
  CREATE UNIQUE INDEX jobs_by_key ON jobs (key_digest) WHERE key_digest IS NOT NULL;
  CREATE INDEX jobs_by_state ON jobs (state, customer, seq);
  CREATE INDEX jobs_queued ON jobs (lane, account, seq) WHERE state = 'queued';
  CREATE INDEX jobs_waiting ON jobs (due_at) WHERE state IN ('scheduled', 'parked');
  CREATE INDEX jobs_settled ON jobs (settled_at) WHERE settled_at IS NOT NULL;
  CREATE INDEX jobs_undelivered ON jobs (customer, seq) WHERE delivery_state = 'undelivered';

  CREATE TABLE payloads (
    seq INTEGER PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE,
    step TEXT NOT NULL
  ) STRICT;

  CREATE TABLE metadata (
    customer TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    PRIMARY KEY (customer, name, value, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX metadata_by_job ON metadata (seq);

  CREATE TABLE attempts (
    n INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    path INTEGER NOT NULL,
    racer INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    response TEXT,
    body BLOB
  ) STRICT;
  CREATE INDEX attempts_by_job ON attempts (seq);

  CREATE TABLE results (
    seq INTEGER PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE,
    result TEXT NOT NULL,
    bodies BLOB NOT NULL
  ) STRICT;

  CREATE TABLE deliveries (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    job_id TEXT NOT NULL,
    customer TEXT NOT NULL,
    place INTEGER NOT NULL,
    url TEXT NOT NULL,
    regions TEXT NOT NULL,
    votes INTEGER NOT NULL,
    lane TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts TEXT NOT NULL DEFAULT '[]',
    due_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX deliveries_by_job ON deliveries (seq);
  CREATE INDEX deliveries_pending ON deliveries (due_at) WHERE state = 'pending';
  CREATE INDEX deliveries_dead ON deliveries (seq) WHERE state = 'dead';

  CREATE TABLE delivery_bodies (
    n INTEGER PRIMARY KEY REFERENCES deliveries (n) ON DELETE CASCADE,
    body BLOB NOT NULL
  ) STRICT;

  CREATE TABLE secrets (
    customer TEXT PRIMARY KEY,
    primary_secret TEXT NOT NULL,
    secondary_secret TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE paces (
    lane TEXT NOT NULL,
    account TEXT NOT NULL,
    rps REAL,
    max_concurrent REAL,
    account_queues INTEGER,
    held_until REAL,
    seen_at REAL NOT NULL,
    PRIMARY KEY (lane, account)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE jobs ADD COLUMN deadline_at REAL;
  CREATE INDEX jobs_overdue ON jobs (deadline_at)
    WHERE deadline_at IS NOT NULL AND state IN ('scheduled', 'queued', 'parked');
  CREATE INDEX deliveries_of_lane ON deliveries (lane, due_at) WHERE state = 'pending';
  `,
  `
  ALTER TABLE paces ADD COLUMN held_by TEXT;

  CREATE TABLE steering (
    lane TEXT PRIMARY KEY,
    rps REAL,
    max_concurrent REAL,
    paused_by TEXT,
    paused_at REAL,
    note TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE lane_log (
    n INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,
    at REAL NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX lane_log_by_lane ON lane_log (lane, n);
  `,
  `
  ALTER TABLE deliveries ADD COLUMN begun_at REAL;
  ALTER TABLE deliveries ADD COLUMN spent INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE deliveries ADD COLUMN reason TEXT;
  ALTER TABLE deliveries ADD COLUMN dead_at REAL;
  UPDATE deliveries SET reason = 'attempts_exhausted', dead_at = due_at WHERE state = 'dead';
  CREATE INDEX deliveries_dead_of ON deliveries (customer, n) WHERE state = 'dead';

  CREATE TABLE endpoints (
    customer TEXT NOT NULL,
    url TEXT NOT NULL,
    lane TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'enabled',
    reason TEXT,
    since REAL NOT NULL,
    failures INTEGER NOT NULL,
    failing_since REAL NOT NULL,
    seen_at REAL NOT NULL,
    probe_at REAL,
    PRIMARY KEY (customer, url)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX endpoints_disabled ON endpoints (customer, url) WHERE status = 'disabled';
  `,
  `
  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE l8_nonces (
    nonce TEXT PRIMARY KEY,
    seen_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX l8_nonces_by_time ON l8_nonces (seen_at);

  CREATE TABLE l8_trust (
    origin TEXT PRIMARY KEY,
    public_key TEXT,
    proved_at REAL,
    changed_key TEXT,
    revoked_at REAL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE jobs ADD COLUMN paused_for REAL;
  ALTER TABLE jobs ADD COLUMN held_by TEXT;
  CREATE INDEX jobs_held ON jobs (held_by) WHERE held_by IS NOT NULL AND state = 'parked';
  `,
  `
  CREATE INDEX jobs_of_lane ON jobs (customer, lane, seq);
  CREATE INDEX jobs_untold ON jobs (customer, seq) WHERE delivery_state = 'pending';
  CREATE INDEX paces_by_time ON paces (seen_at);
  CREATE INDEX endpoints_by_time ON endpoints (seen_at) WHERE status = 'enabled';
  `,
  `
  CREATE TABLE history (
    span INTEGER NOT NULL,
    at REAL NOT NULL,
    lane TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    held_ms REAL NOT NULL,
    latency TEXT NOT NULL,
    PRIMARY KEY (span, at, lane)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX history_of_lane ON history (lane, span, at);
  `,
  `
  CREATE TABLE notices (
    subject TEXT PRIMARY KEY,
    phase TEXT NOT NULL,
    since REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE INDEX jobs_of_parent ON jobs (parent_id, seq) WHERE parent_id IS NOT NULL;
  CREATE INDEX jobs_of_rerun ON jobs (rerun_of, seq) WHERE rerun_of IS NOT NULL;
  CREATE INDEX jobs_by_time ON jobs (customer, created_at);
  `,
  `
  ALTER TABLE jobs ADD COLUMN failed_status INTEGER;
  ALTER TABLE jobs ADD COLUMN failed_reason TEXT;
  UPDATE jobs SET (failed_status, failed_reason) = (
    SELECT CAST(json_extract(result, '$.response.status') AS INTEGER), json_extract(result, '$.error.tag')
    FROM results WHERE results.seq = jobs.seq AND json_valid(result)
  ) WHERE state = 'failed';
  CREATE INDEX jobs_failed ON jobs (customer, finished_at, lane, failed_status, failed_reason) WHERE state = 'failed';
  CREATE INDEX jobs_failed_of_all ON jobs (finished_at, lane, failed_status, failed_reason) WHERE state = 'failed';
  `,
  `
  ALTER TABLE paces ADD COLUMN taught_at REAL;
  `,
  `
  ALTER TABLE paces ADD COLUMN kept TEXT;
  ALTER TABLE steering ADD COLUMN find INTEGER;
  `,
  `
  CREATE TABLE texts_due (
    seq INTEGER PRIMARY KEY
  ) STRICT;
  `,
  `
  ALTER TABLE jobs ADD COLUMN limits TEXT;
  CREATE INDEX jobs_drawing ON jobs (seq)
    WHERE limits IS NOT NULL AND state IN ('scheduled', 'queued', 'parked', 'running');

  CREATE TABLE limits (
    name TEXT PRIMARY KEY,
    definition TEXT NOT NULL,
    at REAL NOT NULL,
    actor TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE limit_levels (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    level REAL NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (name, key)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE schedules (
    customer TEXT NOT NULL,
    name TEXT NOT NULL,
    generation TEXT NOT NULL,
    definition TEXT NOT NULL,
    step TEXT NOT NULL,
    progress TEXT NOT NULL,
    look_at REAL,
    created_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    PRIMARY KEY (customer, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX schedules_due ON schedules (look_at) WHERE look_at IS NOT NULL;
  `,
  credentialTables,
  `
  ALTER TABLE jobs ADD COLUMN start_before REAL;
  CREATE INDEX jobs_expiring ON jobs (start_before)
    WHERE start_before IS NOT NULL AND epoch = 0 AND state IN ('scheduled', 'queued', 'parked');
  `,
  batchTables,
  togetherTables,
  "CREATE INDEX batches_held_back ON batches (customer) WHERE together AND state IN ('open', 'showing');"
]
