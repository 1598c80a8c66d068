-- The same triggers as SQLite's, so that plain SQL from another program counts on either engine. What INSERT OR REPLACE needs
-- there is not here: Postgres has ON CONFLICT DO UPDATE, which updates the row.

INSERT INTO counters (name, value) VALUES ('seq', 0), ('sessions_version', 0), ('forgotten_session', 0);
--> statement-breakpoint
INSERT INTO topics (slug, name) VALUES
  ('anger-management', 'Anger management'),
  ('anxiety', 'Anxiety'),
  ('borderline-personality', 'Borderline personality'),
  ('chronic-illness', 'Chronic illness'),
  ('depression', 'Depression'),
  ('dbt-skills', 'DBT skills'),
  ('grief-and-loss', 'Grief and loss'),
  ('ocd', 'OCD'),
  ('relationship-issues', 'Relationship issues'),
  ('trauma-and-ptsd', 'Trauma and PTSD');
--> statement-breakpoint
-- The program's inserts name every column, with null for an id that is to be made.
CREATE FUNCTION numbered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME, 'id'));
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER topics_numbered BEFORE INSERT ON topics FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER groups_numbered BEFORE INSERT ON groups FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER sessions_numbered BEFORE INSERT ON sessions FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER subscribers_numbered BEFORE INSERT ON subscribers FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER address_changes_numbered BEFORE INSERT ON address_changes FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER requested_emails_numbered BEFORE INSERT ON requested_emails FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER batches_numbered BEFORE INSERT ON batches FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER deliveries_numbered BEFORE INSERT ON deliveries FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER notices_numbered BEFORE INSERT ON notices FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE TRIGGER audit_log_numbered BEFORE INSERT ON audit_log FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION numbered();
--> statement-breakpoint
CREATE FUNCTION refuse(why text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', why USING ERRCODE = 'check_violation';
END $$;
--> statement-breakpoint
CREATE FUNCTION has_controls(given text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT given ~ '[\u0001-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]'
$$;
--> statement-breakpoint
CREATE FUNCTION is_link(given text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT length(given) <= 2000 AND lower(given) ~ '^https?://[^/ ]' AND given !~ '[ <>"\\]' AND NOT has_controls(given)
$$;
--> statement-breakpoint
-- Null for a date that does not exist.
CREATE FUNCTION date_of(given text) RETURNS date LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF given !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' THEN RETURN NULL; END IF;
  RETURN make_date(substr(given, 1, 4)::int, substr(given, 6, 2)::int, substr(given, 9, 2)::int);
EXCEPTION WHEN others THEN
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION is_local_time(given text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT given >= '1000' AND given ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:00)?$' AND date_of(given) IS NOT NULL
$$;
--> statement-breakpoint
-- Milliseconds since 1970, to the second, as SQLite's triggers have them.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql AS $$
  SELECT floor(extract(epoch FROM clock_timestamp()))::bigint * 1000
$$;
--> statement-breakpoint
CREATE FUNCTION topics_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.slug IS DISTINCT FROM OLD.slug AND (length(NEW.slug) NOT BETWEEN 1 AND 80 OR NEW.slug !~ '^[a-z0-9]+(-[a-z0-9]+)*$') THEN
    PERFORM refuse('topics.slug: needs small letters, digits and single hyphens, 80 at most, like grief-and-loss');
  END IF;
  IF NEW.name IS DISTINCT FROM OLD.name AND (trim(NEW.name) = '' OR length(NEW.name) > 200 OR has_controls(NEW.name)) THEN
    PERFORM refuse('topics.name: needs 1 to 200 characters on one line, without control characters');
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER topics_checked BEFORE INSERT OR UPDATE ON topics FOR EACH ROW EXECUTE FUNCTION topics_checked();
--> statement-breakpoint
CREATE FUNCTION groups_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.topic_id IS DISTINCT FROM OLD.topic_id AND (NEW.topic_id NOT IN (SELECT id FROM topics)) THEN
    PERFORM refuse('groups.topic_id: is no topic; write the id of a row in topics');
  END IF;
  IF NEW.kind IS DISTINCT FROM OLD.kind AND (NEW.kind NOT IN ('therapy', 'skills')) THEN
    PERFORM refuse('groups.kind: needs therapy or skills');
  END IF;
  IF NEW.title IS DISTINCT FROM OLD.title AND (trim(NEW.title) = '' OR length(NEW.title) > 200 OR has_controls(NEW.title)) THEN
    PERFORM refuse('groups.title: needs 1 to 200 characters on one line, without control characters');
  END IF;
  IF NEW.url IS DISTINCT FROM OLD.url AND (NOT is_link(NEW.url)) THEN
    PERFORM refuse('groups.url: needs a link like https://practice.org/group without spaces, or null');
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER groups_checked BEFORE INSERT OR UPDATE ON groups FOR EACH ROW EXECUTE FUNCTION groups_checked();
--> statement-breakpoint
CREATE FUNCTION sessions_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.external_id IS DISTINCT FROM OLD.external_id AND (trim(NEW.external_id) = '' OR length(NEW.external_id) > 200 OR has_controls(NEW.external_id)) THEN
    PERFORM refuse('sessions.external_id: needs the id your booking system knows it by: 1 to 200 characters, without control characters');
  END IF;
  IF NEW.group_id IS DISTINCT FROM OLD.group_id AND (NEW.group_id NOT IN (SELECT id FROM groups)) THEN
    PERFORM refuse('sessions.group_id: is no group; write the id of a row in groups');
  END IF;
  IF NEW.therapist IS DISTINCT FROM OLD.therapist AND (trim(NEW.therapist) = '' OR length(NEW.therapist) > 200 OR has_controls(NEW.therapist)) THEN
    PERFORM refuse('sessions.therapist: needs 1 to 200 characters on one line, without control characters');
  END IF;
  IF NEW.starts_at_local IS DISTINCT FROM OLD.starts_at_local AND (NOT is_local_time(NEW.starts_at_local)) THEN
    PERFORM refuse('sessions.starts_at_local: needs a date and time that exist, local to time_zone, like 2026-12-01T19:00 (a T between them, no zone)');
  END IF;
  IF NEW.time_zone IS DISTINCT FROM OLD.time_zone AND (NEW.time_zone NOT IN (SELECT name FROM time_zones)) THEN
    PERFORM refuse('sessions.time_zone: is no time zone we know; write an IANA name like America/New_York');
  END IF;
  IF NEW.duration_minutes IS DISTINCT FROM OLD.duration_minutes AND (NEW.duration_minutes NOT BETWEEN 1 AND 1440) THEN
    PERFORM refuse('sessions.duration_minutes: needs a whole number of minutes from 1 to 1440');
  END IF;
  IF NEW.repeats IS DISTINCT FROM OLD.repeats AND (NEW.repeats NOT IN ('weekly', 'once')) THEN
    PERFORM refuse('sessions.repeats: needs weekly or once');
  END IF;
  IF NEW.occurrences IS DISTINCT FROM OLD.occurrences AND (NEW.occurrences NOT BETWEEN 1 AND 520) THEN
    PERFORM refuse('sessions.occurrences: needs a whole number from 1 to 520, or null for no end');
  END IF;
  IF NEW.seats_total IS DISTINCT FROM OLD.seats_total AND (NEW.seats_total NOT BETWEEN 0 AND 10000) THEN
    PERFORM refuse('sessions.seats_total: needs a whole number from 0 to 10000, or null for not counted');
  END IF;
  IF NEW.seats_left IS DISTINCT FROM OLD.seats_left AND (NEW.seats_left NOT BETWEEN 0 AND 10000) THEN
    PERFORM refuse('sessions.seats_left: needs a whole number from 0 to 10000, or null for not counted');
  END IF;
  IF NEW.status IS DISTINCT FROM OLD.status AND (NEW.status NOT IN ('open', 'full', 'cancelled')) THEN
    PERFORM refuse('sessions.status: needs open, full or cancelled');
  END IF;
  IF NEW.booking_url IS DISTINCT FROM OLD.booking_url AND (NOT is_link(NEW.booking_url)) THEN
    PERFORM refuse('sessions.booking_url: needs a link like https://practice.org/reserve without spaces');
  END IF;
  IF NEW.seq IS DISTINCT FROM OLD.seq AND (TG_OP = 'UPDATE' AND NEW.seq NOT BETWEEN 0 AND 1000000000000000) THEN
    PERFORM refuse('sessions.seq: is kept by triggers; leave it as it is');
  END IF;
  IF NEW.added_seq IS DISTINCT FROM OLD.added_seq AND (TG_OP = 'UPDATE' AND NEW.added_seq NOT BETWEEN 0 AND 1000000000000000) THEN
    PERFORM refuse('sessions.added_seq: is kept by triggers; leave it as it is');
  END IF;
  IF NEW.news IS DISTINCT FROM OLD.news AND (TG_OP = 'UPDATE' AND NEW.news NOT IN ('new', 'reopened', 'moved')) THEN
    PERFORM refuse('sessions.news: is kept by triggers; leave it as it is');
  END IF;
  IF NEW.news_at IS DISTINCT FROM OLD.news_at AND (TG_OP = 'UPDATE' AND NEW.news_at NOT BETWEEN 0 AND 253402300799000) THEN
    PERFORM refuse('sessions.news_at: is kept by triggers; leave it as it is');
  END IF;
  IF NEW.revision IS DISTINCT FROM OLD.revision AND (TG_OP = 'UPDATE' AND NEW.revision NOT BETWEEN 0 AND 2147483647) THEN
    PERFORM refuse('sessions.revision: is kept by triggers; leave it as it is');
  END IF;
  IF NEW.revised_at IS DISTINCT FROM OLD.revised_at AND (TG_OP = 'UPDATE' AND NEW.revised_at NOT BETWEEN 0 AND 253402300799000) THEN
    PERFORM refuse('sessions.revised_at: is kept by triggers; leave it as it is');
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_checked BEFORE INSERT OR UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_checked();
--> statement-breakpoint
CREATE FUNCTION subscribers_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.public_id IS DISTINCT FROM OLD.public_id AND (NEW.public_id = '') THEN
    PERFORM refuse('subscribers.public_id: needs a random name');
  END IF;
  IF NEW.email IS DISTINCT FROM OLD.email AND (length(NEW.email) > 254 OR NEW.email <> lower(trim(NEW.email)) OR NEW.email NOT LIKE '_%@_%._%' OR NEW.email LIKE '%@%@%' OR NEW.email ~ '[ <>,;]' OR has_controls(NEW.email)) THEN
    PERFORM refuse('subscribers.email: needs one address in small letters, like name@practice.org');
  END IF;
  IF NEW.name IS DISTINCT FROM OLD.name AND (has_controls(NEW.name)) THEN
    PERFORM refuse('subscribers.name: needs text on one line without control characters, or null');
  END IF;
  IF NEW.status IS DISTINCT FROM OLD.status AND (NEW.status NOT IN ('pending', 'active', 'unsubscribed')) THEN
    PERFORM refuse('subscribers.status: needs pending, active or unsubscribed');
  END IF;
  IF NEW.time_zone IS DISTINCT FROM OLD.time_zone AND (NEW.time_zone NOT IN (SELECT name FROM time_zones)) THEN
    PERFORM refuse('subscribers.time_zone: is no time zone we know; write an IANA name like America/New_York');
  END IF;
  IF NEW.locale IS DISTINCT FROM OLD.locale AND (length(NEW.locale) NOT BETWEEN 2 AND 40 OR NEW.locale !~ '^[A-Za-z]{2}[A-Za-z0-9-]*$') THEN
    PERFORM refuse('subscribers.locale: needs a language tag like en, es or es-MX');
  END IF;
  IF NEW.cadence IS DISTINCT FROM OLD.cadence AND (NEW.cadence NOT IN ('weekly', 'monthly')) THEN
    PERFORM refuse('subscribers.cadence: needs weekly or monthly');
  END IF;
  IF NEW.discreet IS DISTINCT FROM OLD.discreet AND (NEW.discreet NOT IN (0, 1)) THEN
    PERFORM refuse('subscribers.discreet: needs 0 or 1');
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER subscribers_checked BEFORE INSERT OR UPDATE ON subscribers FOR EACH ROW EXECUTE FUNCTION subscribers_checked();
--> statement-breakpoint
-- What the program and calendars compare of a session.
CREATE VIEW session_facts AS
SELECT sessions.id AS session_id, sessions.external_id, groups.topic_id,
  CASE WHEN repeats = 'weekly' THEN 'weekly ' || coalesce(extract(dow FROM date_of(starts_at_local))::int::text, starts_at_local)
    ELSE 'once ' || substr(starts_at_local, 1, 10) END || ' ' || substr(starts_at_local, 12, 5) || ' ' || time_zone AS times,
  CASE WHEN status = 'open' AND seats_left IS DISTINCT FROM 0 THEN 1 ELSE 0 END AS open,
  CASE WHEN repeats = 'weekly' AND occurrences IS NOT NULL
    THEN to_char(date_of(starts_at_local) + (7 * (occurrences - 1))::int, 'YYYY-MM-DD') END AS last_date,
  quote_nullable(therapist) || quote_nullable(starts_at_local) || quote_nullable(time_zone) || quote_nullable(duration_minutes)
    || quote_nullable(repeats) || quote_nullable(occurrences) || (status = 'cancelled') || quote_nullable(booking_url)
    || quote_nullable(groups.kind) || quote_nullable(groups.title) AS face
FROM sessions LEFT JOIN groups ON groups.id = sessions.group_id;
--> statement-breakpoint
-- Whether what changed of a session is news, and for whom: src/db/sessions/news.md. A new `seq` is taken by updating its
-- counter, whose row then stays locked until the commit. So numbers become visible in their order, and whoever has read up to
-- one of them has seen every lower one.
CREATE FUNCTION judge_session(id_given bigint) RETURNS void LANGUAGE plpgsql AS $$
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
BEGIN
  SELECT * INTO fact FROM session_facts WHERE session_id = id_given;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO known FROM known_sessions WHERE session_id = id_given;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO last FROM session_history WHERE session_id = id_given ORDER BY seq DESC LIMIT 1;
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
  END IF;
  UPDATE known_sessions SET (open, last_date, face, seq, added_seq, news, news_at, revision, gone_after) =
    (SELECT fact.open, fact.last_date, coalesce(fact.face, ''), seq, added_seq, news, news_at, revision, NULL
     FROM sessions WHERE id = id_given)
    WHERE session_id = id_given;
END $$;
--> statement-breakpoint
CREATE FUNCTION sessions_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  own bigint := NEW.id;
  kept known_sessions%ROWTYPE;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM known_sessions WHERE external_id = NEW.external_id) THEN
    -- An id that another session had stays its own.
    WHILE own IN (SELECT session_id FROM known_sessions)
      OR own <= (SELECT value FROM counters WHERE name = 'forgotten_session')
      OR (own <> NEW.id AND own IN (SELECT id FROM sessions))
    LOOP
      own := nextval(pg_get_serial_sequence('sessions', 'id'));
    END LOOP;
    INSERT INTO known_sessions (external_id, session_id, open, last_date, face, seq, added_seq, news, news_at, revision, revised_at)
      SELECT NEW.external_id, own, 1, NULL, coalesce(face, ''), 0, 0, 'new', 0, 0, now_ms() FROM session_facts WHERE session_id = NEW.id;
  END IF;
  UPDATE known_sessions SET open = 0, last_date = NULL
    WHERE external_id = NEW.external_id AND gone_after < (SELECT max(id) FROM editions);
  SELECT * INTO kept FROM known_sessions WHERE external_id = NEW.external_id;
  UPDATE sessions SET id = kept.session_id, seq = kept.seq, added_seq = kept.added_seq, news = kept.news,
      news_at = kept.news_at, revision = kept.revision, revised_at = kept.revised_at
    WHERE id = NEW.id;
  PERFORM judge_session(kept.session_id);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_added AFTER INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_added();
--> statement-breakpoint
CREATE FUNCTION sessions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM known_sessions WHERE external_id = NEW.external_id AND session_id <> NEW.id;
  UPDATE known_sessions SET external_id = NEW.external_id WHERE session_id = NEW.id AND external_id <> NEW.external_id;
  PERFORM judge_session(NEW.id);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_changed AFTER UPDATE OF external_id, group_id, therapist, starts_at_local, time_zone, duration_minutes,
  repeats, occurrences, seats_left, status, booking_url ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_changed();
--> statement-breakpoint
CREATE FUNCTION sessions_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE known_sessions SET gone_after = coalesce((SELECT max(id) FROM editions), '') WHERE session_id = OLD.id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_gone AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION sessions_gone();
--> statement-breakpoint
CREATE FUNCTION sessions_remembered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE known_sessions SET revision = NEW.revision, revised_at = NEW.revised_at WHERE session_id = NEW.id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_remembered AFTER UPDATE OF revision, revised_at ON sessions
  FOR EACH ROW EXECUTE FUNCTION sessions_remembered();
--> statement-breakpoint
CREATE FUNCTION known_sessions_revised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions SET revision = revision + 1, revised_at = greatest(now_ms(), revised_at + 1000) WHERE id = NEW.session_id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER known_sessions_revised AFTER UPDATE OF face ON known_sessions
  FOR EACH ROW WHEN (NEW.face <> OLD.face) EXECUTE FUNCTION known_sessions_revised();
--> statement-breakpoint
CREATE FUNCTION groups_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM judge_session(id) FROM (SELECT id FROM sessions WHERE group_id = NEW.id ORDER BY id) AS theirs;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER groups_changed AFTER UPDATE OF topic_id, kind, title ON groups FOR EACH ROW EXECUTE FUNCTION groups_changed();
--> statement-breakpoint
CREATE FUNCTION groups_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM sessions WHERE group_id = OLD.id) THEN
    PERFORM refuse(CASE TG_OP WHEN 'DELETE' THEN 'groups.id: sessions belong to this group; give them another one first'
      ELSE 'groups.id: sessions belong to this group; leave its id as it is' END);
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
--> statement-breakpoint
CREATE TRIGGER groups_kept BEFORE DELETE ON groups FOR EACH ROW EXECUTE FUNCTION groups_kept();
--> statement-breakpoint
CREATE TRIGGER groups_renumbered BEFORE UPDATE OF id ON groups FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION groups_kept();
--> statement-breakpoint
CREATE FUNCTION topics_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM groups WHERE topic_id = OLD.id) THEN
    PERFORM refuse(CASE TG_OP WHEN 'DELETE' THEN 'topics.id: groups are about this topic; give them another one first'
      ELSE 'topics.id: groups are about this topic; leave its id as it is' END);
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
--> statement-breakpoint
CREATE TRIGGER topics_kept BEFORE DELETE ON topics FOR EACH ROW EXECUTE FUNCTION topics_kept();
--> statement-breakpoint
CREATE TRIGGER topics_renumbered BEFORE UPDATE OF id ON topics FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION topics_kept();
--> statement-breakpoint
CREATE FUNCTION sessions_versioned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'sessions_version';
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_versioned AFTER INSERT OR UPDATE OR DELETE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION sessions_versioned();
--> statement-breakpoint
CREATE TRIGGER groups_versioned AFTER UPDATE ON groups FOR EACH STATEMENT EXECUTE FUNCTION sessions_versioned();
--> statement-breakpoint
CREATE TRIGGER topics_versioned AFTER INSERT OR UPDATE ON topics FOR EACH STATEMENT EXECUTE FUNCTION sessions_versioned();
--> statement-breakpoint
-- Of many rows each sum is moved once, in the order of the key: two transactions then never wait for each other.
CREATE FUNCTION tally(added bigint, edition text, generation_given bigint, state_given text, reason_given text) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO edition_tally (edition_id, generation, state, reason, count)
    VALUES (edition, generation_given, state_given, reason_given, added)
    ON CONFLICT (edition_id, generation, state, reason) DO UPDATE SET count = edition_tally.count + excluded.count
$$;
--> statement-breakpoint
CREATE FUNCTION deliveries_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tally(sum(change)::bigint, edition_id, generation, state, reason) FROM (
    SELECT edition_id, generation, state, CASE state WHEN 'excluded' THEN reason ELSE '' END, 1 FROM added
    ) AS changed (edition_id, generation, state, reason, change)
    GROUP BY edition_id, generation, state, reason HAVING sum(change) <> 0 ORDER BY edition_id, generation, state, reason;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER deliveries_counted AFTER INSERT ON deliveries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION deliveries_counted();
--> statement-breakpoint
CREATE FUNCTION deliveries_recounted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tally(sum(change)::bigint, edition_id, generation, state, reason) FROM (
    SELECT before.edition_id, before.generation, before.state, CASE before.state WHEN 'excluded' THEN before.reason ELSE '' END, -1
      FROM before JOIN after USING (id) WHERE before.state <> after.state
    UNION ALL
    SELECT after.edition_id, after.generation, after.state, CASE after.state WHEN 'excluded' THEN after.reason ELSE '' END, 1
      FROM before JOIN after USING (id) WHERE before.state <> after.state
    ) AS changed (edition_id, generation, state, reason, change)
    GROUP BY edition_id, generation, state, reason HAVING sum(change) <> 0 ORDER BY edition_id, generation, state, reason;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER deliveries_recounted AFTER UPDATE ON deliveries REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION deliveries_recounted();
--> statement-breakpoint
CREATE FUNCTION deliveries_uncounted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tally(sum(change)::bigint, edition_id, generation, state, reason) FROM (
    SELECT edition_id, generation, gone.state, CASE gone.state WHEN 'excluded' THEN gone.reason ELSE '' END, -1
      FROM gone JOIN editions ON editions.id = gone.edition_id WHERE editions.pruned_at IS NULL
    ) AS changed (edition_id, generation, state, reason, change)
    GROUP BY edition_id, generation, state, reason HAVING sum(change) <> 0 ORDER BY edition_id, generation, state, reason;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER deliveries_uncounted AFTER DELETE ON deliveries REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION deliveries_uncounted();
--> statement-breakpoint
-- The audit log names a subscriber by the public id that is in their links, so it follows a new one.
CREATE FUNCTION subscribers_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE audit_log SET subject = NEW.public_id WHERE subject = OLD.public_id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER subscribers_renamed AFTER UPDATE OF public_id ON subscribers FOR EACH ROW WHEN (NEW.public_id IS DISTINCT FROM OLD.public_id) EXECUTE FUNCTION subscribers_renamed();
--> statement-breakpoint
-- However a subscriber is deleted, what ties the rest of the database to them goes too. A waiting delivery keeps Resend's id
-- until its batch ends: it is the proof that the email was accepted.
CREATE FUNCTION subscribers_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE audit_log SET subject = 'erased', detail = NULL WHERE subject = OLD.public_id;
  DELETE FROM provider_events WHERE delivery_id IN (SELECT id FROM deliveries WHERE subscriber_id = OLD.id);
  UPDATE deliveries SET provider_id = NULL WHERE subscriber_id = OLD.id AND state <> 'waiting';
  UPDATE deliveries SET reason = NULL WHERE subscriber_id = OLD.id AND state IN ('failed', 'unknown');
  RETURN OLD;
END $$;
--> statement-breakpoint
CREATE TRIGGER subscribers_forgotten BEFORE DELETE ON subscribers FOR EACH ROW EXECUTE FUNCTION subscribers_forgotten();
