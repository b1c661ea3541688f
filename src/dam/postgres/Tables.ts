/**
 * The tables of the Postgres store, as a list of migrations: the row of `dam` says how many of them a database has seen.
 *
 * They are those of the SQLite store, so that rows mean the same in both. Texts are compared by their bytes as there
 * (`COLLATE "C"`). Nothing refers to anything: only this program writes them, and a reference costs each insert a lock on
 * the row it names. What every transition rewrites has room on its page for the next version, and is cleared away early.
 */

/** What is there before any migration: how far they have come, and who owns the database. */
export const bootstrap = `
  CREATE TABLE IF NOT EXISTS dam (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    version integer NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    mark text,
    pid integer,
    host text,
    since text,
    backend integer
  )`

const text = `text COLLATE "C"`
const moment = "double precision"

/** Never edited, only added to: a database may have seen any prefix of them. Each one is a list of statements. */
export const migrations: ReadonlyArray<ReadonlyArray<string>> = [
  [
    `CREATE SEQUENCE jobs_seq`,
    `CREATE TABLE jobs (
      seq bigint PRIMARY KEY,
      id ${text} NOT NULL UNIQUE,
      customer ${text} NOT NULL,
      dialect ${text} NOT NULL,
      key_scope ${text} NOT NULL,
      key ${text} NOT NULL,
      key_digest bytea,
      key_given integer NOT NULL,
      payload ${text} NOT NULL,
      lane ${text} NOT NULL,
      account ${text} NOT NULL,
      isolated integer NOT NULL,
      created_at ${moment} NOT NULL,
      not_before ${moment},
      parent_id ${text},
      parent_relation ${text},
      rerun_of ${text},
      traceparent ${text},
      quorum integer NOT NULL,
      state ${text} NOT NULL,
      delivery_state ${text} NOT NULL DEFAULT 'none',
      epoch integer NOT NULL DEFAULT 0,
      due_at ${moment},
      started_at ${moment},
      finished_at ${moment},
      settled_at ${moment},
      held_since ${moment},
      deadline_at ${moment},
      paused_for ${moment},
      held_by ${text},
      failed_status integer,
      failed_reason ${text},
      limits ${text},
      start_before ${moment},
      erased_at ${moment},
      batch bigint,
      batch_line bigint,
      order_key ${text},
      order_stops integer NOT NULL DEFAULT 0,
      revision integer NOT NULL DEFAULT 0,
      debounce_key ${text},
      debounce_since ${moment},
      coalesce_key ${text},
      leader_id ${text}
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)`,
    `CREATE UNIQUE INDEX jobs_by_key ON jobs (key_digest) WHERE key_digest IS NOT NULL`,
    `CREATE INDEX jobs_of_customer ON jobs (customer, seq)`,
    `CREATE INDEX jobs_live ON jobs (state, customer) WHERE state IN ('scheduled', 'queued', 'parked', 'running')`,
    `CREATE INDEX jobs_queued ON jobs (lane, account, seq) WHERE state = 'queued'`,
    `CREATE INDEX jobs_waiting ON jobs (due_at) WHERE state IN ('scheduled', 'parked')`,
    `CREATE INDEX jobs_settled ON jobs (settled_at) WHERE settled_at IS NOT NULL`,
    `CREATE INDEX jobs_undelivered ON jobs (customer, seq) WHERE delivery_state IN ('pending', 'undelivered')`,
    `CREATE INDEX jobs_overdue ON jobs (deadline_at)
      WHERE deadline_at IS NOT NULL AND state IN ('scheduled', 'queued', 'parked')`,
    `CREATE INDEX jobs_expiring ON jobs (start_before)
      WHERE start_before IS NOT NULL AND epoch = 0 AND state IN ('scheduled', 'queued', 'parked')`,
    `CREATE INDEX jobs_held ON jobs (held_by) WHERE held_by IS NOT NULL AND state = 'parked'`,
    `CREATE INDEX jobs_of_lane ON jobs (customer, lane, seq)`,
    `CREATE INDEX jobs_of_parent ON jobs (parent_id, seq) WHERE parent_id IS NOT NULL`,
    `CREATE INDEX jobs_of_rerun ON jobs (rerun_of, seq) WHERE rerun_of IS NOT NULL`,
    `CREATE INDEX jobs_failed ON jobs (finished_at, lane, failed_status, failed_reason) WHERE state = 'failed'`,
    `CREATE INDEX jobs_drawing ON jobs (seq)
      WHERE limits IS NOT NULL AND state IN ('scheduled', 'queued', 'parked', 'running')`,
    `CREATE INDEX jobs_of_batch ON jobs (batch, state, seq) WHERE batch IS NOT NULL`,
    `CREATE INDEX jobs_of_order ON jobs (customer, order_key, seq) WHERE order_key IS NOT NULL`,
    `CREATE INDEX jobs_debounced ON jobs (customer, debounce_key) WHERE debounce_key IS NOT NULL AND state = 'scheduled'`,
    `CREATE INDEX jobs_coalesced ON jobs (coalesce_key, seq)
      WHERE coalesce_key IS NOT NULL AND leader_id IS NULL AND state IN ('queued', 'parked', 'running')`,
    `CREATE INDEX jobs_following ON jobs (leader_id, seq) WHERE leader_id IS NOT NULL AND state = 'scheduled'`,

    `CREATE TABLE payloads (seq bigint PRIMARY KEY, step ${text} NOT NULL)`,
    `CREATE TABLE metadata (
      customer ${text} NOT NULL, name ${text} NOT NULL, value ${text} NOT NULL, seq bigint NOT NULL,
      PRIMARY KEY (seq, name)
    )`,
    // values may be longer than an entry of an index, so a digest stands in for both
    `CREATE INDEX metadata_by_value ON metadata (customer, md5(name || '=' || value), seq)`,
    `CREATE TABLE attempts (
      n bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, seq bigint NOT NULL, path integer NOT NULL,
      racer integer NOT NULL, attempt ${text} NOT NULL, response ${text}, body bytea
    )`,
    `CREATE INDEX attempts_by_job ON attempts (seq)`,
    `CREATE TABLE results (seq bigint PRIMARY KEY, result ${text} NOT NULL, bodies bytea NOT NULL)`,

    `CREATE SEQUENCE deliveries_n`,
    `CREATE TABLE deliveries (
      n bigint PRIMARY KEY DEFAULT nextval('deliveries_n'),
      id ${text} NOT NULL UNIQUE,
      seq bigint NOT NULL,
      job_id ${text} NOT NULL,
      customer ${text} NOT NULL,
      place integer NOT NULL,
      url ${text} NOT NULL,
      regions ${text} NOT NULL,
      votes integer NOT NULL,
      lane ${text} NOT NULL,
      state ${text} NOT NULL DEFAULT 'pending',
      attempts ${text} NOT NULL DEFAULT '[]',
      due_at ${moment} NOT NULL,
      begun_at ${moment},
      spent integer NOT NULL DEFAULT 0,
      reason ${text},
      dead_at ${moment},
      terms ${text}
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)`,
    `CREATE INDEX deliveries_by_job ON deliveries (seq)`,
    `CREATE INDEX deliveries_pending ON deliveries (due_at, n) WHERE state = 'pending'`,
    `CREATE INDEX deliveries_of_lane ON deliveries (lane, due_at, n) WHERE state = 'pending'`,
    `CREATE INDEX deliveries_dead_of ON deliveries (customer, n) WHERE state = 'dead'`,
    `CREATE TABLE delivery_bodies (n bigint PRIMARY KEY, body bytea NOT NULL)`,
    `CREATE TABLE endpoints (
      customer ${text} NOT NULL, url ${text} NOT NULL, lane ${text} NOT NULL,
      status ${text} NOT NULL DEFAULT 'enabled', reason ${text}, since ${moment} NOT NULL, failures integer NOT NULL,
      failing_since ${moment} NOT NULL, seen_at ${moment} NOT NULL, probe_at ${moment}
    )`,
    // a URL may be longer than an entry of an index, as may what is kept of one below
    `CREATE UNIQUE INDEX endpoints_by_url ON endpoints (customer, md5(url))`,

    `CREATE TABLE secrets (customer ${text} PRIMARY KEY, primary_secret ${text} NOT NULL, secondary_secret ${text})`,
    `CREATE TABLE settings (name ${text} PRIMARY KEY, value ${text} NOT NULL)`,
    `CREATE TABLE credentials (
      customer ${text} NOT NULL, name ${text} NOT NULL, definition ${text} NOT NULL, secret ${text} NOT NULL,
      made_at ${moment} NOT NULL, rotated_at ${moment} NOT NULL, PRIMARY KEY (customer, name)
    )`,
    `CREATE TABLE l8_nonces (nonce ${text} PRIMARY KEY, seen_at ${moment} NOT NULL)`,
    `CREATE INDEX l8_nonces_by_time ON l8_nonces (seen_at)`,
    `CREATE TABLE l8_trust (
      origin ${text} PRIMARY KEY, public_key ${text}, proved_at ${moment}, changed_key ${text}, revoked_at ${moment}
    )`,

    `CREATE TABLE paces (
      lane ${text} NOT NULL, account ${text} NOT NULL, rps ${moment}, max_concurrent ${moment}, account_queues integer,
      held_until ${moment}, seen_at ${moment} NOT NULL, held_by ${text}, taught_at ${moment}, kept ${text},
      PRIMARY KEY (lane, account)
    )`,
    `CREATE INDEX paces_by_time ON paces (seen_at)`,
    `CREATE TABLE steering (
      lane ${text} PRIMARY KEY, rps ${moment}, max_concurrent ${moment}, paused_by ${text}, paused_at ${moment},
      note ${text}, find integer
    )`,
    `CREATE TABLE lane_log (
      n bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, lane ${text} NOT NULL, at ${moment} NOT NULL,
      actor ${text} NOT NULL, action ${text} NOT NULL, detail ${text} NOT NULL
    )`,
    `CREATE INDEX lane_log_by_lane ON lane_log (lane, n)`,
    `CREATE TABLE limits (name ${text} PRIMARY KEY, definition ${text} NOT NULL, at ${moment} NOT NULL, actor ${text} NOT NULL)`,
    `CREATE TABLE limit_levels (
      name ${text} NOT NULL, key ${text} NOT NULL, level ${moment} NOT NULL, at ${moment} NOT NULL
    )`,
    `CREATE UNIQUE INDEX limit_levels_by_key ON limit_levels (name, md5(key))`,
    `CREATE TABLE history (
      span ${moment} NOT NULL, at ${moment} NOT NULL, lane ${text} NOT NULL, accepted bigint NOT NULL,
      succeeded bigint NOT NULL, failed bigint NOT NULL, cancelled bigint NOT NULL, calls bigint NOT NULL,
      refused bigint NOT NULL, held_ms ${moment} NOT NULL, latency ${text} NOT NULL, PRIMARY KEY (lane, span, at)
    )`,
    `CREATE INDEX history_by_time ON history (span, at)`,
    `CREATE TABLE notices (subject ${text} NOT NULL, phase ${text} NOT NULL, since ${moment} NOT NULL)`,
    `CREATE UNIQUE INDEX notices_by_subject ON notices (md5(subject))`,
    `CREATE TABLE orders (
      customer ${text} NOT NULL, key ${text} NOT NULL, job_id ${text} NOT NULL, at ${moment} NOT NULL,
      PRIMARY KEY (customer, key)
    )`,
    `CREATE TABLE schedules (
      customer ${text} NOT NULL, name ${text} NOT NULL, generation ${text} NOT NULL, definition ${text} NOT NULL,
      step ${text} NOT NULL, progress ${text} NOT NULL, look_at ${moment}, created_at ${moment} NOT NULL,
      changed_at ${moment} NOT NULL, PRIMARY KEY (customer, name)
    )`,
    `CREATE INDEX schedules_due ON schedules (look_at) WHERE look_at IS NOT NULL`,

    `CREATE TABLE batches (
      n bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
      customer ${text} NOT NULL,
      id ${text} NOT NULL,
      together integer NOT NULL,
      webhook ${text},
      metadata ${text} NOT NULL,
      on_complete ${text},
      on_any_failure ${text},
      rerun_of ${text},
      state ${text} NOT NULL DEFAULT 'open',
      through bigint NOT NULL DEFAULT 0,
      accepted bigint NOT NULL DEFAULT 0,
      duplicates bigint NOT NULL DEFAULT 0,
      refused bigint NOT NULL DEFAULT 0,
      swept_succeeded bigint NOT NULL DEFAULT 0,
      swept_failed bigint NOT NULL DEFAULT 0,
      swept_cancelled bigint NOT NULL DEFAULT 0,
      created_at ${moment} NOT NULL,
      touched_at ${moment} NOT NULL,
      closed_at ${moment},
      ended_at ${moment},
      cancelled_at ${moment},
      failed_at ${moment},
      complete_job ${text},
      failure_job ${text},
      told integer NOT NULL DEFAULT 0,
      UNIQUE (customer, id)
    )`,
    `CREATE INDEX batches_of_customer ON batches (customer, n)`,
    `CREATE INDEX batches_due ON batches (n) WHERE told = 0`,
    `CREATE INDEX batches_held_back ON batches (customer) WHERE together = 1 AND state IN ('open', 'showing')`,
    `CREATE INDEX batches_open ON batches (touched_at) WHERE state = 'open'`,
    `CREATE INDEX batches_over ON batches (ended_at) WHERE told = 1`,
    `CREATE TABLE batch_lines (
      batch bigint NOT NULL, kind ${text} NOT NULL, line bigint NOT NULL, detail ${text} NOT NULL,
      PRIMARY KEY (batch, kind, line)
    )`,
    `CREATE TABLE batch_staged (batch bigint NOT NULL, line bigint NOT NULL, job ${text} NOT NULL, PRIMARY KEY (batch, line))`,

    // bodies are packed by what takes a third of the time, where the server was built with it
    `DO $$ BEGIN
      ALTER TABLE payloads ALTER COLUMN step SET COMPRESSION lz4;
      ALTER TABLE results ALTER COLUMN bodies SET COMPRESSION lz4;
      ALTER TABLE results ALTER COLUMN result SET COMPRESSION lz4;
      ALTER TABLE attempts ALTER COLUMN body SET COMPRESSION lz4;
      ALTER TABLE delivery_bodies ALTER COLUMN body SET COMPRESSION lz4;
    EXCEPTION WHEN OTHERS THEN NULL;
    END $$`
  ]
]
