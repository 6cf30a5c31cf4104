-- The schema of a new database, by area. Whoever changes it adds a migration that brings older files to the same.
--
-- Times (`_at`, `at`, `since`, `until`) are milliseconds UTC, lengths of time (`_ms`) milliseconds, flags (`is_`) 0 or
-- 1, JSON columns compact text. `version` counts the edits of a row (its ETag). With AUTOINCREMENT no id is used twice.


-- ── Core ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A kind of thing that events are about. Most events are of tickets, and 0 takes no room in a row.
CREATE TABLE noun (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
INSERT INTO noun (id, name) VALUES (0, 'ticket'), (1, 'post');

-- The part of events that repeats: who did what, and to which fields.
CREATE TABLE deed (
    id INTEGER PRIMARY KEY,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    verb TEXT NOT NULL,
    before_keys TEXT NOT NULL,  -- ["status", …]: fields whose values before are in event.details
    after_keys TEXT NOT NULL  -- fields whose values after are there
);
CREATE UNIQUE INDEX deed_all ON deed (actor_id, verb, after_keys, before_keys, actor_kind);

-- Something that happened to one thing, written in the transaction of the change itself.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    deed_id INTEGER NOT NULL REFERENCES deed,
    noun_code INTEGER NOT NULL REFERENCES noun,
    noun_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    undoes INTEGER REFERENCES event,
    details TEXT  -- [value, …]: those of the deed's before_keys, then those of its after_keys
);
CREATE INDEX event_noun ON event (noun_code, noun_id);
CREATE UNIQUE INDEX event_undoes ON event (undoes) WHERE undoes IS NOT NULL;

-- Whole events. The plus keeps the planner from going through the deeds first.
CREATE VIEW happened AS
SELECT event.id, actor_kind, actor_id, verb, (SELECT name FROM noun WHERE noun.id = event.noun_code) AS noun, noun_code,
    noun_id, before_keys, after_keys, details, at, undoes
FROM event JOIN deed ON deed.id = +event.deed_id;

-- The answer to a request with an Idempotency-Key, which the same request gets again.
CREATE TABLE idempotency (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,  -- of the request
    status INTEGER NOT NULL,  -- HTTP
    headers TEXT NOT NULL,  -- {name: value}
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Accepted work for a worker, with its progress in items.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    params TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL DEFAULT 'queued',  -- queued, working, completed, failed
    n_total INTEGER NOT NULL DEFAULT 0,
    n_done INTEGER NOT NULL DEFAULT 0,
    n_failed INTEGER NOT NULL DEFAULT 0,
    n_known INTEGER NOT NULL DEFAULT 0,  -- items that were there already: neither done nor failed
    errors TEXT NOT NULL DEFAULT '[]',  -- [{row, code, params}, …]
    user_id INTEGER REFERENCES user,
    created_at INTEGER NOT NULL,
    claimed_at INTEGER,  -- when its worker was last heard of
    finished_at INTEGER
);
CREATE INDEX job_due ON job (id) WHERE state IN ('queued', 'working');

-- What one process has claimed, so that the claims of a process that died are free at once.
CREATE TABLE lease (
    noun TEXT NOT NULL,
    noun_id NOT NULL,  -- a number, or the kind of subjects that is learnt
    holder TEXT NOT NULL,  -- the name of the process
    until INTEGER NOT NULL,
    PRIMARY KEY (noun, noun_id)
) WITHOUT ROWID;

-- Something that came in and could not be filed. The row stays when it was decided on, so that it does not come again.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('mail', 'ticket', 'post', 'record')),
    form TEXT NOT NULL,  -- of `raw`: eml, csv, jsonl, rss, draft
    source TEXT NOT NULL,  -- where it came from, for people
    key TEXT NOT NULL UNIQUE,  -- place and SHA-256: the same bytes from the same place are kept once
    mailbox_id INTEGER REFERENCES mailbox ON DELETE SET NULL,
    uid_validity INTEGER,  -- with `uid`: the mail in its IMAP folder
    uid INTEGER,
    feed_id INTEGER REFERENCES feed ON DELETE SET NULL,
    ticket_file_id INTEGER REFERENCES ticket_file ON DELETE SET NULL,
    row INTEGER,  -- of the file
    user_id INTEGER REFERENCES user ON DELETE SET NULL,  -- who sent it in
    code TEXT NOT NULL,  -- with `params`: why it could not be filed
    params TEXT NOT NULL DEFAULT '{}',
    raw BLOB,
    size INTEGER NOT NULL DEFAULT 0,  -- bytes of the whole raw form
    is_whole INTEGER NOT NULL DEFAULT 0,  -- 0: `raw` is cut or absent
    at INTEGER NOT NULL,
    n_tries INTEGER NOT NULL DEFAULT 0,
    tried_at INTEGER,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'filed', 'discarded'))
);
CREATE INDEX quarantine_open ON quarantine (id) WHERE state = 'waiting';
CREATE INDEX quarantine_mailbox ON quarantine (mailbox_id, id);
CREATE INDEX quarantine_feed ON quarantine (feed_id);

-- What waits for a decision, without the raw forms, which may be large.
CREATE VIEW quarantine_waiting AS
SELECT id, kind, form, source, mailbox_id, uid_validity, uid, feed_id, ticket_file_id, row, user_id, code, params, size,
    is_whole, at, n_tries, tried_at, state
FROM quarantine WHERE state = 'waiting';

-- The bytes of a file, kept once and for as long as a row refers to them.
CREATE TABLE blob (
    sha256 TEXT PRIMARY KEY,
    content BLOB NOT NULL
);

-- A filter of the inbox or a dashboard of the market under a name.
CREATE TABLE saved_view (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    place TEXT NOT NULL DEFAULT 'inbox',  -- inbox, market
    query TEXT NOT NULL,  -- what stands after the ? of its address
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    is_shared INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1,
    UNIQUE (user_id, name)
);

-- The one row that is written to find out whether the database can be written to.
CREATE TABLE write_test (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n INTEGER NOT NULL
);

-- The one row that stands while erased words may still lie in the search index, in free pages or in the log.
CREATE TABLE wiping (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since INTEGER NOT NULL
);

-- Zeros that overwrite free pages; the rows are deleted at once.
CREATE TABLE wiping_page (
    id INTEGER PRIMARY KEY,
    content BLOB NOT NULL
);


-- ── People ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A person who signs in.
CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL COLLATE NOCASE UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('agent', 'analyst', 'admin')),
    locale TEXT NOT NULL DEFAULT 'en',
    zone TEXT NOT NULL DEFAULT 'UTC',
    is_active INTEGER NOT NULL DEFAULT 1,
    password_hash TEXT,  -- scrypt; NULL: signs in by link alone
    version INTEGER NOT NULL DEFAULT 1
);

-- People who share queues and feeds.
CREATE TABLE team (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL DEFAULT 1
);

-- A person in a team.
CREATE TABLE team_member (
    team_id INTEGER NOT NULL REFERENCES team ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    PRIMARY KEY (team_id, user_id)
) WITHOUT ROWID;
CREATE INDEX team_member_user ON team_member (user_id);

-- A token of the API.
CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,  -- the beginning of the secret, by which people know it
    hash TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret
    scopes TEXT NOT NULL,  -- ["tickets:read", …]
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
);

-- A sign-in link, which opens once.
CREATE TABLE link (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    hash TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
);

-- A person signed in at one browser.
CREATE TABLE session (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,  -- SHA-256 of what the cookie holds
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    address TEXT NOT NULL DEFAULT '',  -- IP
    device TEXT NOT NULL DEFAULT ''  -- browser and system
);
CREATE INDEX session_user ON session (user_id, last_seen_at);
CREATE INDEX session_seen ON session (last_seen_at);

-- An account, address or known browser whose last sign-ins failed.
CREATE TABLE failed_sign_in (
    key TEXT PRIMARY KEY,  -- kind and SHA-256: people type passwords where the e-mail address belongs
    n_failed INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    wait_until INTEGER NOT NULL,
    told_at INTEGER  -- when the history told of it
) WITHOUT ROWID;
CREATE INDEX failed_sign_in_last ON failed_sign_in (last_at);
CREATE INDEX failed_sign_in_told ON failed_sign_in (told_at) WHERE told_at IS NOT NULL;


-- ── Notify ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Where notifications go. The columns from `matchers` on are the route of alerts.
CREATE TABLE receiver (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,  -- webhook, alertmanager, alertmanager_api, apprise
    url TEXT NOT NULL,
    verbs TEXT NOT NULL DEFAULT '[]',  -- ["ticket.created", "alert.*", …]: what a webhook hears of; []: of everything
    secret TEXT NOT NULL DEFAULT '',  -- signs webhooks
    is_active INTEGER NOT NULL DEFAULT 1,
    matchers TEXT NOT NULL DEFAULT '[]',  -- [{name, op, value}, …], all of which must hold
    group_by TEXT NOT NULL DEFAULT 'alert',  -- alert, sector, all
    group_wait_ms INTEGER NOT NULL DEFAULT 0,
    repeat_ms INTEGER NOT NULL DEFAULT 0,  -- 0: tells once
    escalate_ms INTEGER NOT NULL DEFAULT 0,  -- hears only of what nobody acknowledged for so long
    zone TEXT NOT NULL DEFAULT 'UTC',
    quiet_from INTEGER,  -- minutes of the day in `zone`, as are quiet_until and digest_at
    quiet_until INTEGER,
    digest_at INTEGER,  -- hears of everything at once at this minute
    digested_at INTEGER NOT NULL DEFAULT 0,  -- until when its digests reach
    locale TEXT NOT NULL DEFAULT '',
    version INTEGER NOT NULL DEFAULT 1
);

-- One thing to tell one receiver, kept until it was told.
CREATE TABLE notification (
    id INTEGER PRIMARY KEY,
    receiver_id INTEGER NOT NULL REFERENCES receiver ON DELETE CASCADE,
    verb TEXT NOT NULL,
    noun TEXT NOT NULL,
    noun_id INTEGER NOT NULL,
    dedup_key TEXT NOT NULL UNIQUE,  -- the same on every attempt
    group_key TEXT,  -- until it is sent, alerts of the same group join it
    body TEXT NOT NULL,  -- {…}, as the kind of receiver wants it
    state TEXT NOT NULL DEFAULT 'queued',  -- queued, sending, sent, failed
    n_attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    claimed_at INTEGER,
    sent_at INTEGER
);
CREATE INDEX notification_due ON notification (next_at) WHERE state IN ('queued', 'sending');
CREATE INDEX notification_receiver ON notification (receiver_id, id DESC);
CREATE INDEX notification_noun ON notification (noun, noun_id);
CREATE INDEX notification_group ON notification (receiver_id, group_key) WHERE group_key IS NOT NULL;

-- One attempt to tell a receiver.
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    notification_id INTEGER NOT NULL REFERENCES notification ON DELETE CASCADE,
    at INTEGER NOT NULL,
    is_delivered INTEGER NOT NULL,
    error TEXT
);
CREATE INDEX attempt_notification ON attempt (notification_id);

-- What a receiver is to hear of an alert. Asking again finds the row and tells nobody twice.
CREATE TABLE telling (
    key TEXT PRIMARY KEY,
    alert_id INTEGER NOT NULL REFERENCES alert ON DELETE CASCADE,
    notification_id INTEGER NOT NULL REFERENCES notification ON DELETE CASCADE,
    kind TEXT NOT NULL,  -- firing, repeat, escalation, resolved
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX telling_alert ON telling (alert_id);
CREATE INDEX telling_notification ON telling (notification_id);


-- ── Model ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- An artifact put into a slot; the newest row of a slot is in force.
CREATE TABLE deployment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,  -- empty: none
    slot TEXT NOT NULL CHECK (slot IN ('live', 'shadow')),
    at INTEGER NOT NULL,
    actor_id TEXT NOT NULL
);

-- The number of a label, for prediction.top.
CREATE TABLE label (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- The part of predictions that repeats.
CREATE TABLE verdict (
    id INTEGER PRIMARY KEY,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('message', 'post', 'mention')),
    task TEXT NOT NULL,
    role TEXT NOT NULL,
    model TEXT NOT NULL,
    label TEXT NOT NULL,
    abstained INTEGER NOT NULL,
    band TEXT NOT NULL,  -- of confidence: high, medium, low
    band_precision REAL  -- of the band, 0–1, measured on validation data
);
CREATE UNIQUE INDEX verdict_all ON verdict (
    label, task, model, subject_kind, role, abstained, band, band_precision
);

-- What one artifact said of one message, post or mention in one task; never overwritten.
CREATE TABLE prediction (
    id INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL,
    verdict_id INTEGER NOT NULL REFERENCES verdict,
    is_shadow INTEGER NOT NULL DEFAULT 0,
    probability REAL NOT NULL,  -- in millionths: SQLite keeps a whole number in fewer bytes
    created_at INTEGER NOT NULL,
    labels TEXT,  -- ["…", …]: the accepted labels of a task with several
    top BLOB NOT NULL  -- the best labels: two bytes for the number and two for ten thousandths of each
);
CREATE INDEX prediction_subject ON prediction (subject_id);
CREATE INDEX prediction_shadow ON prediction (is_shadow) WHERE is_shadow = 1;

-- Whole predictions. The plus keeps the planner from going through the verdicts first.
CREATE VIEW predicted AS
SELECT prediction.id, subject_kind, subject_id, task, role, model, label, probability / 1000000 AS probability, top,
    labels, abstained, band, band_precision, is_shadow, created_at
FROM prediction JOIN verdict ON verdict.id = +prediction.verdict_id;


-- ── Intents ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A person's label in place of the model's; in force at once, and an example to learn from.
CREATE TABLE correction (
    id INTEGER PRIMARY KEY,
    prediction_id INTEGER NOT NULL REFERENCES prediction,
    subject_kind TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    task TEXT NOT NULL,
    label_before TEXT NOT NULL,
    label TEXT NOT NULL,
    model TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user,
    created_at INTEGER NOT NULL,
    undone_at INTEGER,
    text TEXT NOT NULL,  -- as the model read it
    target_start INTEGER,  -- characters of a mention in `text`
    target_end INTEGER,
    is_asked INTEGER NOT NULL DEFAULT 0  -- 1: answers a question; only these say how often the model is right
);
CREATE INDEX correction_subject ON correction (subject_kind, subject_id);
CREATE INDEX correction_prediction ON correction (prediction_id);
CREATE INDEX correction_asked ON correction (user_id, created_at) WHERE is_asked = 1;


-- ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A reply template.
CREATE TABLE macro (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,  -- with {{ placeholders }}
    intents TEXT NOT NULL DEFAULT '[]',  -- ["…", …]: those that it answers
    actions TEXT NOT NULL DEFAULT '[]',  -- [[type, value], …]
    n_used INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1
);

-- What an agent did with a macro or a draft that was offered.
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY,
    ticket_id INTEGER NOT NULL REFERENCES ticket ON DELETE CASCADE,
    user_id INTEGER REFERENCES user ON DELETE SET NULL,
    kind TEXT NOT NULL CHECK (kind IN ('macro', 'draft')),
    macro_id INTEGER REFERENCES macro ON DELETE CASCADE,
    intent TEXT NOT NULL DEFAULT '',
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'edited', 'rejected')),
    kept REAL NOT NULL,  -- the share of its words that was sent: 1 as it was, 0 when it was turned down
    message_id INTEGER REFERENCES message,
    at INTEGER NOT NULL
);
CREATE INDEX outcome_macro ON outcome (macro_id, intent);
CREATE INDEX outcome_message ON outcome (message_id) WHERE message_id IS NOT NULL;

-- An outcome of a macro that was removed, for when the macro comes back.
CREATE TABLE removed_outcome (
    id INTEGER PRIMARY KEY,
    ticket_id INTEGER NOT NULL REFERENCES ticket ON DELETE CASCADE,
    user_id INTEGER REFERENCES user ON DELETE SET NULL,
    kind TEXT NOT NULL,
    macro_id INTEGER,
    intent TEXT NOT NULL,
    verdict TEXT NOT NULL,
    kept REAL NOT NULL,
    message_id INTEGER,
    at INTEGER NOT NULL
);

-- A page of the knowledge base.
CREATE TABLE article (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    body TEXT NOT NULL,  -- Markdown
    intents TEXT NOT NULL DEFAULT '[]',  -- ["…", …]: those that it answers
    tags TEXT NOT NULL DEFAULT '[]',
    updated_at INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1
);

-- The words of articles.
CREATE VIRTUAL TABLE article_search USING fts5 (
    title, body, content = 'article', content_rowid = 'id', tokenize = 'porter unicode61'
);

CREATE TRIGGER article_found AFTER INSERT ON article BEGIN
    INSERT INTO article_search (rowid, title, body) VALUES (new.id, new.title, new.body);
END;

CREATE TRIGGER article_refound AFTER UPDATE OF title, body ON article BEGIN
    INSERT INTO article_search (article_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
    INSERT INTO article_search (rowid, title, body) VALUES (new.id, new.title, new.body);
END;

CREATE TRIGGER article_unfound AFTER DELETE ON article BEGIN
    INSERT INTO article_search (article_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
END;

-- A part of an article that can be quoted, with its meaning.
CREATE TABLE passage (
    id INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES article ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    vector BLOB NOT NULL,  -- float32 of length 1, little-endian
    encoder TEXT NOT NULL,  -- whose vector it is
    UNIQUE (article_id, ordinal)
);


-- ── Desk: queues, and the rules that lead to them ────────────────────────────────────────────────────────────────────

-- What is promised to customers, and in which hours the clock runs.
CREATE TABLE sla_policy (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    zone TEXT NOT NULL DEFAULT 'UTC',
    hours TEXT NOT NULL DEFAULT '[]',  -- [[weekday (Monday 0), from, to], …] in minutes of the day; []: open always
    holidays TEXT NOT NULL DEFAULT '[]',  -- ["2026-12-25", …]
    first_response_ms INTEGER NOT NULL,  -- for a normal ticket, as is resolution_ms
    resolution_ms INTEGER NOT NULL,
    is_default INTEGER NOT NULL DEFAULT 0,  -- 1: holds for queues that name none
    version INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX sla_policy_default ON sla_policy (is_default) WHERE is_default = 1;

-- Where tickets wait for one team, or for everybody.
CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    intent_task TEXT NOT NULL,  -- the intents that its tickets are read for
    team_id INTEGER REFERENCES team ON DELETE SET NULL,
    sla_policy_id INTEGER REFERENCES sla_policy ON DELETE SET NULL,
    is_redacting INTEGER NOT NULL DEFAULT 1,
    version INTEGER NOT NULL DEFAULT 1
);

-- Where tickets of one intent go.
CREATE TABLE route_rule (
    id INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    intent TEXT NOT NULL,
    queue_id INTEGER REFERENCES queue ON DELETE SET NULL,
    urgency INTEGER NOT NULL DEFAULT 10,  -- points of the intent, 0–40
    is_trusted INTEGER NOT NULL DEFAULT 1,  -- 1: the model moves tickets by itself
    least_probability REAL NOT NULL DEFAULT 0,  -- when it is at least so sure, 0–1
    UNIQUE (task, intent)
);

-- A rule that people write: when all conditions hold, its actions are done.
CREATE TABLE routing_rule (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    position INTEGER NOT NULL,
    conditions TEXT NOT NULL,  -- [[field, operator, value], …]
    actions TEXT NOT NULL,  -- [[type, value], …]
    is_stop INTEGER NOT NULL DEFAULT 1,  -- 1: no later rule is asked
    is_active INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX routing_rule_order ON routing_rule (position, id);


-- ── Desk: tickets ────────────────────────────────────────────────────────────────────────────────────────────────────

-- A person who writes to the desk.
CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT COLLATE NOCASE UNIQUE,
    tier TEXT NOT NULL DEFAULT 'standard',  -- standard, plus, business
    erased_at INTEGER,
    version INTEGER NOT NULL DEFAULT 1
);

-- A conversation with one customer about one matter, and what is believed of it.
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    channel TEXT NOT NULL,  -- email, chat, form, api
    status TEXT NOT NULL CHECK (status IN ('new', 'open', 'pending', 'solved', 'closed')),
    is_open INTEGER GENERATED ALWAYS AS (status IN ('new', 'open', 'pending')) VIRTUAL,
    priority TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    is_priority_set INTEGER NOT NULL DEFAULT 0,  -- 1: by a person, and the model leaves it alone
    queue_id INTEGER NOT NULL REFERENCES queue,
    customer_id INTEGER NOT NULL REFERENCES customer,
    assignee_id INTEGER REFERENCES user,
    mailbox_id INTEGER REFERENCES mailbox ON DELETE SET NULL,  -- where it arrived
    external_id TEXT,  -- in another system; several teams may know a ticket by the same one
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The labels in force: a person's correction outranks the model.
    intent_task TEXT,
    intent TEXT,
    intent_probability REAL,
    intent_band TEXT,
    intent_source TEXT NOT NULL DEFAULT 'model',  -- model, agent
    sentiment TEXT,
    sentiment_score REAL,  -- P(positive) − P(negative)
    emotion TEXT,
    needs_person INTEGER NOT NULL DEFAULT 0,  -- 1: the model abstained or cannot read the language
    language TEXT NOT NULL DEFAULT 'en',
    urgency INTEGER,  -- 0–100
    urgency_parts TEXT NOT NULL DEFAULT '[]',  -- [[code, points], …]
    tags TEXT NOT NULL DEFAULT '[]',
    -- The clock.
    first_response_due_at INTEGER,
    resolution_due_at INTEGER,
    first_risk_at INTEGER,  -- when the first deadline comes near
    resolution_risk_at INTEGER,
    first_responded_at INTEGER,
    solved_at INTEGER,
    pauses TEXT,  -- [[from, to], …] in which it waited for the customer; an open end is null
    sla TEXT NOT NULL DEFAULT 'ok',  -- when last looked at: ok, at_risk, breached, paused, met
    -- The place in the inbox.
    risk INTEGER NOT NULL DEFAULT 0,  -- higher first
    refresh_at INTEGER DEFAULT 0,  -- when `risk` and `sla` are looked at again; NULL: time changes them no longer
    facet_id INTEGER,
    preview TEXT NOT NULL DEFAULT '',
    n_messages INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX ticket_inbox ON ticket (is_open, risk DESC, id DESC);
CREATE INDEX ticket_created ON ticket (is_open, created_at, id);
CREATE INDEX ticket_updated ON ticket (is_open, updated_at, id);
CREATE INDEX ticket_facet_risk ON ticket (facet_id, risk DESC, id DESC);
CREATE INDEX ticket_facet_created ON ticket (facet_id, created_at, id);
CREATE INDEX ticket_facet_updated ON ticket (facet_id, updated_at, id);
CREATE INDEX ticket_assignee ON ticket (assignee_id, is_open, risk DESC, id DESC, facet_id)
WHERE assignee_id IS NOT NULL;
CREATE INDEX ticket_customer ON ticket (customer_id, id DESC);
CREATE INDEX ticket_external ON ticket (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX ticket_refresh ON ticket (refresh_at) WHERE refresh_at IS NOT NULL;

-- Whatever else changes the clock of a ticket, its place is looked at again at the next turn.
CREATE TRIGGER ticket_reordered
AFTER UPDATE OF status, urgency, first_response_due_at, resolution_due_at, first_responded_at ON ticket
WHEN (old.status, old.urgency, old.first_response_due_at, old.resolution_due_at, old.first_responded_at)
    IS NOT (new.status, new.urgency, new.first_response_due_at, new.resolution_due_at, new.first_responded_at)
    AND new.refresh_at IS old.refresh_at
BEGIN
    UPDATE ticket SET refresh_at = 0 WHERE id = new.id;
END;

-- The number of tickets of one queue and status.
CREATE TABLE ticket_count (
    queue_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (queue_id, status)
) WITHOUT ROWID;

CREATE TRIGGER ticket_counted AFTER INSERT ON ticket BEGIN
    INSERT INTO ticket_count VALUES (new.queue_id, new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER ticket_recounted AFTER UPDATE OF queue_id, status ON ticket
WHEN old.queue_id <> new.queue_id OR old.status <> new.status
BEGIN
    UPDATE ticket_count SET n = n - 1 WHERE queue_id = old.queue_id AND status = old.status;
    INSERT INTO ticket_count VALUES (new.queue_id, new.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER ticket_uncounted AFTER DELETE ON ticket BEGIN
    UPDATE ticket_count SET n = n - 1 WHERE queue_id = old.queue_id AND status = old.status;
END;

-- One combination of everything that an inbox filters by, with the number of its tickets. Any filter is counted by
-- adding up a few thousand rows, and its first page is merged out of the first pages of its facets.
CREATE TABLE facet (
    id INTEGER PRIMARY KEY,
    status TEXT NOT NULL,
    queue_id INTEGER NOT NULL,
    priority TEXT NOT NULL,
    intent TEXT NOT NULL,  -- empty: none, as in `sentiment` and `band`
    sentiment TEXT NOT NULL,
    band TEXT NOT NULL,
    language TEXT NOT NULL,
    needs_person INTEGER NOT NULL,
    is_assigned INTEGER NOT NULL,
    sla TEXT NOT NULL,
    n INTEGER NOT NULL
);
CREATE UNIQUE INDEX facet_all ON facet (
    status, queue_id, priority, intent, sentiment, band, language, needs_person, is_assigned, sla
);

CREATE TRIGGER ticket_faceted AFTER INSERT ON ticket BEGIN
    INSERT INTO facet (status, queue_id, priority, intent, sentiment, band, language, needs_person, is_assigned, sla, n)
    VALUES (new.status, new.queue_id, new.priority, coalesce(new.intent, ''), coalesce(new.sentiment, ''),
        coalesce(new.intent_band, ''), new.language, new.needs_person, new.assignee_id IS NOT NULL, new.sla, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE ticket SET facet_id = (
        SELECT id FROM facet
        WHERE (status, queue_id, priority, intent, sentiment, band, language, needs_person, is_assigned, sla)
            = (new.status, new.queue_id, new.priority, coalesce(new.intent, ''), coalesce(new.sentiment, ''),
                coalesce(new.intent_band, ''), new.language, new.needs_person, new.assignee_id IS NOT NULL, new.sla)
    ) WHERE id = new.id;
END;

CREATE TRIGGER ticket_refaceted
AFTER UPDATE OF status, queue_id, priority, intent, sentiment, intent_band, language, needs_person, assignee_id, sla
ON ticket
WHEN (old.status, old.queue_id, old.priority, coalesce(old.intent, ''), coalesce(old.sentiment, ''),
        coalesce(old.intent_band, ''), old.language, old.needs_person, old.assignee_id IS NOT NULL, old.sla)
    IS NOT (new.status, new.queue_id, new.priority, coalesce(new.intent, ''), coalesce(new.sentiment, ''),
        coalesce(new.intent_band, ''), new.language, new.needs_person, new.assignee_id IS NOT NULL, new.sla)
BEGIN
    UPDATE facet SET n = n - 1 WHERE id = old.facet_id;
    INSERT INTO facet (status, queue_id, priority, intent, sentiment, band, language, needs_person, is_assigned, sla, n)
    VALUES (new.status, new.queue_id, new.priority, coalesce(new.intent, ''), coalesce(new.sentiment, ''),
        coalesce(new.intent_band, ''), new.language, new.needs_person, new.assignee_id IS NOT NULL, new.sla, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE ticket SET facet_id = (
        SELECT id FROM facet
        WHERE (status, queue_id, priority, intent, sentiment, band, language, needs_person, is_assigned, sla)
            = (new.status, new.queue_id, new.priority, coalesce(new.intent, ''), coalesce(new.sentiment, ''),
                coalesce(new.intent_band, ''), new.language, new.needs_person, new.assignee_id IS NOT NULL, new.sla)
    ) WHERE id = new.id;
END;

CREATE TRIGGER ticket_unfaceted AFTER DELETE ON ticket BEGIN
    UPDATE facet SET n = n - 1 WHERE id = old.facet_id;
END;

-- A message of a ticket. The body comes last: what is asked of long messages without it lies before its pages.
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    kind TEXT NOT NULL CHECK (kind IN ('incoming', 'outgoing', 'note')),
    author_kind TEXT NOT NULL,  -- customer, agent, system
    author_name TEXT NOT NULL,
    user_id INTEGER REFERENCES user,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    message_id TEXT,  -- Message-ID (RFC 5322)
    language TEXT NOT NULL DEFAULT 'en',
    is_supported INTEGER NOT NULL DEFAULT 1,  -- 1: the model reads the language
    is_automatic INTEGER NOT NULL DEFAULT 0,  -- 1: written by a machine
    n_redactions INTEGER NOT NULL DEFAULT 0,
    pending_at INTEGER,  -- when the model may read it; NULL: it has
    n_tries INTEGER NOT NULL DEFAULT 0,
    not_before_at INTEGER,  -- leaves the house no earlier,
    recalled_at INTEGER,  -- and never when it was called back
    text_head TEXT,  -- what `text` has before the body
    text_kept INTEGER,  -- the characters of the body that `text` goes on with; NULL: all
    body TEXT NOT NULL,  -- what is shown, redacted
    text TEXT GENERATED ALWAYS AS (  -- what the model reads
        coalesce(text_head, '') || iif(text_kept IS NULL, body, substr(body, 1, text_kept))
    ) VIRTUAL
);
CREATE INDEX message_ticket ON message (ticket_id, occurred_at);
-- A search looks up the tickets of thousands of messages: rows with their texts would be a page of the file each.
CREATE INDEX message_place ON message (id, ticket_id);
CREATE UNIQUE INDEX message_rfc ON message (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX message_pending ON message (pending_at) WHERE pending_at IS NOT NULL;

-- The words of messages.
CREATE VIRTUAL TABLE message_search USING fts5 (text, content = 'message', content_rowid = 'id');

CREATE TRIGGER message_found AFTER INSERT ON message BEGIN
    INSERT INTO message_search (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER message_refound AFTER UPDATE OF body, text_head, text_kept ON message BEGIN
    INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO message_search (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER message_unfound AFTER DELETE ON message BEGIN
    INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.id, old.text);
END;

-- A file that came with a message.
CREATE TABLE attachment (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL REFERENCES message,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,  -- bytes
    sha256 TEXT NOT NULL REFERENCES blob,
    is_left_out INTEGER NOT NULL DEFAULT 0  -- 1: it was too large, and has no content
);
CREATE INDEX attachment_message ON attachment (message_id);

-- A person who has a ticket open; the row counts for some seconds after `seen_at`.
CREATE TABLE presence (
    ticket_id INTEGER NOT NULL REFERENCES ticket ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    seen_at INTEGER NOT NULL,
    is_typing INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (ticket_id, user_id)
) WITHOUT ROWID;
CREATE INDEX presence_age ON presence (seen_at);

-- A ticket of a bulk job.
CREATE TABLE bulk_item (
    job_id INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    ticket_id INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,  -- 0 waiting, 1 done, 2 failed
    event_id INTEGER,  -- what undo takes back; NULL: nothing changed
    PRIMARY KEY (job_id, ticket_id)
) WITHOUT ROWID;

-- An export of another desk that was handed in.
CREATE TABLE ticket_file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    form TEXT NOT NULL,  -- csv, json
    source TEXT NOT NULL,  -- zendesk, chatwoot, plain
    sha256 TEXT REFERENCES blob,  -- NULL: its bytes are kept no longer
    mapping TEXT NOT NULL DEFAULT '{}',  -- {field: column}
    columns TEXT NOT NULL DEFAULT '[]',
    sample TEXT NOT NULL DEFAULT '[]',  -- [{column: value}, …]: its first records, long values cut
    n_records INTEGER NOT NULL DEFAULT 0,
    queue_id INTEGER REFERENCES queue,
    user_id INTEGER REFERENCES user,
    created_at INTEGER NOT NULL,
    check_job_id INTEGER REFERENCES job,
    import_job_id INTEGER REFERENCES job
);


-- ── Desk: mail ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- An address of the desk: mail to it arrives in a queue (IMAP), replies go out from it (SMTP).
CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL COLLATE NOCASE UNIQUE,
    name TEXT NOT NULL DEFAULT '',
    queue_id INTEGER NOT NULL REFERENCES queue,
    username TEXT NOT NULL DEFAULT '',
    secret TEXT NOT NULL DEFAULT '',  -- sealed with a key that lies beside the database
    imap_host TEXT NOT NULL DEFAULT '',  -- empty: nothing is read
    imap_port INTEGER NOT NULL DEFAULT 993,
    imap_security TEXT NOT NULL DEFAULT 'tls',  -- tls, starttls, none
    imap_folder TEXT NOT NULL DEFAULT 'INBOX',
    smtp_host TEXT NOT NULL DEFAULT '',  -- empty: nothing is sent
    smtp_port INTEGER NOT NULL DEFAULT 465,
    smtp_security TEXT NOT NULL DEFAULT 'tls',
    is_reading_old INTEGER NOT NULL DEFAULT 0,  -- 0: begins with what arrives after the first look
    is_active INTEGER NOT NULL DEFAULT 1,
    uid_validity INTEGER,  -- with `last_uid`: how far it was read (RFC 3501 §2.3.1.1)
    last_uid INTEGER NOT NULL DEFAULT 0,
    next_poll_at INTEGER NOT NULL DEFAULT 0,
    last_polled_at INTEGER,
    last_error TEXT,
    n_failures INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX mailbox_queue ON mailbox (queue_id);

-- A reply that goes out as mail.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id INTEGER NOT NULL UNIQUE REFERENCES message,
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    mailbox_id INTEGER NOT NULL REFERENCES mailbox,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'bounced')),
    next_at INTEGER NOT NULL,
    n_attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    sent_at INTEGER
);
CREATE INDEX outbox_due ON outbox (next_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_ticket ON outbox (ticket_id);
CREATE INDEX outbox_mailbox ON outbox (mailbox_id);

-- One attempt to hand a reply to the mail server.
CREATE TABLE mail_attempt (
    id INTEGER PRIMARY KEY,
    outbox_id INTEGER NOT NULL REFERENCES outbox ON DELETE CASCADE,
    at INTEGER NOT NULL,
    is_delivered INTEGER NOT NULL,
    error TEXT,
    said TEXT NOT NULL DEFAULT ''  -- the server's own answer
);
CREATE INDEX mail_attempt_outbox ON mail_attempt (outbox_id);


-- ── Desk: figures of reports ─────────────────────────────────────────────────────────────────────────────────────────
--
-- Triggers keep them with the change itself: reports add up rows and never count tickets. A figure belongs to the hour
-- or day in which the thing happened and to the queue in which the ticket stood. What is taken back (a solved ticket
-- that opens again, a reply that is called back) is taken off where it was counted.

-- What happened in one queue in one hour.
CREATE TABLE figure (
    hour INTEGER NOT NULL,  -- since 1970, as `day` in the other two
    queue_id INTEGER NOT NULL,
    n_arrived INTEGER NOT NULL DEFAULT 0,
    n_first INTEGER NOT NULL DEFAULT 0,  -- first responses
    first_ms INTEGER NOT NULL DEFAULT 0,  -- from arrival, summed
    n_first_late INTEGER NOT NULL DEFAULT 0,
    n_solved INTEGER NOT NULL DEFAULT 0,
    solved_ms INTEGER NOT NULL DEFAULT 0,
    n_solved_late INTEGER NOT NULL DEFAULT 0,
    n_reopened INTEGER NOT NULL DEFAULT 0,
    n_moved_in INTEGER NOT NULL DEFAULT 0,
    n_moved_out INTEGER NOT NULL DEFAULT 0,
    n_routed INTEGER NOT NULL DEFAULT 0,  -- arrivals that a rule moved to their queue,
    n_rerouted INTEGER NOT NULL DEFAULT 0,  -- and that a person moved again
    PRIMARY KEY (hour, queue_id)
) WITHOUT ROWID;

-- How often the model was sure of an intent, and how often a person said otherwise.
CREATE TABLE figure_intent (
    day INTEGER NOT NULL,
    queue_id INTEGER NOT NULL,
    intent TEXT NOT NULL,
    n_read INTEGER NOT NULL DEFAULT 0,
    n_corrected INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, queue_id, intent)
) WITHOUT ROWID;

-- What one agent did in one queue on one day.
CREATE TABLE figure_agent (
    day INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    queue_id INTEGER NOT NULL,
    n_replies INTEGER NOT NULL DEFAULT 0,
    n_solved INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, user_id, queue_id)
) WITHOUT ROWID;

-- A ticket may come in with its first response and its solution: an import.
CREATE TRIGGER figure_arrived AFTER INSERT ON ticket BEGIN
    INSERT INTO figure (hour, queue_id, n_arrived) SELECT new.created_at / 3600000, new.queue_id, 1 WHERE true
    ON CONFLICT DO UPDATE SET n_arrived = n_arrived + excluded.n_arrived;
    INSERT INTO figure (hour, queue_id, n_first, first_ms, n_first_late)
    SELECT new.first_responded_at / 3600000, new.queue_id, 1, max(new.first_responded_at - new.created_at, 0),
        (new.first_responded_at > coalesce(new.first_response_due_at, 4611686018427387904))
    WHERE new.first_responded_at IS NOT NULL
    ON CONFLICT DO UPDATE SET n_first = n_first + excluded.n_first, first_ms = first_ms + excluded.first_ms,
        n_first_late = n_first_late + excluded.n_first_late;
    INSERT INTO figure (hour, queue_id, n_solved, solved_ms, n_solved_late)
    SELECT new.solved_at / 3600000, new.queue_id, 1, max(new.solved_at - new.created_at, 0),
        (new.solved_at > coalesce(new.resolution_due_at, 4611686018427387904))
    WHERE new.solved_at IS NOT NULL
    ON CONFLICT DO UPDATE SET n_solved = n_solved + excluded.n_solved, solved_ms = solved_ms + excluded.solved_ms,
        n_solved_late = n_solved_late + excluded.n_solved_late;
END;

CREATE TRIGGER figure_first AFTER UPDATE OF first_responded_at ON ticket
WHEN old.first_responded_at IS NOT new.first_responded_at
BEGIN
    INSERT INTO figure (hour, queue_id, n_first, first_ms, n_first_late)
    SELECT old.first_responded_at / 3600000, old.queue_id, -1, -max(old.first_responded_at - old.created_at, 0),
        -(old.first_responded_at > coalesce(old.first_response_due_at, 4611686018427387904))
    WHERE old.first_responded_at IS NOT NULL
    ON CONFLICT DO UPDATE SET n_first = n_first + excluded.n_first, first_ms = first_ms + excluded.first_ms,
        n_first_late = n_first_late + excluded.n_first_late;
    INSERT INTO figure (hour, queue_id, n_first, first_ms, n_first_late)
    SELECT new.first_responded_at / 3600000, new.queue_id, 1, max(new.first_responded_at - new.created_at, 0),
        (new.first_responded_at > coalesce(new.first_response_due_at, 4611686018427387904))
    WHERE new.first_responded_at IS NOT NULL
    ON CONFLICT DO UPDATE SET n_first = n_first + excluded.n_first, first_ms = first_ms + excluded.first_ms,
        n_first_late = n_first_late + excluded.n_first_late;
END;

CREATE TRIGGER figure_solved AFTER UPDATE OF solved_at ON ticket
WHEN old.solved_at IS NOT new.solved_at
BEGIN
    INSERT INTO figure (hour, queue_id, n_solved, solved_ms, n_solved_late)
    SELECT old.solved_at / 3600000, old.queue_id, -1, -max(old.solved_at - old.created_at, 0),
        -(old.solved_at > coalesce(old.resolution_due_at, 4611686018427387904))
    WHERE old.solved_at IS NOT NULL
    ON CONFLICT DO UPDATE SET n_solved = n_solved + excluded.n_solved, solved_ms = solved_ms + excluded.solved_ms,
        n_solved_late = n_solved_late + excluded.n_solved_late;
    INSERT INTO figure (hour, queue_id, n_solved, solved_ms, n_solved_late)
    SELECT new.solved_at / 3600000, new.queue_id, 1, max(new.solved_at - new.created_at, 0),
        (new.solved_at > coalesce(new.resolution_due_at, 4611686018427387904))
    WHERE new.solved_at IS NOT NULL
    ON CONFLICT DO UPDATE SET n_solved = n_solved + excluded.n_solved, solved_ms = solved_ms + excluded.solved_ms,
        n_solved_late = n_solved_late + excluded.n_solved_late;
END;

-- Solved by a slip and taken back within a minute is no ticket that was opened again.
CREATE TRIGGER figure_reopened AFTER UPDATE OF solved_at ON ticket
WHEN old.solved_at IS NOT NULL AND new.solved_at IS NULL AND new.updated_at - old.solved_at >= 60000
BEGIN
    INSERT INTO figure (hour, queue_id, n_reopened) SELECT new.updated_at / 3600000, new.queue_id, 1 WHERE true
    ON CONFLICT DO UPDATE SET n_reopened = n_reopened + excluded.n_reopened;
END;

CREATE TRIGGER figure_moved AFTER UPDATE OF queue_id ON ticket
WHEN old.queue_id <> new.queue_id AND old.solved_at IS NULL AND new.solved_at IS NULL
BEGIN
    INSERT INTO figure (hour, queue_id, n_moved_out) SELECT new.updated_at / 3600000, old.queue_id, 1 WHERE true
    ON CONFLICT DO UPDATE SET n_moved_out = n_moved_out + excluded.n_moved_out;
    INSERT INTO figure (hour, queue_id, n_moved_in) SELECT new.updated_at / 3600000, new.queue_id, 1 WHERE true
    ON CONFLICT DO UPDATE SET n_moved_in = n_moved_in + excluded.n_moved_in;
END;

-- Counted where the ticket stood: the event's queue_id before.
CREATE TRIGGER figure_routed AFTER INSERT ON event
WHEN new.noun_code = 0
    AND (SELECT verb = 'routed' AND actor_kind = 'rule' FROM deed WHERE deed.id = new.deed_id)
BEGIN
    INSERT INTO figure (hour, queue_id, n_routed)
    SELECT created_at / 3600000, coalesce(json_extract(new.details, (
        SELECT '$[' || keys.key || ']' FROM deed, json_each(deed.before_keys) AS keys
        WHERE deed.id = new.deed_id AND keys.value = 'queue_id'
    )), queue_id), 1
    FROM ticket WHERE id = new.noun_id
    ON CONFLICT DO UPDATE SET n_routed = n_routed + excluded.n_routed;
END;

CREATE TRIGGER figure_rerouted AFTER INSERT ON event
WHEN new.undoes IS NULL AND new.noun_code = 0
    AND (SELECT verb = 'routed' AND actor_kind IN ('agent', 'token') FROM deed WHERE deed.id = new.deed_id)
    AND (
        SELECT actor_kind FROM happened
        WHERE noun_code = 0 AND noun_id = new.noun_id AND verb = 'routed' AND id < new.id ORDER BY id DESC LIMIT 1
    ) = 'rule'
BEGIN
    INSERT INTO figure (hour, queue_id, n_rerouted)
    SELECT created_at / 3600000, queue_id, 1 FROM ticket WHERE id = new.noun_id
    ON CONFLICT DO UPDATE SET n_rerouted = n_rerouted + excluded.n_rerouted;
END;

-- An agent's event whose status is solved after and was another before.
CREATE TRIGGER figure_closed AFTER INSERT ON event
WHEN new.noun_code = 0
    AND (
        SELECT actor_kind = 'agent' AND instr(after_keys, '"status"') > 0 FROM deed WHERE deed.id = new.deed_id
    )
    AND json_extract(new.details, (
        SELECT '$[' || (keys.key + json_array_length(deed.before_keys)) || ']'
        FROM deed, json_each(deed.after_keys) AS keys
        WHERE deed.id = new.deed_id AND keys.value = 'status'
    )) = 'solved'
    AND coalesce(json_extract(new.details, (
        SELECT '$[' || keys.key || ']' FROM deed, json_each(deed.before_keys) AS keys
        WHERE deed.id = new.deed_id AND keys.value = 'status'
    )), 'solved') <> 'solved'
BEGIN
    INSERT INTO figure_agent (day, user_id, queue_id, n_solved)
    SELECT new.at / 86400000, CAST(deed.actor_id AS INTEGER), ticket.queue_id, 1 FROM ticket CROSS JOIN deed
    WHERE ticket.id = new.noun_id AND deed.id = new.deed_id
    ON CONFLICT DO UPDATE SET n_solved = n_solved + excluded.n_solved;
END;

CREATE TRIGGER figure_replied AFTER INSERT ON message
WHEN new.kind = 'outgoing' AND new.user_id IS NOT NULL
BEGIN
    INSERT INTO figure_agent (day, user_id, queue_id, n_replies)
    SELECT new.occurred_at / 86400000, new.user_id, queue_id, 1 FROM ticket WHERE id = new.ticket_id
    ON CONFLICT DO UPDATE SET n_replies = n_replies + excluded.n_replies;
END;

CREATE TRIGGER figure_recalled AFTER UPDATE OF recalled_at ON message
WHEN old.recalled_at IS NULL AND new.recalled_at IS NOT NULL AND new.kind = 'outgoing' AND new.user_id IS NOT NULL
BEGIN
    INSERT INTO figure_agent (day, user_id, queue_id, n_replies)
    SELECT new.occurred_at / 86400000, new.user_id, queue_id, -1 FROM ticket WHERE id = new.ticket_id
    ON CONFLICT DO UPDATE SET n_replies = n_replies + excluded.n_replies;
END;

CREATE TRIGGER figure_read AFTER INSERT ON prediction
WHEN new.is_shadow = 0
BEGIN
    INSERT INTO figure_intent (day, queue_id, intent, n_read)
    SELECT new.created_at / 86400000, ticket.queue_id, verdict.label, 1
    FROM verdict
    CROSS JOIN message ON message.id = new.subject_id
    CROSS JOIN ticket ON ticket.id = message.ticket_id
    WHERE verdict.id = new.verdict_id AND verdict.role = 'intent' AND verdict.subject_kind = 'message'
        AND verdict.abstained = 0
    ON CONFLICT DO UPDATE SET n_read = n_read + excluded.n_read;
END;

-- A prediction that is corrected twice was wrong once.
CREATE TRIGGER figure_corrected AFTER INSERT ON correction BEGIN
    INSERT INTO figure_intent (day, queue_id, intent, n_corrected)
    SELECT predicted.created_at / 86400000, ticket.queue_id, predicted.label, 1
    FROM predicted
    JOIN message ON message.id = predicted.subject_id
    JOIN ticket ON ticket.id = message.ticket_id
    WHERE predicted.id = new.prediction_id AND predicted.role = 'intent' AND predicted.subject_kind = 'message'
        AND predicted.label <> new.label
        AND NOT EXISTS (
            SELECT 1 FROM correction AS other
            WHERE other.id <> new.id AND other.prediction_id = new.prediction_id AND other.undone_at IS NULL
        )
    ON CONFLICT DO UPDATE SET n_corrected = n_corrected + excluded.n_corrected;
END;

CREATE TRIGGER figure_uncorrected AFTER UPDATE OF undone_at ON correction
WHEN old.undone_at IS NULL AND new.undone_at IS NOT NULL
BEGIN
    INSERT INTO figure_intent (day, queue_id, intent, n_corrected)
    SELECT predicted.created_at / 86400000, ticket.queue_id, predicted.label, -1
    FROM predicted
    JOIN message ON message.id = predicted.subject_id
    JOIN ticket ON ticket.id = message.ticket_id
    WHERE predicted.id = new.prediction_id AND predicted.role = 'intent' AND predicted.subject_kind = 'message'
        AND predicted.label <> new.label
        AND NOT EXISTS (
            SELECT 1 FROM correction AS other
            WHERE other.id <> new.id AND other.prediction_id = new.prediction_id AND other.undone_at IS NULL
        )
    ON CONFLICT DO UPDATE SET n_corrected = n_corrected + excluded.n_corrected;
END;


-- ── Market ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A source of posts.
CREATE TABLE feed (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('push', 'rss', 'file')),
    url TEXT,  -- or the folder that a feed of files watches
    zone TEXT NOT NULL DEFAULT 'UTC',
    language TEXT NOT NULL DEFAULT '',  -- taken for that of its posts; empty: each is looked at
    is_daily INTEGER NOT NULL DEFAULT 0,  -- 1: its posts have a date and no time
    weight REAL NOT NULL DEFAULT 1.0,  -- ranks its posts
    licence_note TEXT NOT NULL DEFAULT '',
    team_id INTEGER REFERENCES team ON DELETE SET NULL,
    is_active INTEGER NOT NULL DEFAULT 1,
    interval_ms INTEGER,  -- how often it is fetched; NULL: as often as the settings say
    silent_after_ms INTEGER,  -- said to be silent when nothing came for so long; NULL: never
    etag TEXT,
    last_modified TEXT,
    last_fetched_at INTEGER,
    last_post_at INTEGER,  -- event time of its newest post
    last_received_at INTEGER,
    last_error TEXT,
    n_failures INTEGER NOT NULL DEFAULT 0,
    next_fetch_at INTEGER,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX feed_due ON feed (next_fetch_at) WHERE next_fetch_at IS NOT NULL;

-- Something that posts tell, in their own words or copied.
CREATE TABLE story (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,  -- a fingerprint of its words: the same for wordings that differ in form alone
    title TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
);
CREATE INDEX story_key ON story (key, last_at);
CREATE INDEX story_recent ON story (last_at);

-- One item of a feed.
CREATE TABLE post (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    feed_id INTEGER NOT NULL REFERENCES feed,
    external_id TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    text TEXT NOT NULL,  -- what the model reads
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    precision TEXT NOT NULL DEFAULT 'second',  -- of `occurred_at`: second, day
    url TEXT,
    author TEXT,
    story_id INTEGER REFERENCES story,
    topic TEXT,
    topic_probability REAL,
    is_topic_abstained INTEGER NOT NULL DEFAULT 0,
    sentiment TEXT,
    sentiment_score REAL,  -- P(positive) − P(negative)
    language TEXT NOT NULL DEFAULT 'en',
    is_supported INTEGER NOT NULL DEFAULT 1,  -- 1: the model reads the language
    pending_at INTEGER,  -- when the model may read it; NULL: it has
    version INTEGER NOT NULL DEFAULT 1,
    UNIQUE (feed_id, external_id)
);
CREATE INDEX post_at ON post (occurred_at DESC, id DESC);
CREATE INDEX post_feed ON post (feed_id, occurred_at DESC, id DESC);
CREATE INDEX post_topic ON post (topic, occurred_at DESC, id DESC);
CREATE INDEX post_story ON post (story_id, occurred_at, id);
CREATE INDEX post_pending ON post (pending_at) WHERE pending_at IS NOT NULL;

-- The words of posts.
CREATE VIRTUAL TABLE post_search USING fts5 (text, content = 'post', content_rowid = 'id');

CREATE TRIGGER post_found AFTER INSERT ON post BEGIN
    INSERT INTO post_search (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER post_refound AFTER UPDATE OF text ON post BEGIN
    INSERT INTO post_search (post_search, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO post_search (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER post_unfound AFTER DELETE ON post BEGIN
    INSERT INTO post_search (post_search, rowid, text) VALUES ('delete', old.id, old.text);
END;

-- A company that is watched.
CREATE TABLE entity (
    id INTEGER PRIMARY KEY,
    ticker TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    sector TEXT NOT NULL DEFAULT '',
    aliases TEXT NOT NULL DEFAULT '[]',  -- ["…", …]
    ambiguous TEXT NOT NULL DEFAULT '[]',  -- aliases that count only beside another sign of the company
    competitors TEXT NOT NULL DEFAULT '[]',  -- tickers
    version INTEGER NOT NULL DEFAULT 1
);

-- A company in a post, with the sentiment towards it.
CREATE TABLE mention (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    post_id INTEGER NOT NULL REFERENCES post,
    entity_id INTEGER NOT NULL REFERENCES entity,
    start INTEGER NOT NULL,  -- characters of the post's text, as `end`
    "end" INTEGER NOT NULL,
    surface TEXT NOT NULL,
    sentiment TEXT,
    sentiment_score REAL,
    probability REAL,
    is_abstained INTEGER NOT NULL DEFAULT 0,
    occurred_at INTEGER NOT NULL  -- the post's: a day of one company among ten million posts is one range of the index
);
CREATE INDEX mention_post ON mention (post_id);
CREATE INDEX mention_entity ON mention (entity_id, occurred_at DESC, post_id DESC);

-- What was said of one subject in one hour, as counts of unique stories.
CREATE TABLE bucket (
    subject_kind TEXT NOT NULL,  -- entity, topic, feed, market
    subject_id TEXT NOT NULL,
    at INTEGER NOT NULL,  -- when the hour begins
    n_posts INTEGER NOT NULL,  -- copies too
    n_stories INTEGER NOT NULL,
    n_negative INTEGER NOT NULL,
    n_neutral INTEGER NOT NULL,
    n_positive INTEGER NOT NULL,
    n_abstained INTEGER NOT NULL,  -- stories without a class
    score_sum REAL NOT NULL,  -- in steps of 1/1024, which floats add without error: a rebuild gives the same sums
    PRIMARY KEY (subject_kind, subject_id, at)
) WITHOUT ROWID;
-- The last hours of every subject, without touching the rest of the table.
CREATE INDEX bucket_recent ON bucket (
    subject_kind, at, subject_id, n_posts, n_stories, n_negative, n_neutral, n_positive
);

-- What a reader did with a post.
CREATE TABLE feedback (
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,
    post_id INTEGER NOT NULL REFERENCES post ON DELETE CASCADE,
    kind TEXT NOT NULL,  -- read, like, hide
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, post_id, kind)
) WITHOUT ROWID;
CREATE INDEX feedback_recent ON feedback (user_id, at DESC);

-- A topic that an analyst defines, by words or by examples. One that is gone keeps its row, because old alerts name it;
-- its title is free again.
CREATE TABLE own_topic (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    words TEXT NOT NULL,  -- ["…", …]: one of them is in the post,
    without TEXT NOT NULL DEFAULT '[]',  -- and none of these
    examples TEXT NOT NULL DEFAULT '[]',  -- texts that mean it
    unlike TEXT NOT NULL DEFAULT '[]',  -- texts that do not
    reach REAL NOT NULL DEFAULT 2.0,  -- percent of all posts that have it by its examples, at most
    likeness TEXT,  -- {centre, direction, least}: what posts are compared with
    is_active INTEGER NOT NULL DEFAULT 1,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX own_topic_title ON own_topic (title COLLATE NOCASE) WHERE is_active = 1;

-- A post that has such a topic.
CREATE TABLE own_topic_post (
    topic_id INTEGER NOT NULL REFERENCES own_topic ON DELETE CASCADE,
    post_id INTEGER NOT NULL REFERENCES post ON DELETE CASCADE,
    PRIMARY KEY (topic_id, post_id)
) WITHOUT ROWID;
CREATE INDEX own_topic_of_post ON own_topic_post (post_id);

-- A post that means what the examples of a topic mean.
CREATE TABLE own_topic_like (
    post_id INTEGER NOT NULL REFERENCES post ON DELETE CASCADE,
    topic_id INTEGER NOT NULL REFERENCES own_topic ON DELETE CASCADE,
    PRIMARY KEY (post_id, topic_id)
) WITHOUT ROWID;


-- ── Alerts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- When news of a subject is an alert. Kinds other than surge and volume read the columns from `window_ms` to `lift`.
CREATE TABLE rule (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'threshold',  -- surge, volume, threshold, absence, mention
    subject_kind TEXT NOT NULL,
    subject_id TEXT,  -- NULL: each of the kind
    budget REAL NOT NULL DEFAULT 1.0,  -- false alarms a week of a surge or volume rule
    window_ms INTEGER NOT NULL,
    baseline_ms INTEGER NOT NULL,
    min_stories INTEGER NOT NULL,
    min_negative INTEGER NOT NULL,
    share REAL NOT NULL,  -- negative of all, 0–1
    lift REAL NOT NULL,  -- times the baseline's share
    pending_ms INTEGER NOT NULL,  -- holds for so long before it fires
    recovering_ms INTEGER NOT NULL,  -- is gone for so long before it is resolved
    cooldown_ms INTEGER NOT NULL DEFAULT 0,  -- fires again no earlier
    severity TEXT NOT NULL,  -- info, warning, critical
    is_active INTEGER NOT NULL DEFAULT 1,
    version INTEGER NOT NULL DEFAULT 1
);

-- What a rule as it is would have raised over stored history.
CREATE TABLE rule_check (
    rule_id INTEGER PRIMARY KEY REFERENCES rule ON DELETE CASCADE,
    key TEXT NOT NULL,  -- of the rule as it was tried: under another one it is tried again
    claimed_at INTEGER NOT NULL,
    since INTEGER,
    until INTEGER,
    n_alarms INTEGER,  -- NULL: being tried
    n_subjects INTEGER,
    n_known INTEGER
);

-- The one row with the false alarms a week that all rules together may raise.
CREATE TABLE alarm_budget (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    a_week REAL NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
);
INSERT INTO alarm_budget (id, a_week) VALUES (1, 1.0);

-- One episode of a rule on a subject.
CREATE TABLE alert (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rule_id INTEGER NOT NULL REFERENCES rule,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    state TEXT NOT NULL,  -- pending, firing, recovering, resolved, inactive
    severity TEXT NOT NULL,
    since_at INTEGER NOT NULL,  -- of the state
    started_at INTEGER NOT NULL,
    firing_at INTEGER,  -- when it fired; NULL: it never did
    clear_at INTEGER,  -- when the condition was last seen to end
    resolved_at INTEGER,
    acknowledged_at INTEGER,
    acknowledged_by INTEGER REFERENCES user,
    acknowledged_note TEXT NOT NULL DEFAULT '',
    muted_by INTEGER REFERENCES alert,  -- the alert of the whole market that speaks for this one
    is_no_data INTEGER NOT NULL DEFAULT 0,
    observed TEXT NOT NULL DEFAULT '{}',  -- {figure: value}: what the rule saw last
    model TEXT NOT NULL DEFAULT '',  -- whose predictions were counted
    version INTEGER NOT NULL DEFAULT 1
);
-- One open episode of a rule on a subject, whoever evaluates it.
CREATE UNIQUE INDEX alert_open ON alert (rule_id, subject_kind, subject_id)
WHERE state IN ('pending', 'firing', 'recovering');
CREATE INDEX alert_recent ON alert (started_at DESC, id DESC);
CREATE INDEX alert_subject ON alert (subject_kind, subject_id, id DESC);
CREATE INDEX alert_resolved ON alert (rule_id, resolved_at) WHERE state = 'resolved';

-- Why an alert fired, as it was seen then.
CREATE TABLE evidence (
    alert_id INTEGER PRIMARY KEY REFERENCES alert ON DELETE CASCADE,
    body TEXT NOT NULL,  -- the fields of Evidence (app/alerts/domain/evidence.py)
    made_at INTEGER NOT NULL
);

-- The word of one person on an alert; a missed surge names no alert but a subject and a time.
CREATE TABLE remark (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('false_alarm', 'useful', 'missed')),
    alert_id INTEGER REFERENCES alert ON DELETE CASCADE,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user,
    comment TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL
);
CREATE UNIQUE INDEX remark_alert ON remark (alert_id, user_id) WHERE alert_id IS NOT NULL;
CREATE INDEX remark_recent ON remark (occurred_at);

-- A time in which nobody is told about alerts of a subject; NULL: of any.
CREATE TABLE silence (
    id INTEGER PRIMARY KEY,
    subject_kind TEXT,
    subject_id TEXT,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user,
    comment TEXT NOT NULL
);
CREATE INDEX silence_until ON silence (until);

-- What is usual of one subject in windows of one length, learnt every night from its own weeks.
CREATE TABLE usual (
    subject_kind TEXT NOT NULL,
    measure TEXT NOT NULL,  -- surge, volume
    subject_id TEXT NOT NULL,
    width_ms INTEGER NOT NULL,  -- of the window
    rate BLOB NOT NULL,  -- stories an hour, by hour of the week: 168 float32
    share REAL NOT NULL,  -- negative of all, 0–1
    rho REAL NOT NULL,  -- the correlation of that share
    phi REAL NOT NULL,  -- variance over mean of the counts
    location REAL NOT NULL,  -- with `scale`: the law of the highest score of a day
    scale REAL NOT NULL,
    n_days INTEGER NOT NULL,  -- that it was learnt from
    stories_a_day REAL NOT NULL,
    is_daily INTEGER NOT NULL,  -- 1: posts have a date and no time
    fitted_at INTEGER NOT NULL,
    PRIMARY KEY (subject_kind, measure, subject_id, width_ms)
) WITHOUT ROWID;

-- The night whose learning was begun and ended for a kind of subjects: one process learns, all judge.
CREATE TABLE learning (
    subject_kind TEXT PRIMARY KEY,
    day INTEGER NOT NULL,  -- since 1970; −1: nothing is learnt yet from this model
    model TEXT NOT NULL,  -- whose predictions were learnt from
    claimed_at INTEGER NOT NULL,
    done_at INTEGER
) WITHOUT ROWID;
