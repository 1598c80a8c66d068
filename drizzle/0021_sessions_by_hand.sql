-- Sessions and groups that people edit: a version of each row, changes that are no news, and seats that wait to be counted.
-- A version rises with every change, whoever makes it, and when a row is deleted and inserted: it is above each
-- `sessions_version` that there was before.
ALTER TABLE `groups` ADD `version` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE `sessions` ADD `version` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
CREATE TRIGGER sessions_row_versioned_insert AFTER INSERT ON sessions
BEGIN
  UPDATE sessions SET version = (SELECT value FROM counters WHERE name = 'sessions_version') + 1 WHERE external_id = NEW.external_id;
END;
--> statement-breakpoint
CREATE TRIGGER sessions_row_versioned_update AFTER UPDATE OF external_id, group_id, therapist, starts_at_local, time_zone, duration_minutes, repeats, occurrences, seats_total, seats_left, status, booking_url ON sessions
WHEN (NEW.external_id, NEW.group_id, NEW.therapist, NEW.starts_at_local, NEW.time_zone, NEW.duration_minutes, NEW.repeats, NEW.occurrences, NEW.seats_total, NEW.seats_left, NEW.status, NEW.booking_url)
  IS NOT (OLD.external_id, OLD.group_id, OLD.therapist, OLD.starts_at_local, OLD.time_zone, OLD.duration_minutes, OLD.repeats, OLD.occurrences, OLD.seats_total, OLD.seats_left, OLD.status, OLD.booking_url)
BEGIN
  UPDATE sessions SET version = max(OLD.version, (SELECT value FROM counters WHERE name = 'sessions_version')) + 1 WHERE id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_row_versioned_insert AFTER INSERT ON groups
BEGIN
  UPDATE groups SET version = (SELECT value FROM counters WHERE name = 'sessions_version') + 1 WHERE (topic_id, kind, title) = (NEW.topic_id, NEW.kind, NEW.title);
END;
--> statement-breakpoint
CREATE TRIGGER groups_row_versioned_update AFTER UPDATE OF topic_id, kind, title, summary, url, language, place, price ON groups
WHEN (NEW.topic_id, NEW.kind, NEW.title, NEW.summary, NEW.url, NEW.language, NEW.place, NEW.price)
  IS NOT (OLD.topic_id, OLD.kind, OLD.title, OLD.summary, OLD.url, OLD.language, OLD.place, OLD.price)
BEGIN
  UPDATE groups SET version = max(OLD.version, (SELECT value FROM counters WHERE name = 'sessions_version')) + 1 WHERE id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_versioned_insert AFTER INSERT ON groups
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'sessions_version'; END;
--> statement-breakpoint
-- Seats that someone added (or took, below 0) by hand; they count when due, and can be undone until then.
CREATE TABLE `seat_changes` (
	`session_id` integer PRIMARY KEY NOT NULL,
	`seats` integer NOT NULL,
	`changed_by` text NOT NULL,
	`due_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
-- Which edition showed a session.
CREATE INDEX `edition_sessions_session` ON `edition_sessions` (`session_id`,`edition_id`);
--> statement-breakpoint
-- The next change of such a session is a quiet correction. A row lives within one transaction.
CREATE TABLE `quiet_changes` (
	`session_id` integer PRIMARY KEY NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
-- 1 = its times were corrected quietly, so it is not certain which ones its readers saw.
ALTER TABLE `session_history` ADD `quiet` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
-- 1 = it closed while an edition went out, and has not reopened: some of its readers never saw it.
ALTER TABLE `known_sessions` ADD `passed` integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
DROP TRIGGER session_changes_judged;
--> statement-breakpoint
CREATE TRIGGER session_changes_judged INSTEAD OF INSERT ON session_changes
BEGIN
  UPDATE known_sessions SET passed = 1
    WHERE session_id = NEW.session_id AND open AND NOT (SELECT open FROM session_facts WHERE session_id = NEW.session_id)
      AND EXISTS (SELECT 1 FROM editions WHERE state IN ('planning', 'submitting'));
  -- A quiet correction (docs/decisions/0031): whoever knows how it was now knows how it is. It is none if the session is open
  -- now, and an edition went out without it since it was added or reopened: the readers of that edition never saw it.
  DELETE FROM quiet_changes WHERE session_id = NEW.session_id
    AND (SELECT open FROM session_facts WHERE session_id = NEW.session_id)
    AND (EXISTS (SELECT 1 FROM known_sessions WHERE session_id = NEW.session_id AND passed)
      OR EXISTS (SELECT 1 FROM editions
        WHERE through_seq >= (SELECT iif(max(reopened) = 0, min(seq), max(reopened)) FROM session_history WHERE session_id = NEW.session_id)
          AND id NOT IN (SELECT edition_id FROM edition_sessions WHERE session_id = NEW.session_id)));
  UPDATE session_history SET times = fact.times, quiet = 1
    FROM session_facts AS fact JOIN quiet_changes USING (session_id)
    WHERE fact.session_id = NEW.session_id AND session_history.session_id = NEW.session_id AND session_history.times <> fact.times
      AND session_history.times = (SELECT times FROM session_history WHERE session_id = NEW.session_id ORDER BY seq DESC LIMIT 1);
  UPDATE known_sessions SET open = fact.open, last_date = fact.last_date
    FROM session_facts AS fact JOIN quiet_changes USING (session_id)
    WHERE fact.session_id = NEW.session_id AND known_sessions.session_id = NEW.session_id AND fact.open IS NOT NULL;
  DELETE FROM quiet_changes WHERE session_id = NEW.session_id;

  -- A series whose last date was tomorrow or before had come to its end (a day is allowed for zones).
  INSERT INTO session_change
    SELECT fact.session_id, coalesce(fact.topic_id, last.topic_id), fact.times, last.seq, coalesce(last.reopened, 0),
      last.times IS NOT fact.times, fact.topic_id IS NOT NULL AND last.topic_id IS NOT fact.topic_id,
      last.seq IS NOT NULL AND fact.open AND (NOT known.open OR coalesce(known.last_date <= date('now', '+1 day'), 0))
        AND coalesce(fact.last_date > date('now', '+1 day'), 1), NULL
    FROM session_facts AS fact JOIN known_sessions AS known ON known.session_id = fact.session_id
    LEFT JOIN session_history AS last ON last.session_id = fact.session_id
      AND last.seq = (SELECT max(seq) FROM session_history WHERE session_id = fact.session_id)
    WHERE fact.session_id = NEW.session_id AND fact.times IS NOT NULL;
  DELETE FROM session_change WHERE NOT moved AND NOT corrected AND NOT reopened;

  -- While an edition goes out, some of its readers saw the session as it was and others will not: of that nothing is certain.
  INSERT INTO session_history (session_id, seq, topic_id, times, reopened, news)
    SELECT session_id, through_seq, last.topic_id, '', last.reopened, last.news
    FROM session_change JOIN session_history AS last USING (session_id), editions
    WHERE moved AND last.seq = known_seq AND state IN ('planning', 'submitting') AND through_seq >= known_seq
    ON CONFLICT (session_id, seq) DO UPDATE SET times = '';
  -- What no edition has told of, no reader knows. The first row stays, save that nobody knows it under a wrong topic.
  DELETE FROM session_history
    WHERE session_id IN (SELECT session_id FROM session_change)
      AND seq > coalesce((SELECT max(through_seq) FROM editions), 0)
      AND ((SELECT corrected FROM session_change)
        OR seq > (SELECT min(seq) FROM session_history WHERE session_id IN (SELECT session_id FROM session_change)));

  -- Back to what readers knew last: no news.
  UPDATE session_change SET back_to = (SELECT seq FROM session_history AS last
    WHERE last.session_id = session_change.session_id AND NOT session_change.reopened
      AND last.seq = (SELECT max(seq) FROM session_history WHERE session_id = session_change.session_id)
      AND last.times = session_change.times AND last.topic_id IS session_change.topic_id AND last.reopened = known_reopened);
  UPDATE counters SET value = value + 1
    WHERE name = 'seq' AND EXISTS (SELECT 1 FROM session_change WHERE back_to IS NULL);
  INSERT INTO session_history (session_id, seq, topic_id, times, reopened, news)
    SELECT session_id, value, topic_id, times, iif(reopened, value, known_reopened),
      iif(known_seq IS NULL, 'new', iif(moved, 'moved', iif(reopened, 'reopened', 'new')))
    FROM session_change, counters WHERE name = 'seq' AND back_to IS NULL;
  UPDATE sessions SET news_at = unixepoch() * 1000,
      (seq, news) = (SELECT seq, news FROM session_history WHERE session_id = sessions.id ORDER BY seq DESC LIMIT 1)
    WHERE id IN (SELECT session_id FROM session_change);
  UPDATE sessions SET added_seq = seq WHERE id IN (SELECT session_id FROM session_change WHERE known_seq IS NULL);
  UPDATE known_sessions SET passed = 0 WHERE session_id IN (SELECT session_id FROM session_change WHERE reopened);
  DELETE FROM session_change;

  UPDATE known_sessions SET (open, last_date, face, seq, added_seq, news, news_at, revision, gone_after) =
    (SELECT fact.open, fact.last_date, coalesce(fact.face, ''), seq, added_seq, news, news_at, revision, NULL
     FROM session_facts AS fact JOIN sessions ON sessions.id = fact.session_id WHERE fact.session_id = NEW.session_id)
    WHERE session_id = NEW.session_id AND EXISTS (SELECT 1 FROM session_facts WHERE session_id = NEW.session_id AND open IS NOT NULL);
END;
