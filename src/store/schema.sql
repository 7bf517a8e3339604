-- What Stile keeps. Instants are milliseconds since 1970 in UTC. One file, written by one thread.

-- A resource as it stands now, in the R4 form that was checked.
CREATE TABLE resource (
    type         TEXT NOT NULL,
    id           TEXT NOT NULL,
    version      INTEGER NOT NULL,
    updated_ms   INTEGER NOT NULL,
    organisation TEXT NOT NULL,
    patient      TEXT,
    status       TEXT,
    body_sha256  BLOB NOT NULL,
    json         TEXT NOT NULL,
    PRIMARY KEY (type, id)
);
CREATE INDEX resource_patient ON resource (type, patient, id) WHERE patient IS NOT NULL;
CREATE INDEX resource_status ON resource (type, status, id);
CREATE INDEX resource_organisation ON resource (type, organisation, id);

-- Every body as it came, with who sent it and which mapping read it.
CREATE TABLE submission (
    number         INTEGER PRIMARY KEY,
    at_ms          INTEGER NOT NULL,
    type           TEXT NOT NULL,
    id             TEXT NOT NULL,
    version        INTEGER NOT NULL,
    caller         TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    mapping        TEXT NOT NULL,
    format         TEXT NOT NULL,
    body           BLOB NOT NULL
);
CREATE INDEX submission_resource ON submission (type, id, version);

-- Business identifiers, which settle creates and answer searches.
CREATE TABLE identifier (
    type         TEXT NOT NULL,
    value        TEXT NOT NULL,
    system       TEXT NOT NULL,
    id           TEXT NOT NULL,
    organisation TEXT NOT NULL,
    PRIMARY KEY (type, value, system, id)
) WITHOUT ROWID;
CREATE INDEX identifier_resource ON identifier (id, type);

-- The canonical value made from a resource.
CREATE TABLE canonical (
    kind         TEXT NOT NULL,
    id           TEXT NOT NULL,
    organisation TEXT NOT NULL,
    patient      TEXT,
    pathway      TEXT,
    -- 1 when the PAS itself said so.
    is_pas       INTEGER NOT NULL,
    json         TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX canonical_pathway ON canonical (kind, pathway) WHERE pathway IS NOT NULL;
CREATE INDEX canonical_patient ON canonical (kind, patient) WHERE patient IS NOT NULL;

-- Patients' requests and what happened to each.
CREATE TABLE request (
    id           TEXT PRIMARY KEY,
    ask          TEXT NOT NULL,
    state        TEXT NOT NULL,
    is_open      INTEGER NOT NULL,
    -- The resource that asked, and when the patient did.
    source       TEXT NOT NULL,
    asked_ms     INTEGER,
    appointment  TEXT,
    -- When the appointment was to start when the change was asked for.
    starts_ms    INTEGER,
    pathway      TEXT,
    organisation TEXT NOT NULL,
    requested_ms INTEGER NOT NULL,
    changed_ms   INTEGER NOT NULL,
    reason       TEXT
);
CREATE INDEX request_appointment ON request (appointment) WHERE is_open = 1;
CREATE INDEX request_source ON request (source, requested_ms);
CREATE INDEX request_pathway ON request (pathway) WHERE is_open = 1;

CREATE TABLE event (
    number         INTEGER PRIMARY KEY,
    request        TEXT NOT NULL REFERENCES request (id),
    at_ms          INTEGER NOT NULL,
    name           TEXT NOT NULL,
    reason         TEXT,
    correlation_id TEXT NOT NULL
);
CREATE INDEX event_request ON event (request);

-- What goes downstream. The body is final when it is kept.
CREATE TABLE delivery (
    number         INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    request        TEXT NOT NULL REFERENCES request (id),
    downstream     TEXT NOT NULL,
    lane           TEXT NOT NULL,
    state          TEXT NOT NULL,
    resource_type  TEXT NOT NULL,
    body           TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    kept_ms        INTEGER NOT NULL,
    -- When to look at it again: when it is due while it waits, when its lease ends while it is leased.
    due_ms         INTEGER NOT NULL,
    fence          INTEGER NOT NULL DEFAULT 0,
    attempts       INTEGER NOT NULL DEFAULT 0,
    round          INTEGER NOT NULL DEFAULT 0,
    reason         TEXT
);
CREATE INDEX delivery_due ON delivery (downstream, due_ms) WHERE state IN ('waiting', 'leased');
CREATE INDEX delivery_request ON delivery (request);
CREATE INDEX delivery_lane ON delivery (lane, number) WHERE state IN ('waiting', 'leased', 'exhausted');

CREATE TABLE attempt (
    delivery   TEXT NOT NULL,
    number     INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER NOT NULL,
    answer     TEXT NOT NULL,
    reason     TEXT,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

-- Who did what. Holds no patient's data.
CREATE TABLE audit (
    number         INTEGER PRIMARY KEY,
    at_ms          INTEGER NOT NULL,
    caller         TEXT NOT NULL,
    interaction    TEXT NOT NULL,
    type           TEXT NOT NULL,
    id             TEXT NOT NULL,
    correlation_id TEXT NOT NULL
);

-- Idempotency keys and the answers they got.
CREATE TABLE idempotency_key (
    caller      TEXT NOT NULL,
    key         TEXT NOT NULL,
    body_sha256 BLOB NOT NULL,
    at_ms       INTEGER NOT NULL,
    receipt     TEXT NOT NULL,
    PRIMARY KEY (caller, key)
);

-- Places on the waiting list.
CREATE TABLE entry (
    id           TEXT PRIMARY KEY,
    organisation TEXT NOT NULL,
    patient      TEXT,
    pathway      TEXT,
    json         TEXT NOT NULL
);
CREATE INDEX entry_patient ON entry (patient) WHERE patient IS NOT NULL;
