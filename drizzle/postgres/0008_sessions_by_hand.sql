-- Sessions and groups that people edit: a version of each row, changes that are no news, and seats that wait to be counted.
-- A version rises with every change, whoever makes it, and when a row is deleted and inserted: it is above each
-- `sessions_version` that there was before.
ALTER TABLE groups ADD version bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE sessions ADD version bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
CREATE FUNCTION sessions_row_versioned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' OR (NEW.external_id, NEW.group_id, NEW.therapist, NEW.starts_at_local, NEW.time_zone, NEW.duration_minutes, NEW.repeats, NEW.occurrences, NEW.seats_total, NEW.seats_left, NEW.status, NEW.booking_url)
    IS DISTINCT FROM (OLD.external_id, OLD.group_id, OLD.therapist, OLD.starts_at_local, OLD.time_zone, OLD.duration_minutes, OLD.repeats, OLD.occurrences, OLD.seats_total, OLD.seats_left, OLD.status, OLD.booking_url)
  THEN
    NEW.version := greatest(OLD.version, (SELECT value FROM counters WHERE name = 'sessions_version')) + 1;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_row_versioned BEFORE INSERT OR UPDATE OF external_id, group_id, therapist, starts_at_local, time_zone, duration_minutes, repeats, occurrences, seats_total, seats_left, status, booking_url ON sessions
  FOR EACH ROW EXECUTE FUNCTION sessions_row_versioned();
--> statement-breakpoint
CREATE FUNCTION groups_row_versioned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' OR (NEW.topic_id, NEW.kind, NEW.title, NEW.summary, NEW.url, NEW.language, NEW.place, NEW.price)
    IS DISTINCT FROM (OLD.topic_id, OLD.kind, OLD.title, OLD.summary, OLD.url, OLD.language, OLD.place, OLD.price)
  THEN
    NEW.version := greatest(OLD.version, (SELECT value FROM counters WHERE name = 'sessions_version')) + 1;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER groups_row_versioned BEFORE INSERT OR UPDATE OF topic_id, kind, title, summary, url, language, place, price ON groups
  FOR EACH ROW EXECUTE FUNCTION groups_row_versioned();
--> statement-breakpoint
DROP TRIGGER groups_versioned ON groups;
--> statement-breakpoint
CREATE TRIGGER groups_versioned AFTER INSERT OR UPDATE ON groups FOR EACH STATEMENT EXECUTE FUNCTION sessions_versioned();
--> statement-breakpoint
-- Seats that someone added (or took, below 0) by hand; they count when due, and can be undone until then.
CREATE TABLE seat_changes (
  session_id bigint PRIMARY KEY,
  seats bigint NOT NULL,
  changed_by text COLLATE "C" NOT NULL,
  due_at bigint NOT NULL
);
--> statement-breakpoint
-- Which edition showed a session.
CREATE INDEX edition_sessions_session ON edition_sessions (session_id, edition_id);
--> statement-breakpoint
-- The next change of such a session is a quiet correction. A row lives within one transaction.
CREATE TABLE quiet_changes (session_id bigint PRIMARY KEY);
--> statement-breakpoint
-- 1 = its times were corrected quietly, so it is not certain which ones its readers saw.
ALTER TABLE session_history ADD quiet bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
-- 1 = it closed while an edition went out, and has not reopened: some of its readers never saw it.
ALTER TABLE known_sessions ADD passed bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION judge_session(id_given bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  fact session_facts%ROWTYPE;
  known known_sessions%ROWTYPE;
  last session_history%ROWTYPE;
  tomorrow text := to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYY-MM-DD');
  topic bigint;
  moved boolean;
  corrected boolean;
  reopens boolean;
  number bigint;
  quiet_now boolean;
BEGIN
  SELECT * INTO fact FROM session_facts WHERE session_id = id_given;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO known FROM known_sessions WHERE session_id = id_given;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO last FROM session_history WHERE session_id = id_given ORDER BY seq DESC LIMIT 1;
  -- A quiet correction (docs/decisions/0031): whoever knows how it was now knows how it is. It is none if the session is open
  -- now, and an edition went out without it since it was added or reopened: the readers of that edition never saw it.
  DELETE FROM quiet_changes WHERE session_id = id_given;
  quiet_now := FOUND AND last.seq IS NOT NULL AND fact.times IS NOT NULL AND NOT (fact.open = 1 AND (known.passed = 1 OR EXISTS (
    SELECT 1 FROM editions
    WHERE through_seq >= (SELECT CASE max(reopened) WHEN 0 THEN min(seq) ELSE max(reopened) END FROM session_history WHERE session_id = id_given)
      AND id NOT IN (SELECT edition_id FROM edition_sessions WHERE session_id = id_given))));
  IF quiet_now THEN
    UPDATE session_history SET times = fact.times, quiet = 1
      WHERE session_id = id_given AND times <> fact.times AND times = last.times;
    last.times := fact.times;
    known.open := fact.open;
    known.last_date := fact.last_date;
  END IF;
  topic := coalesce(fact.topic_id, last.topic_id);
  moved := last.times IS DISTINCT FROM fact.times;
  corrected := fact.topic_id IS NOT NULL AND last.topic_id IS DISTINCT FROM fact.topic_id;
  -- A series whose last date was tomorrow or before had come to its end (a day is allowed for zones).
  reopens := last.seq IS NOT NULL AND fact.open = 1 AND (known.open = 0 OR coalesce(known.last_date <= tomorrow, false))
    AND coalesce(fact.last_date > tomorrow, true);
  IF fact.times IS NOT NULL AND (moved OR corrected OR reopens) THEN
    -- While an edition goes out, some of its readers saw the session as it was and others will not: of that nothing is certain.
    IF moved THEN
      INSERT INTO session_history (session_id, seq, topic_id, times, reopened, news)
        SELECT DISTINCT id_given, through_seq, last.topic_id, '', last.reopened, last.news
        FROM editions WHERE state IN ('planning', 'submitting') AND through_seq >= last.seq
        ON CONFLICT (session_id, seq) DO UPDATE SET times = '';
    END IF;
    -- What no edition has told of, no reader knows. The first row stays, save that nobody knows it under a wrong topic.
    DELETE FROM session_history
      WHERE session_id = id_given AND seq > coalesce((SELECT max(through_seq) FROM editions), 0)
        AND (corrected OR seq > (SELECT min(seq) FROM session_history WHERE session_id = id_given));
    -- Back to what readers knew last: no news.
    IF reopens OR NOT EXISTS (
      SELECT 1 FROM session_history AS newest
      WHERE session_id = id_given AND seq = (SELECT max(seq) FROM session_history WHERE session_id = id_given)
        AND times = fact.times AND topic_id IS NOT DISTINCT FROM topic AND reopened = coalesce(last.reopened, 0))
    THEN
      UPDATE counters SET value = value + 1 WHERE name = 'seq' RETURNING value INTO number;
      INSERT INTO session_history (session_id, seq, topic_id, times, reopened, news)
        VALUES (id_given, number, topic, fact.times, CASE WHEN reopens THEN number ELSE coalesce(last.reopened, 0) END,
          CASE WHEN last.seq IS NULL THEN 'new' WHEN moved THEN 'moved' WHEN reopens THEN 'reopened' ELSE 'new' END);
    END IF;
    UPDATE sessions SET news_at = now_ms(),
        (seq, news) = (SELECT seq, news FROM session_history WHERE session_id = id_given ORDER BY seq DESC LIMIT 1)
      WHERE id = id_given;
    IF last.seq IS NULL THEN
      UPDATE sessions SET added_seq = seq WHERE id = id_given;
    END IF;
    IF reopens THEN
      UPDATE known_sessions SET passed = 0 WHERE session_id = id_given;
    END IF;
  END IF;
  UPDATE known_sessions SET passed = 1
    WHERE session_id = id_given AND open = 1 AND fact.open = 0
      AND EXISTS (SELECT 1 FROM editions WHERE state IN ('planning', 'submitting'));
  UPDATE known_sessions SET (open, last_date, face, seq, added_seq, news, news_at, revision, gone_after) =
    (SELECT fact.open, fact.last_date, coalesce(fact.face, ''), seq, added_seq, news, news_at, revision, NULL
     FROM sessions WHERE id = id_given)
    WHERE session_id = id_given;
END $$;
