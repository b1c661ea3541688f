/** The tables of credentials, and what jobs and deliveries keep of what was erased and of who signs them. */
export const credentialTables = `
  ALTER TABLE jobs ADD COLUMN erased_at REAL;
  ALTER TABLE deliveries ADD COLUMN terms TEXT;

  CREATE TABLE credentials (
    customer TEXT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    secret TEXT NOT NULL,
    made_at REAL NOT NULL,
    rotated_at REAL NOT NULL,
    PRIMARY KEY (customer, name)
  ) STRICT, WITHOUT ROWID;
`
