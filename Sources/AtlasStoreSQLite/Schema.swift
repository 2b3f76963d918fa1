import GRDB

/// The tables of the store, and how a file of an older version becomes one of this version.
enum Schema {
  /// Marks the file as an Atlas store (`ATLS`), for `file` and against mistakes.
  static let applicationID: Int64 = 0x4154_4c53

  /// Every step that was ever released, in order. A released step is never changed.
  static var migrator: DatabaseMigrator {
    // Nothing here has foreign keys, and the check reads the whole file.
    var migrator = DatabaseMigrator().disablingDeferredForeignKeyChecks()
    migrator.registerMigration("1") { database in
      try database.execute(sql: "PRAGMA application_id = \(applicationID)")
      for sql in [log, state, outbox, answers, hookRuns, subjects, keyValues, meta, views] {
        try database.execute(sql: sql)
      }
    }
    return migrator
  }

  /// One row per transition. Subjects are names and not numbers, so that a row says everything by
  /// itself; the index over them is in ``subjects``.
  private static let log = """
    CREATE TABLE log (
      seq INTEGER PRIMARY KEY CHECK (seq > 0),
      campaign_time_ms INTEGER NOT NULL,
      real_time_ms INTEGER NOT NULL,
      kind TEXT NOT NULL,
      campaign TEXT NOT NULL,
      client TEXT NOT NULL,
      server TEXT NOT NULL,
      ring INTEGER,
      run INTEGER,
      from_state TEXT NOT NULL,
      to_state TEXT NOT NULL,
      phase TEXT NOT NULL,
      attempt INTEGER,
      pass INTEGER,
      fence INTEGER CHECK (fence >= 0),
      detail TEXT NOT NULL,
      reason TEXT NOT NULL,
      principal TEXT NOT NULL,
      previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
      hash BLOB NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE TRIGGER log_is_never_changed BEFORE UPDATE ON log
      BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
    CREATE TRIGGER log_is_never_shortened BEFORE DELETE ON log
      BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
    """

  private static let state = """
    CREATE TABLE state (
      kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 5),
      owner INTEGER NOT NULL,
      number INTEGER NOT NULL,
      name TEXT NOT NULL,
      state TEXT NOT NULL,
      body BLOB NOT NULL,
      PRIMARY KEY (kind, owner, number)
    ) STRICT, WITHOUT ROWID;
    """

  private static let outbox = """
    CREATE TABLE outbox (
      fence INTEGER PRIMARY KEY CHECK (fence >= 0),
      server INTEGER NOT NULL,
      body BLOB NOT NULL
    ) STRICT;
    """

  private static let answers = """
    CREATE TABLE answers (
      id INTEGER PRIMARY KEY,
      principal TEXT NOT NULL,
      method TEXT NOT NULL,
      request_id TEXT NOT NULL,
      content_hash BLOB NOT NULL,
      answer BLOB NOT NULL,
      real_time_ms INTEGER NOT NULL,
      UNIQUE (principal, method, request_id)
    ) STRICT;
    CREATE INDEX answers_by_time ON answers (real_time_ms);
    """

  /// The totals are kept beside the rows, so that a report does not read them all.
  private static let hookRuns = """
    CREATE TABLE hook_runs (
      id INTEGER PRIMARY KEY CHECK (id > 0),
      run_key TEXT NOT NULL,
      campaign TEXT NOT NULL,
      client TEXT NOT NULL,
      server TEXT NOT NULL,
      point TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      outcome TEXT NOT NULL,
      message TEXT NOT NULL,
      error_kind TEXT NOT NULL,
      file TEXT NOT NULL,
      line INTEGER NOT NULL,
      traceback TEXT NOT NULL,
      revision TEXT NOT NULL,
      started_at_ms INTEGER NOT NULL,
      took_ms INTEGER NOT NULL,
      cpu_us INTEGER NOT NULL,
      peak_memory_bytes INTEGER NOT NULL,
      calls TEXT NOT NULL
    ) STRICT;
    CREATE TABLE hook_totals (
      campaign TEXT PRIMARY KEY,
      runs INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE hook_call_totals (
      campaign TEXT NOT NULL,
      name TEXT NOT NULL,
      count INTEGER NOT NULL,
      errors INTEGER NOT NULL,
      PRIMARY KEY (campaign, name)
    ) STRICT, WITHOUT ROWID;
    """

  /// See ``SubjectIndex``.
  private static let subjects = """
    CREATE TABLE log_subjects (
      segment INTEGER NOT NULL,
      subject INTEGER NOT NULL CHECK (subject BETWEEN 1 AND 3),
      name TEXT NOT NULL,
      number INTEGER NOT NULL,
      PRIMARY KEY (segment, subject, name, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE hook_run_subjects (
      segment INTEGER NOT NULL,
      subject INTEGER NOT NULL CHECK (subject BETWEEN 1 AND 3),
      name TEXT NOT NULL,
      number INTEGER NOT NULL,
      PRIMARY KEY (segment, subject, name, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE indexed_segments (
      index_name TEXT NOT NULL,
      subject INTEGER NOT NULL,
      segments INTEGER NOT NULL,
      PRIMARY KEY (index_name, subject)
    ) STRICT, WITHOUT ROWID;
    """

  private static let keyValues = """
    CREATE TABLE key_values (
      id INTEGER PRIMARY KEY,
      client TEXT NOT NULL,
      key TEXT NOT NULL,
      value BLOB NOT NULL,
      UNIQUE (client, key)
    ) STRICT;
    CREATE TABLE key_value_usage (
      client TEXT PRIMARY KEY,
      keys INTEGER NOT NULL CHECK (keys >= 0),
      bytes INTEGER NOT NULL CHECK (bytes >= 0)
    ) STRICT, WITHOUT ROWID;
    """

  /// At most one row: none until the first commit.
  private static let meta = """
    CREATE TABLE meta (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      fence INTEGER NOT NULL CHECK (fence >= 0),
      campaign_time_ms INTEGER NOT NULL,
      demo_factor INTEGER NOT NULL CHECK (demo_factor >= 1),
      last_seq INTEGER NOT NULL CHECK (last_seq >= 0),
      last_hash BLOB NOT NULL CHECK (length(last_hash) = 32)
    ) STRICT;
    """

  /// For people who look into the file with `sqlite3 -readonly`.
  private static let views = """
    CREATE VIEW clients AS
      SELECT number, name FROM state WHERE kind = 1;
    CREATE VIEW servers AS
      SELECT number, name FROM state WHERE kind = 2;
    CREATE VIEW campaigns AS
      SELECT number, name, state FROM state WHERE kind = 3;
    CREATE VIEW runs AS
      SELECT owner AS campaign, number, name AS server, state FROM state WHERE kind = 4;
    CREATE VIEW settings AS
      SELECT number, name, state FROM state WHERE kind = 5;
    """
}
