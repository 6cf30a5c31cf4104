"""The first schema, table by table: what people, desk, knowledge, market and work are kept in.

Times are milliseconds UTC; JSON columns are compact text; `version` counts edits (the ETag). Statements here are
history: a change of the schema is a new migration, never an edit of these.
"""

from __future__ import annotations

PEOPLE = (
    """CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL COLLATE NOCASE UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('agent', 'analyst', 'admin')), locale TEXT NOT NULL DEFAULT 'en',
    zone TEXT NOT NULL DEFAULT 'UTC', is_active INTEGER NOT NULL DEFAULT 1, password_hash TEXT,
    version INTEGER NOT NULL DEFAULT 1)""",
    "CREATE TABLE team (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL DEFAULT 1)",
    """CREATE TABLE team_member (team_id INTEGER NOT NULL REFERENCES team ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE, PRIMARY KEY (team_id, user_id)) WITHOUT ROWID""",
    "CREATE INDEX team_member_user ON team_member (user_id)",
    """CREATE TABLE token (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    name TEXT NOT NULL, prefix TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER, last_used_at INTEGER, revoked_at INTEGER)""",
    """CREATE TABLE link (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER)""",
    """CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, actor_kind TEXT NOT NULL, actor_id TEXT NOT NULL,
    verb TEXT NOT NULL, noun TEXT NOT NULL, noun_id INTEGER NOT NULL, before TEXT NOT NULL DEFAULT '{}',
    after TEXT NOT NULL DEFAULT '{}', at INTEGER NOT NULL, undoes INTEGER UNIQUE REFERENCES event)""",
    "CREATE INDEX event_noun ON event (noun, noun_id, id)",
    """CREATE TABLE idempotency (actor TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
    status INTEGER, headers TEXT, body BLOB, created_at INTEGER NOT NULL, PRIMARY KEY (actor, key)) WITHOUT ROWID""",
    "CREATE INDEX idempotency_age ON idempotency (created_at)",
)

DESK = (
    """CREATE TABLE queue (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
    intent_task TEXT NOT NULL, team_id INTEGER REFERENCES team ON DELETE SET NULL,
    is_redacting INTEGER NOT NULL DEFAULT 1, version INTEGER NOT NULL DEFAULT 1)""",
    """CREATE TABLE route_rule (id INTEGER PRIMARY KEY, task TEXT NOT NULL, intent TEXT NOT NULL,
    queue_id INTEGER REFERENCES queue ON DELETE SET NULL, urgency INTEGER NOT NULL DEFAULT 10,
    UNIQUE (task, intent))""",
    """CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT COLLATE NOCASE UNIQUE,
    tier TEXT NOT NULL DEFAULT 'standard', version INTEGER NOT NULL DEFAULT 1)""",
    """CREATE TABLE ticket (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, channel TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('new', 'open', 'pending', 'solved', 'closed')),
    priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    queue_id INTEGER NOT NULL REFERENCES queue, customer_id INTEGER NOT NULL REFERENCES customer,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, assignee_id INTEGER REFERENCES user,
    external_id TEXT UNIQUE, intent_task TEXT, intent TEXT, intent_probability REAL, intent_band TEXT,
    intent_source TEXT NOT NULL DEFAULT 'model', sentiment TEXT, sentiment_score REAL, emotion TEXT,
    needs_person INTEGER NOT NULL DEFAULT 0, language TEXT NOT NULL DEFAULT 'en', urgency INTEGER,
    urgency_parts TEXT NOT NULL DEFAULT '[]', tags TEXT NOT NULL DEFAULT '[]', risk INTEGER NOT NULL DEFAULT 0,
    first_response_due_at INTEGER, resolution_due_at INTEGER, first_responded_at INTEGER, solved_at INTEGER,
    is_priority_set INTEGER NOT NULL DEFAULT 0,
    preview TEXT NOT NULL DEFAULT '', n_messages INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,
    is_open INTEGER GENERATED ALWAYS AS (status IN ('new', 'open', 'pending')) VIRTUAL)""",
    # The inbox order is (is_open, risk, id); each common filter gets that order behind its own column.
    "CREATE INDEX ticket_inbox ON ticket (is_open, risk DESC, id DESC)",
    "CREATE INDEX ticket_queue ON ticket (queue_id, is_open, risk DESC, id DESC)",
    "CREATE INDEX ticket_assignee ON ticket (assignee_id, is_open, risk DESC, id DESC)",
    "CREATE INDEX ticket_intent ON ticket (intent, is_open, risk DESC, id DESC)",
    "CREATE INDEX ticket_person ON ticket (is_open, risk DESC, id DESC) WHERE needs_person = 1",
    "CREATE INDEX ticket_updated ON ticket (updated_at DESC, id DESC)",
    "CREATE INDEX ticket_customer ON ticket (customer_id, id DESC)",
    """CREATE TABLE ticket_count (queue_id INTEGER NOT NULL, status TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (queue_id, status)) WITHOUT ROWID""",
    """CREATE TRIGGER ticket_counted AFTER INSERT ON ticket BEGIN
    INSERT INTO ticket_count VALUES (new.queue_id, new.status, 1)
    ON CONFLICT DO UPDATE SET n = n + 1; END""",
    """CREATE TRIGGER ticket_recounted AFTER UPDATE OF queue_id, status ON ticket
    WHEN old.queue_id <> new.queue_id OR old.status <> new.status BEGIN
    UPDATE ticket_count SET n = n - 1 WHERE queue_id = old.queue_id AND status = old.status;
    INSERT INTO ticket_count VALUES (new.queue_id, new.status, 1)
    ON CONFLICT DO UPDATE SET n = n + 1; END""",
    """CREATE TRIGGER ticket_uncounted AFTER DELETE ON ticket BEGIN
    UPDATE ticket_count SET n = n - 1 WHERE queue_id = old.queue_id AND status = old.status; END""",
    """CREATE TABLE message (id INTEGER PRIMARY KEY AUTOINCREMENT, ticket_id INTEGER NOT NULL REFERENCES ticket,
    kind TEXT NOT NULL CHECK (kind IN ('incoming', 'outgoing', 'note')), author_kind TEXT NOT NULL,
    author_name TEXT NOT NULL, user_id INTEGER REFERENCES user, body TEXT NOT NULL, text TEXT NOT NULL,
    occurred_at INTEGER NOT NULL, received_at INTEGER NOT NULL, message_id TEXT, language TEXT NOT NULL DEFAULT 'en',
    is_supported INTEGER NOT NULL DEFAULT 1, is_automatic INTEGER NOT NULL DEFAULT 0,
    n_redactions INTEGER NOT NULL DEFAULT 0, pending_at INTEGER, n_tries INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX message_ticket ON message (ticket_id, occurred_at, id)",
    "CREATE UNIQUE INDEX message_rfc ON message (message_id) WHERE message_id IS NOT NULL",
    # Accepted and not yet classified: the worker drains these in order.
    "CREATE INDEX message_pending ON message (pending_at) WHERE pending_at IS NOT NULL",
    "CREATE VIRTUAL TABLE message_search USING fts5 (text, content = 'message', content_rowid = 'id')",
    """CREATE TRIGGER message_found AFTER INSERT ON message BEGIN
    INSERT INTO message_search (rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER message_refound AFTER UPDATE OF text ON message BEGIN
    INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO message_search (rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER message_unfound AFTER DELETE ON message BEGIN
    INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.id, old.text); END""",
    "CREATE TABLE blob (sha256 TEXT PRIMARY KEY, content BLOB NOT NULL)",
    """CREATE TABLE attachment (id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL REFERENCES message,
    name TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL REFERENCES blob,
    is_left_out INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX attachment_message ON attachment (message_id)",
    """CREATE TABLE prediction (id INTEGER PRIMARY KEY, subject_kind TEXT NOT NULL
    CHECK (subject_kind IN ('message', 'post', 'mention')), subject_id INTEGER NOT NULL, task TEXT NOT NULL,
    role TEXT NOT NULL, model TEXT NOT NULL, label TEXT NOT NULL, probability REAL NOT NULL, top TEXT NOT NULL,
    labels TEXT NOT NULL DEFAULT '[]', abstained INTEGER NOT NULL, band TEXT NOT NULL, band_precision REAL,
    is_shadow INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL)""",
    "CREATE INDEX prediction_subject ON prediction (subject_kind, subject_id)",
    """CREATE TABLE correction (id INTEGER PRIMARY KEY, prediction_id INTEGER NOT NULL REFERENCES prediction,
    subject_kind TEXT NOT NULL, subject_id INTEGER NOT NULL, task TEXT NOT NULL, label_before TEXT NOT NULL,
    label TEXT NOT NULL, model TEXT NOT NULL, user_id INTEGER NOT NULL REFERENCES user, created_at INTEGER NOT NULL,
    undone_at INTEGER, text TEXT NOT NULL, target_start INTEGER, target_end INTEGER)""",
    "CREATE INDEX correction_subject ON correction (subject_kind, subject_id)",
    "CREATE INDEX correction_prediction ON correction (prediction_id)",
)

KNOWLEDGE = (
    """CREATE TABLE macro (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
    intents TEXT NOT NULL DEFAULT '[]', actions TEXT NOT NULL DEFAULT '[]', n_used INTEGER NOT NULL DEFAULT 0,
    n_offered INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1)""",
    """CREATE TABLE article (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
    body TEXT NOT NULL, intents TEXT NOT NULL DEFAULT '[]', tags TEXT NOT NULL DEFAULT '[]',
    updated_at INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1)""",
    """CREATE VIRTUAL TABLE article_search USING fts5 (title, body, content = 'article', content_rowid = 'id',
    tokenize = 'porter unicode61')""",
    """CREATE TRIGGER article_found AFTER INSERT ON article BEGIN
    INSERT INTO article_search (rowid, title, body) VALUES (new.id, new.title, new.body); END""",
    """CREATE TRIGGER article_refound AFTER UPDATE OF title, body ON article BEGIN
    INSERT INTO article_search (article_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
    INSERT INTO article_search (rowid, title, body) VALUES (new.id, new.title, new.body); END""",
    """CREATE TRIGGER article_unfound AFTER DELETE ON article BEGIN
    INSERT INTO article_search (article_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
    END""",
    """CREATE TABLE passage (id INTEGER PRIMARY KEY, article_id INTEGER NOT NULL REFERENCES article ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL, vector BLOB NOT NULL, encoder TEXT NOT NULL,
    UNIQUE (article_id, ordinal))""",
)

MARKET = (
    """CREATE TABLE feed (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('push', 'rss', 'file')), url TEXT, zone TEXT NOT NULL DEFAULT 'UTC',
    weight REAL NOT NULL DEFAULT 1.0, licence_note TEXT NOT NULL DEFAULT '',
    team_id INTEGER REFERENCES team ON DELETE SET NULL, is_active INTEGER NOT NULL DEFAULT 1, etag TEXT,
    last_modified TEXT, last_fetched_at INTEGER, last_post_at INTEGER, last_error TEXT,
    n_failures INTEGER NOT NULL DEFAULT 0, next_fetch_at INTEGER, version INTEGER NOT NULL DEFAULT 1)""",
    "CREATE INDEX feed_due ON feed (next_fetch_at) WHERE next_fetch_at IS NOT NULL",
    """CREATE TABLE story (id INTEGER PRIMARY KEY, key TEXT NOT NULL, title TEXT NOT NULL, first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL)""",
    "CREATE INDEX story_key ON story (key, last_at)",
    "CREATE INDEX story_recent ON story (last_at)",
    """CREATE TABLE post (id INTEGER PRIMARY KEY AUTOINCREMENT, feed_id INTEGER NOT NULL REFERENCES feed,
    external_id TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, text TEXT NOT NULL,
    occurred_at INTEGER NOT NULL, received_at INTEGER NOT NULL, precision TEXT NOT NULL DEFAULT 'second', url TEXT,
    author TEXT, story_id INTEGER REFERENCES story, topic TEXT, topic_probability REAL,
    is_topic_abstained INTEGER NOT NULL DEFAULT 0, sentiment TEXT, sentiment_score REAL,
    language TEXT NOT NULL DEFAULT 'en', is_supported INTEGER NOT NULL DEFAULT 1, pending_at INTEGER,
    version INTEGER NOT NULL DEFAULT 1, UNIQUE (feed_id, external_id))""",
    "CREATE INDEX post_at ON post (occurred_at DESC, id DESC)",
    "CREATE INDEX post_feed ON post (feed_id, occurred_at DESC, id DESC)",
    "CREATE INDEX post_topic ON post (topic, occurred_at DESC, id DESC)",
    "CREATE INDEX post_story ON post (story_id, occurred_at, id)",
    "CREATE INDEX post_pending ON post (pending_at) WHERE pending_at IS NOT NULL",
    "CREATE VIRTUAL TABLE post_search USING fts5 (text, content = 'post', content_rowid = 'id')",
    """CREATE TRIGGER post_found AFTER INSERT ON post BEGIN
    INSERT INTO post_search (rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER post_refound AFTER UPDATE OF text ON post BEGIN
    INSERT INTO post_search (post_search, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO post_search (rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER post_unfound AFTER DELETE ON post BEGIN
    INSERT INTO post_search (post_search, rowid, text) VALUES ('delete', old.id, old.text); END""",
    """CREATE TABLE entity (id INTEGER PRIMARY KEY, ticker TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    sector TEXT NOT NULL DEFAULT '', aliases TEXT NOT NULL DEFAULT '[]', ambiguous TEXT NOT NULL DEFAULT '[]',
    competitors TEXT NOT NULL DEFAULT '[]', version INTEGER NOT NULL DEFAULT 1)""",
    # The time is repeated here so that a day of one company among ten million posts is one index range.
    """CREATE TABLE mention (id INTEGER PRIMARY KEY AUTOINCREMENT, post_id INTEGER NOT NULL REFERENCES post,
    entity_id INTEGER NOT NULL REFERENCES entity, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    surface TEXT NOT NULL, sentiment TEXT, sentiment_score REAL, probability REAL,
    is_abstained INTEGER NOT NULL DEFAULT 0, occurred_at INTEGER NOT NULL)""",
    "CREATE INDEX mention_post ON mention (post_id)",
    "CREATE INDEX mention_entity ON mention (entity_id, occurred_at DESC, post_id DESC)",
    # Scores come in steps of 1/1024, which floats add without error: a rebuild gives the same sums, bit for bit.
    """CREATE TABLE bucket (subject_kind TEXT NOT NULL, subject_id TEXT NOT NULL, at INTEGER NOT NULL,
    n_posts INTEGER NOT NULL, n_stories INTEGER NOT NULL, n_negative INTEGER NOT NULL, n_neutral INTEGER NOT NULL,
    n_positive INTEGER NOT NULL, n_abstained INTEGER NOT NULL, score_sum REAL NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, at)) WITHOUT ROWID""",
    """CREATE TABLE feedback (user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    post_id INTEGER NOT NULL REFERENCES post ON DELETE CASCADE, kind TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (user_id, post_id, kind)) WITHOUT ROWID""",
    "CREATE INDEX feedback_recent ON feedback (user_id, at DESC)",
)

WORK = (
    """CREATE TABLE rule (id INTEGER PRIMARY KEY, name TEXT NOT NULL, subject_kind TEXT NOT NULL, subject_id TEXT,
    window_ms INTEGER NOT NULL, baseline_ms INTEGER NOT NULL, min_stories INTEGER NOT NULL,
    min_negative INTEGER NOT NULL, share REAL NOT NULL, lift REAL NOT NULL, pending_ms INTEGER NOT NULL,
    recovering_ms INTEGER NOT NULL, severity TEXT NOT NULL, is_active INTEGER NOT NULL DEFAULT 1,
    version INTEGER NOT NULL DEFAULT 1)""",
    """CREATE TABLE alert (id INTEGER PRIMARY KEY AUTOINCREMENT, rule_id INTEGER NOT NULL REFERENCES rule,
    subject_kind TEXT NOT NULL, subject_id TEXT NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL,
    since_at INTEGER NOT NULL, started_at INTEGER NOT NULL, firing_at INTEGER, clear_at INTEGER, resolved_at INTEGER,
    acknowledged_at INTEGER, acknowledged_by INTEGER REFERENCES user, is_no_data INTEGER NOT NULL DEFAULT 0,
    observed TEXT NOT NULL DEFAULT '{}', model TEXT NOT NULL DEFAULT '', version INTEGER NOT NULL DEFAULT 1)""",
    # One open episode of a rule on a subject, whoever evaluates it.
    """CREATE UNIQUE INDEX alert_open ON alert (rule_id, subject_kind, subject_id)
    WHERE state IN ('pending', 'firing', 'recovering')""",
    "CREATE INDEX alert_recent ON alert (started_at DESC, id DESC)",
    "CREATE INDEX alert_subject ON alert (subject_kind, subject_id, id DESC)",
    """CREATE TABLE silence (id INTEGER PRIMARY KEY, subject_kind TEXT, subject_id TEXT, since INTEGER NOT NULL,
    until INTEGER NOT NULL, user_id INTEGER NOT NULL REFERENCES user, comment TEXT NOT NULL)""",
    "CREATE INDEX silence_until ON silence (until)",
    """CREATE TABLE receiver (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, url TEXT NOT NULL,
    verbs TEXT NOT NULL DEFAULT '[]', secret TEXT NOT NULL DEFAULT '', is_active INTEGER NOT NULL DEFAULT 1,
    version INTEGER NOT NULL DEFAULT 1)""",
    """CREATE TABLE notification (id INTEGER PRIMARY KEY, receiver_id INTEGER NOT NULL
    REFERENCES receiver ON DELETE CASCADE, verb TEXT NOT NULL, noun TEXT NOT NULL, noun_id INTEGER NOT NULL,
    dedup_key TEXT NOT NULL UNIQUE, body TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'queued',
    n_attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL DEFAULT 0, last_error TEXT,
    created_at INTEGER NOT NULL, sent_at INTEGER, claimed_at INTEGER)""",
    "CREATE INDEX notification_due ON notification (next_at) WHERE state IN ('queued', 'sending')",
    "CREATE INDEX notification_receiver ON notification (receiver_id, id DESC)",
    """CREATE TABLE attempt (id INTEGER PRIMARY KEY, notification_id INTEGER NOT NULL
    REFERENCES notification ON DELETE CASCADE, at INTEGER NOT NULL, is_delivered INTEGER NOT NULL, error TEXT)""",
    "CREATE INDEX attempt_notification ON attempt (notification_id)",
    """CREATE TABLE job (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, params TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL DEFAULT 'queued', n_total INTEGER NOT NULL DEFAULT 0, n_done INTEGER NOT NULL DEFAULT 0,
    n_failed INTEGER NOT NULL DEFAULT 0, errors TEXT NOT NULL DEFAULT '[]', user_id INTEGER REFERENCES user,
    created_at INTEGER NOT NULL, claimed_at INTEGER, finished_at INTEGER)""",
    "CREATE INDEX job_due ON job (id) WHERE state IN ('queued', 'working')",
    """CREATE TABLE deployment (id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL,
    slot TEXT NOT NULL CHECK (slot IN ('live', 'shadow')), at INTEGER NOT NULL, actor_id TEXT NOT NULL)""",
)
