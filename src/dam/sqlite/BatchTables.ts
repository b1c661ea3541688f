/** The tables of batches: one of the migrations, and never edited as they are not. */

/** Jobs of a batch are found by it; what is to be done for one is found by an index that holds nothing else. */
export const batchTables = `
  ALTER TABLE jobs ADD COLUMN batch INTEGER;
  ALTER TABLE jobs ADD COLUMN batch_line INTEGER;
  CREATE INDEX jobs_of_batch ON jobs (batch, state, seq) WHERE batch IS NOT NULL;

  CREATE TABLE batches (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    customer TEXT NOT NULL,
    id TEXT NOT NULL,
    together INTEGER NOT NULL,
    webhook TEXT,
    metadata TEXT NOT NULL,
    on_complete TEXT,
    on_any_failure TEXT,
    rerun_of TEXT,
    state TEXT NOT NULL DEFAULT 'open',
    through INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    swept_succeeded INTEGER NOT NULL DEFAULT 0,
    swept_failed INTEGER NOT NULL DEFAULT 0,
    swept_cancelled INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    touched_at REAL NOT NULL,
    closed_at REAL,
    ended_at REAL,
    cancelled_at REAL,
    failed_at REAL,
    complete_job TEXT,
    failure_job TEXT,
    told INTEGER NOT NULL DEFAULT 0,
    UNIQUE (customer, id)
  ) STRICT;
  CREATE INDEX batches_of_customer ON batches (customer, n);
  CREATE INDEX batches_due ON batches (n) WHERE told = 0 AND (
    state = 'ended' OR state = 'showing' OR cancelled_at IS NOT NULL
    OR (state = 'open' AND rerun_of IS NOT NULL)
    OR (failed_at IS NOT NULL AND on_any_failure IS NOT NULL AND failure_job IS NULL));
  CREATE INDEX batches_open ON batches (touched_at) WHERE state = 'open';
  CREATE INDEX batches_over ON batches (ended_at) WHERE told = 1;

  CREATE TABLE batch_lines (
    batch INTEGER NOT NULL REFERENCES batches (n) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    line INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (batch, kind, line)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE batch_staged (
    batch INTEGER NOT NULL REFERENCES batches (n) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    job TEXT NOT NULL,
    PRIMARY KEY (batch, line)
  ) STRICT, WITHOUT ROWID;
  `
