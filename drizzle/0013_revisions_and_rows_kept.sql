-- What a calendar shows of a session is its face (0007). SEQUENCE and DTSTAMP rise when that changes, whoever changes it and
-- however: by update, by INSERT OR REPLACE, deleted and inserted, or through its group. An unchanged one keeps both.
DROP TRIGGER sessions_stamped;
--> statement-breakpoint
DROP TRIGGER sessions_revised;
--> statement-breakpoint
DROP TRIGGER groups_revised;
--> statement-breakpoint
ALTER TABLE known_sessions ADD revised_at integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
UPDATE known_sessions SET revised_at = coalesce((SELECT revised_at FROM sessions WHERE id = session_id), news_at);
--> statement-breakpoint
CREATE TRIGGER known_sessions_revised AFTER UPDATE OF face ON known_sessions WHEN NEW.face <> OLD.face
BEGIN
  UPDATE sessions SET revision = revision + 1, revised_at = max(unixepoch() * 1000, revised_at + 1000) WHERE id = NEW.session_id;
END;
--> statement-breakpoint
DROP TRIGGER sessions_remembered;
--> statement-breakpoint
CREATE TRIGGER sessions_remembered AFTER UPDATE OF revision, revised_at ON sessions
BEGIN UPDATE known_sessions SET revision = NEW.revision, revised_at = NEW.revised_at WHERE session_id = NEW.id; END;
--> statement-breakpoint
-- The highest id among sessions that were forgotten after RETENTION_DAYS: nobody else gets one of theirs.
INSERT INTO counters (name, value) VALUES ('forgotten_session', 0);
--> statement-breakpoint
DROP TRIGGER sessions_added;
--> statement-breakpoint
-- A known external_id gets its id, its news and its revision back, however it went: replaced or deleted. If an edition was
-- planned while it was gone, it has reopened. A new one never gets an id that another had.
CREATE TRIGGER sessions_added AFTER INSERT ON sessions
BEGIN
  INSERT INTO known_sessions (external_id, session_id, open, last_date, face, seq, added_seq, news, news_at, revision, revised_at)
    SELECT NEW.external_id,
        iif(NEW.id IN (SELECT session_id FROM known_sessions) OR NEW.id <= (SELECT value FROM counters WHERE name = 'forgotten_session'),
          max(coalesce((SELECT max(session_id) FROM known_sessions), 0), (SELECT value FROM counters WHERE name = 'forgotten_session')) + 1,
          NEW.id),
        1, NULL, coalesce(face, ''), 0, 0, 'new', 0, 0, unixepoch() * 1000
    FROM session_facts WHERE session_id = NEW.id AND NOT EXISTS (SELECT 1 FROM known_sessions WHERE external_id = NEW.external_id);
  UPDATE known_sessions SET open = 0, last_date = NULL
    WHERE external_id = NEW.external_id AND gone_after < (SELECT max(id) FROM editions);
  UPDATE sessions SET (id, seq, added_seq, news, news_at, revision, revised_at) =
    (SELECT session_id, seq, added_seq, news, news_at, revision, revised_at FROM known_sessions WHERE external_id = NEW.external_id)
    WHERE id = NEW.id;
  INSERT INTO session_changes (session_id) SELECT session_id FROM known_sessions WHERE external_id = NEW.external_id;
END;
--> statement-breakpoint
-- What the triggers write, held to what can be read: one such row would take the feed or a calendar with it.
CREATE TRIGGER sessions_kept_checked BEFORE UPDATE OF seq, added_seq, news, news_at, revision, revised_at ON sessions
BEGIN
  SELECT CASE
    WHEN NEW.seq IS NOT OLD.seq AND (typeof(NEW.seq) <> 'integer' OR NEW.seq NOT BETWEEN 0 AND 1000000000000000)
      THEN RAISE(ABORT, 'sessions.seq: is kept by triggers; leave it as it is')
    WHEN NEW.added_seq IS NOT OLD.added_seq AND (typeof(NEW.added_seq) <> 'integer' OR NEW.added_seq NOT BETWEEN 0 AND 1000000000000000)
      THEN RAISE(ABORT, 'sessions.added_seq: is kept by triggers; leave it as it is')
    WHEN NEW.news IS NOT OLD.news AND (NEW.news NOT IN ('new', 'reopened', 'moved'))
      THEN RAISE(ABORT, 'sessions.news: is kept by triggers; leave it as it is')
    WHEN NEW.news_at IS NOT OLD.news_at AND (typeof(NEW.news_at) <> 'integer' OR NEW.news_at NOT BETWEEN 0 AND 253402300799000)
      THEN RAISE(ABORT, 'sessions.news_at: is kept by triggers; leave it as it is')
    WHEN NEW.revision IS NOT OLD.revision AND (typeof(NEW.revision) <> 'integer' OR NEW.revision NOT BETWEEN 0 AND 2147483647)
      THEN RAISE(ABORT, 'sessions.revision: is kept by triggers; leave it as it is')
    WHEN NEW.revised_at IS NOT OLD.revised_at AND (typeof(NEW.revised_at) <> 'integer' OR NEW.revised_at NOT BETWEEN 0 AND 253402300799000)
      THEN RAISE(ABORT, 'sessions.revised_at: is kept by triggers; leave it as it is')
  END;
END;
