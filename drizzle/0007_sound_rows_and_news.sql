-- What is refused. A message names the column and says what to write. An update is held to what it changes alone, so that
-- a row from before these rules can still be corrected field by field. NULL is left to NOT NULL, which REPLACE fills in.
CREATE TABLE time_zones (name text PRIMARY KEY NOT NULL);
--> statement-breakpoint
CREATE TRIGGER topics_checked_insert BEFORE INSERT ON topics
BEGIN
  SELECT CASE
    WHEN NEW.slug IS NOT NULL AND (typeof(NEW.slug) <> 'text' OR length(NEW.slug) NOT BETWEEN 1 AND 80 OR NEW.slug GLOB '*[^a-z0-9-]*' OR NEW.slug GLOB '-*' OR NEW.slug GLOB '*-' OR NEW.slug GLOB '*--*')
      THEN RAISE(ABORT, 'topics.slug: needs small letters, digits and single hyphens, 80 at most, like grief-and-loss')
    WHEN NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text' OR trim(NEW.name) = '' OR length(NEW.name) > 200 OR NEW.name GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.name AS BLOB), x'00'))
      THEN RAISE(ABORT, 'topics.name: needs 1 to 200 characters on one line, without control characters')
  END;
END;
--> statement-breakpoint
CREATE TRIGGER topics_checked_update BEFORE UPDATE OF slug, name ON topics
BEGIN
  SELECT CASE
    WHEN NEW.slug IS NOT OLD.slug AND NEW.slug IS NOT NULL AND (typeof(NEW.slug) <> 'text' OR length(NEW.slug) NOT BETWEEN 1 AND 80 OR NEW.slug GLOB '*[^a-z0-9-]*' OR NEW.slug GLOB '-*' OR NEW.slug GLOB '*-' OR NEW.slug GLOB '*--*')
      THEN RAISE(ABORT, 'topics.slug: needs small letters, digits and single hyphens, 80 at most, like grief-and-loss')
    WHEN NEW.name IS NOT OLD.name AND NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text' OR trim(NEW.name) = '' OR length(NEW.name) > 200 OR NEW.name GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.name AS BLOB), x'00'))
      THEN RAISE(ABORT, 'topics.name: needs 1 to 200 characters on one line, without control characters')
  END;
END;
--> statement-breakpoint
CREATE TRIGGER groups_checked_insert BEFORE INSERT ON groups
BEGIN
  SELECT CASE
    WHEN NEW.topic_id IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM topics WHERE id = NEW.topic_id))
      THEN RAISE(ABORT, 'groups.topic_id: is no topic; write the id of a row in topics')
    WHEN NEW.kind IS NOT NULL AND (NEW.kind NOT IN ('therapy', 'skills'))
      THEN RAISE(ABORT, 'groups.kind: needs therapy or skills')
    WHEN NEW.title IS NOT NULL AND (typeof(NEW.title) <> 'text' OR trim(NEW.title) = '' OR length(NEW.title) > 200 OR NEW.title GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.title AS BLOB), x'00'))
      THEN RAISE(ABORT, 'groups.title: needs 1 to 200 characters on one line, without control characters')
    WHEN (NEW.summary IS NOT NULL AND (typeof(NEW.summary) <> 'text' OR instr(CAST(NEW.summary AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.summary: needs text, or null')
    WHEN (NEW.url IS NOT NULL AND (typeof(NEW.url) <> 'text' OR length(NEW.url) > 2000 OR NOT (lower(NEW.url) GLOB 'https://[^/ ]*' OR lower(NEW.url) GLOB 'http://[^/ ]*')
        OR NEW.url GLOB '*[ <>"\]*' OR NEW.url GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.url AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.url: needs a link like https://practice.org/group without spaces, or null')
  END;
END;
--> statement-breakpoint
CREATE TRIGGER groups_checked_update BEFORE UPDATE OF topic_id, kind, title, summary, url ON groups
BEGIN
  SELECT CASE
    WHEN NEW.topic_id IS NOT OLD.topic_id AND NEW.topic_id IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM topics WHERE id = NEW.topic_id))
      THEN RAISE(ABORT, 'groups.topic_id: is no topic; write the id of a row in topics')
    WHEN NEW.kind IS NOT OLD.kind AND NEW.kind IS NOT NULL AND (NEW.kind NOT IN ('therapy', 'skills'))
      THEN RAISE(ABORT, 'groups.kind: needs therapy or skills')
    WHEN NEW.title IS NOT OLD.title AND NEW.title IS NOT NULL AND (typeof(NEW.title) <> 'text' OR trim(NEW.title) = '' OR length(NEW.title) > 200 OR NEW.title GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.title AS BLOB), x'00'))
      THEN RAISE(ABORT, 'groups.title: needs 1 to 200 characters on one line, without control characters')
    WHEN NEW.summary IS NOT OLD.summary AND (NEW.summary IS NOT NULL AND (typeof(NEW.summary) <> 'text' OR instr(CAST(NEW.summary AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.summary: needs text, or null')
    WHEN NEW.url IS NOT OLD.url AND (NEW.url IS NOT NULL AND (typeof(NEW.url) <> 'text' OR length(NEW.url) > 2000 OR NOT (lower(NEW.url) GLOB 'https://[^/ ]*' OR lower(NEW.url) GLOB 'http://[^/ ]*')
        OR NEW.url GLOB '*[ <>"\]*' OR NEW.url GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.url AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.url: needs a link like https://practice.org/group without spaces, or null')
  END;
END;
--> statement-breakpoint
CREATE TRIGGER sessions_checked_insert BEFORE INSERT ON sessions
BEGIN
  SELECT CASE
    WHEN NEW.external_id IS NOT NULL AND (typeof(NEW.external_id) <> 'text' OR trim(NEW.external_id) = '' OR length(NEW.external_id) > 200 OR NEW.external_id GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.external_id AS BLOB), x'00'))
      THEN RAISE(ABORT, 'sessions.external_id: needs the id your booking system knows it by: 1 to 200 characters, without control characters')
    WHEN NEW.group_id IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM groups WHERE id = NEW.group_id))
      THEN RAISE(ABORT, 'sessions.group_id: is no group; write the id of a row in groups')
    WHEN NEW.therapist IS NOT NULL AND (typeof(NEW.therapist) <> 'text' OR trim(NEW.therapist) = '' OR length(NEW.therapist) > 200 OR NEW.therapist GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.therapist AS BLOB), x'00'))
      THEN RAISE(ABORT, 'sessions.therapist: needs 1 to 200 characters on one line, without control characters')
    WHEN NEW.starts_at_local IS NOT NULL AND (typeof(NEW.starts_at_local) <> 'text' OR NEW.starts_at_local < '1000' OR substr(NEW.starts_at_local, 17) NOT IN ('', ':00')
        OR strftime('%Y-%m-%dT%H:%M', substr(NEW.starts_at_local, 1, 16)) IS NOT substr(NEW.starts_at_local, 1, 16))
      THEN RAISE(ABORT, 'sessions.starts_at_local: needs a date and time that exist, local to time_zone, like 2026-12-01T19:00 (a T between them, no zone)')
    WHEN NEW.time_zone IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM time_zones WHERE name = NEW.time_zone))
      THEN RAISE(ABORT, 'sessions.time_zone: is no time zone we know; write an IANA name like America/New_York')
    WHEN NEW.duration_minutes IS NOT NULL AND (typeof(NEW.duration_minutes) <> 'integer' OR NEW.duration_minutes NOT BETWEEN 1 AND 1440)
      THEN RAISE(ABORT, 'sessions.duration_minutes: needs a whole number of minutes from 1 to 1440')
    WHEN NEW.repeats IS NOT NULL AND (NEW.repeats NOT IN ('weekly', 'once'))
      THEN RAISE(ABORT, 'sessions.repeats: needs weekly or once')
    WHEN (NEW.occurrences IS NOT NULL AND (typeof(NEW.occurrences) <> 'integer' OR NEW.occurrences NOT BETWEEN 1 AND 520))
      THEN RAISE(ABORT, 'sessions.occurrences: needs a whole number from 1 to 520, or null for no end')
    WHEN (NEW.seats_total IS NOT NULL AND (typeof(NEW.seats_total) <> 'integer' OR NEW.seats_total NOT BETWEEN 0 AND 10000))
      THEN RAISE(ABORT, 'sessions.seats_total: needs a whole number from 0 to 10000, or null for not counted')
    WHEN (NEW.seats_left IS NOT NULL AND (typeof(NEW.seats_left) <> 'integer' OR NEW.seats_left NOT BETWEEN 0 AND 10000))
      THEN RAISE(ABORT, 'sessions.seats_left: needs a whole number from 0 to 10000, or null for not counted')
    WHEN NEW.status IS NOT NULL AND (NEW.status NOT IN ('open', 'full', 'cancelled'))
      THEN RAISE(ABORT, 'sessions.status: needs open, full or cancelled')
    WHEN NEW.booking_url IS NOT NULL AND (typeof(NEW.booking_url) <> 'text' OR length(NEW.booking_url) > 2000 OR NOT (lower(NEW.booking_url) GLOB 'https://[^/ ]*' OR lower(NEW.booking_url) GLOB 'http://[^/ ]*')
        OR NEW.booking_url GLOB '*[ <>"\]*' OR NEW.booking_url GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.booking_url AS BLOB), x'00'))
      THEN RAISE(ABORT, 'sessions.booking_url: needs a link like https://practice.org/reserve without spaces')
  END;
END;
--> statement-breakpoint
CREATE TRIGGER sessions_checked_update BEFORE UPDATE OF external_id, group_id, therapist, starts_at_local, time_zone, duration_minutes, repeats, occurrences, seats_total, seats_left, status, booking_url ON sessions
BEGIN
  SELECT CASE
    WHEN NEW.external_id IS NOT OLD.external_id AND NEW.external_id IS NOT NULL AND (typeof(NEW.external_id) <> 'text' OR trim(NEW.external_id) = '' OR length(NEW.external_id) > 200 OR NEW.external_id GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.external_id AS BLOB), x'00'))
      THEN RAISE(ABORT, 'sessions.external_id: needs the id your booking system knows it by: 1 to 200 characters, without control characters')
    WHEN NEW.group_id IS NOT OLD.group_id AND NEW.group_id IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM groups WHERE id = NEW.group_id))
      THEN RAISE(ABORT, 'sessions.group_id: is no group; write the id of a row in groups')
    WHEN NEW.therapist IS NOT OLD.therapist AND NEW.therapist IS NOT NULL AND (typeof(NEW.therapist) <> 'text' OR trim(NEW.therapist) = '' OR length(NEW.therapist) > 200 OR NEW.therapist GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.therapist AS BLOB), x'00'))
      THEN RAISE(ABORT, 'sessions.therapist: needs 1 to 200 characters on one line, without control characters')
    WHEN NEW.starts_at_local IS NOT OLD.starts_at_local AND NEW.starts_at_local IS NOT NULL AND (typeof(NEW.starts_at_local) <> 'text' OR NEW.starts_at_local < '1000' OR substr(NEW.starts_at_local, 17) NOT IN ('', ':00')
        OR strftime('%Y-%m-%dT%H:%M', substr(NEW.starts_at_local, 1, 16)) IS NOT substr(NEW.starts_at_local, 1, 16))
      THEN RAISE(ABORT, 'sessions.starts_at_local: needs a date and time that exist, local to time_zone, like 2026-12-01T19:00 (a T between them, no zone)')
    WHEN NEW.time_zone IS NOT OLD.time_zone AND NEW.time_zone IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM time_zones WHERE name = NEW.time_zone))
      THEN RAISE(ABORT, 'sessions.time_zone: is no time zone we know; write an IANA name like America/New_York')
    WHEN NEW.duration_minutes IS NOT OLD.duration_minutes AND NEW.duration_minutes IS NOT NULL AND (typeof(NEW.duration_minutes) <> 'integer' OR NEW.duration_minutes NOT BETWEEN 1 AND 1440)
      THEN RAISE(ABORT, 'sessions.duration_minutes: needs a whole number of minutes from 1 to 1440')
    WHEN NEW.repeats IS NOT OLD.repeats AND NEW.repeats IS NOT NULL AND (NEW.repeats NOT IN ('weekly', 'once'))
      THEN RAISE(ABORT, 'sessions.repeats: needs weekly or once')
    WHEN NEW.occurrences IS NOT OLD.occurrences AND (NEW.occurrences IS NOT NULL AND (typeof(NEW.occurrences) <> 'integer' OR NEW.occurrences NOT BETWEEN 1 AND 520))
      THEN RAISE(ABORT, 'sessions.occurrences: needs a whole number from 1 to 520, or null for no end')
    WHEN NEW.seats_total IS NOT OLD.seats_total AND (NEW.seats_total IS NOT NULL AND (typeof(NEW.seats_total) <> 'integer' OR NEW.seats_total NOT BETWEEN 0 AND 10000))
      THEN RAISE(ABORT, 'sessions.seats_total: needs a whole number from 0 to 10000, or null for not counted')
    WHEN NEW.seats_left IS NOT OLD.seats_left AND (NEW.seats_left IS NOT NULL AND (typeof(NEW.seats_left) <> 'integer' OR NEW.seats_left NOT BETWEEN 0 AND 10000))
      THEN RAISE(ABORT, 'sessions.seats_left: needs a whole number from 0 to 10000, or null for not counted')
    WHEN NEW.status IS NOT OLD.status AND NEW.status IS NOT NULL AND (NEW.status NOT IN ('open', 'full', 'cancelled'))
      THEN RAISE(ABORT, 'sessions.status: needs open, full or cancelled')
    WHEN NEW.booking_url IS NOT OLD.booking_url AND NEW.booking_url IS NOT NULL AND (typeof(NEW.booking_url) <> 'text' OR length(NEW.booking_url) > 2000 OR NOT (lower(NEW.booking_url) GLOB 'https://[^/ ]*' OR lower(NEW.booking_url) GLOB 'http://[^/ ]*')
        OR NEW.booking_url GLOB '*[ <>"\]*' OR NEW.booking_url GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.booking_url AS BLOB), x'00'))
      THEN RAISE(ABORT, 'sessions.booking_url: needs a link like https://practice.org/reserve without spaces')
  END;
END;
--> statement-breakpoint
CREATE TRIGGER subscribers_checked_insert BEFORE INSERT ON subscribers
BEGIN
  SELECT CASE
    WHEN NEW.public_id IS NOT NULL AND (typeof(NEW.public_id) <> 'text' OR NEW.public_id = '')
      THEN RAISE(ABORT, 'subscribers.public_id: needs a random name')
    WHEN NEW.email IS NOT NULL AND (typeof(NEW.email) <> 'text' OR length(NEW.email) > 254 OR NEW.email <> lower(trim(NEW.email)) OR NEW.email NOT LIKE '_%@_%._%'
        OR NEW.email LIKE '%@%@%' OR instr(NEW.email, ' ') OR NEW.email GLOB '*[<>,;]*' OR NEW.email GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.email AS BLOB), x'00'))
      THEN RAISE(ABORT, 'subscribers.email: needs one address in small letters, like name@practice.org')
    WHEN (NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text' OR NEW.name GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.name AS BLOB), x'00')))
      THEN RAISE(ABORT, 'subscribers.name: needs text on one line without control characters, or null')
    WHEN NEW.status IS NOT NULL AND (NEW.status NOT IN ('pending', 'active', 'unsubscribed'))
      THEN RAISE(ABORT, 'subscribers.status: needs pending, active or unsubscribed')
    WHEN NEW.time_zone IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM time_zones WHERE name = NEW.time_zone))
      THEN RAISE(ABORT, 'subscribers.time_zone: is no time zone we know; write an IANA name like America/New_York')
    WHEN NEW.locale IS NOT NULL AND (typeof(NEW.locale) <> 'text' OR length(NEW.locale) NOT BETWEEN 2 AND 40 OR NEW.locale GLOB '*[^A-Za-z0-9-]*' OR NEW.locale NOT GLOB '[A-Za-z][A-Za-z]*')
      THEN RAISE(ABORT, 'subscribers.locale: needs a language tag like en, es or es-MX')
    WHEN NEW.cadence IS NOT NULL AND (NEW.cadence NOT IN ('weekly', 'monthly'))
      THEN RAISE(ABORT, 'subscribers.cadence: needs weekly or monthly')
    WHEN (NEW.paused_until IS NOT NULL AND typeof(NEW.paused_until) <> 'integer')
      THEN RAISE(ABORT, 'subscribers.paused_until: needs milliseconds since 1970, or null')
    WHEN NEW.discreet IS NOT NULL AND (NEW.discreet NOT IN (0, 1))
      THEN RAISE(ABORT, 'subscribers.discreet: needs 0 or 1')
    WHEN NEW.seen_through IS NOT NULL AND (typeof(NEW.seen_through) <> 'integer')
      THEN RAISE(ABORT, 'subscribers.seen_through: needs a whole number')
  END;
END;
--> statement-breakpoint
CREATE TRIGGER subscribers_checked_update BEFORE UPDATE OF public_id, email, name, status, time_zone, locale, cadence, paused_until, discreet, seen_through ON subscribers
BEGIN
  SELECT CASE
    WHEN NEW.public_id IS NOT OLD.public_id AND NEW.public_id IS NOT NULL AND (typeof(NEW.public_id) <> 'text' OR NEW.public_id = '')
      THEN RAISE(ABORT, 'subscribers.public_id: needs a random name')
    WHEN NEW.email IS NOT OLD.email AND NEW.email IS NOT NULL AND (typeof(NEW.email) <> 'text' OR length(NEW.email) > 254 OR NEW.email <> lower(trim(NEW.email)) OR NEW.email NOT LIKE '_%@_%._%'
        OR NEW.email LIKE '%@%@%' OR instr(NEW.email, ' ') OR NEW.email GLOB '*[<>,;]*' OR NEW.email GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.email AS BLOB), x'00'))
      THEN RAISE(ABORT, 'subscribers.email: needs one address in small letters, like name@practice.org')
    WHEN NEW.name IS NOT OLD.name AND (NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text' OR NEW.name GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.name AS BLOB), x'00')))
      THEN RAISE(ABORT, 'subscribers.name: needs text on one line without control characters, or null')
    WHEN NEW.status IS NOT OLD.status AND NEW.status IS NOT NULL AND (NEW.status NOT IN ('pending', 'active', 'unsubscribed'))
      THEN RAISE(ABORT, 'subscribers.status: needs pending, active or unsubscribed')
    WHEN NEW.time_zone IS NOT OLD.time_zone AND NEW.time_zone IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM time_zones WHERE name = NEW.time_zone))
      THEN RAISE(ABORT, 'subscribers.time_zone: is no time zone we know; write an IANA name like America/New_York')
    WHEN NEW.locale IS NOT OLD.locale AND NEW.locale IS NOT NULL AND (typeof(NEW.locale) <> 'text' OR length(NEW.locale) NOT BETWEEN 2 AND 40 OR NEW.locale GLOB '*[^A-Za-z0-9-]*' OR NEW.locale NOT GLOB '[A-Za-z][A-Za-z]*')
      THEN RAISE(ABORT, 'subscribers.locale: needs a language tag like en, es or es-MX')
    WHEN NEW.cadence IS NOT OLD.cadence AND NEW.cadence IS NOT NULL AND (NEW.cadence NOT IN ('weekly', 'monthly'))
      THEN RAISE(ABORT, 'subscribers.cadence: needs weekly or monthly')
    WHEN NEW.paused_until IS NOT OLD.paused_until AND (NEW.paused_until IS NOT NULL AND typeof(NEW.paused_until) <> 'integer')
      THEN RAISE(ABORT, 'subscribers.paused_until: needs milliseconds since 1970, or null')
    WHEN NEW.discreet IS NOT OLD.discreet AND NEW.discreet IS NOT NULL AND (NEW.discreet NOT IN (0, 1))
      THEN RAISE(ABORT, 'subscribers.discreet: needs 0 or 1')
    WHEN NEW.seen_through IS NOT OLD.seen_through AND NEW.seen_through IS NOT NULL AND (typeof(NEW.seen_through) <> 'integer')
      THEN RAISE(ABORT, 'subscribers.seen_through: needs a whole number')
  END;
END;
--> statement-breakpoint
-- Parents that are in use, for writers whose connection does not enforce foreign keys (SQLite's shell, most drivers).
CREATE TRIGGER topics_kept BEFORE DELETE ON topics
WHEN EXISTS (SELECT 1 FROM groups WHERE topic_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'topics.id: groups are about this topic; give them another one first'); END;
--> statement-breakpoint
CREATE TRIGGER groups_kept BEFORE DELETE ON groups
WHEN EXISTS (SELECT 1 FROM sessions WHERE group_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'groups.id: sessions belong to this group; give them another one first'); END;
--> statement-breakpoint
CREATE TRIGGER topics_renumbered BEFORE UPDATE OF id ON topics
WHEN NEW.id IS NOT OLD.id AND EXISTS (SELECT 1 FROM groups WHERE topic_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'topics.id: groups are about this topic; leave its id as it is'); END;
--> statement-breakpoint
CREATE TRIGGER groups_renumbered BEFORE UPDATE OF id ON groups
WHEN NEW.id IS NOT OLD.id AND EXISTS (SELECT 1 FROM sessions WHERE group_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'groups.id: sessions belong to this group; leave its id as it is'); END;
--> statement-breakpoint
-- INSERT OR REPLACE of a topic or group that is there gives it another id and leaves its children behind. It gets its own back:
-- before the row goes in, its id is noted; if it does go in, it came in place of that one.
CREATE TABLE replaced_parents (kind text PRIMARY KEY NOT NULL, id integer);
--> statement-breakpoint
CREATE TRIGGER topics_replacing BEFORE INSERT ON topics
BEGIN
  INSERT INTO replaced_parents (kind, id) VALUES ('topic', (SELECT id FROM topics WHERE slug = NEW.slug))
    ON CONFLICT (kind) DO UPDATE SET id = excluded.id;
END;
--> statement-breakpoint
CREATE TRIGGER topics_replaced AFTER INSERT ON topics
BEGIN
  UPDATE topics SET id = (SELECT id FROM replaced_parents WHERE kind = 'topic')
    WHERE id = NEW.id AND (SELECT id FROM replaced_parents WHERE kind = 'topic') <> NEW.id;
  UPDATE counters SET value = value + 1 WHERE name = 'sessions_version';
END;
--> statement-breakpoint
CREATE TRIGGER groups_replacing BEFORE INSERT ON groups
BEGIN
  INSERT INTO replaced_parents (kind, id) VALUES ('group',
      (SELECT id FROM groups WHERE (topic_id, kind, title) = (NEW.topic_id, NEW.kind, NEW.title)))
    ON CONFLICT (kind) DO UPDATE SET id = excluded.id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_replaced AFTER INSERT ON groups
BEGIN
  UPDATE groups SET id = (SELECT id FROM replaced_parents WHERE kind = 'group')
    WHERE id = NEW.id AND (SELECT id FROM replaced_parents WHERE kind = 'group') <> NEW.id;
  INSERT INTO session_changes (session_id) SELECT sessions.id FROM sessions JOIN groups ON groups.id = sessions.group_id
    WHERE (groups.topic_id, groups.kind, groups.title) = (NEW.topic_id, NEW.kind, NEW.title);
END;
--> statement-breakpoint
-- News. What counts as news, and for whom, is the table in src/db/sessions/news.md; each of its lines is a test.
DROP TRIGGER sessions_added;
--> statement-breakpoint
DROP TRIGGER sessions_moved;
--> statement-breakpoint
DROP TRIGGER sessions_reopened;
--> statement-breakpoint
DROP TRIGGER sessions_extended;
--> statement-breakpoint
-- Each external_id that ever was: its id, and how its session last stood. It outlives the row.
CREATE TABLE known_sessions (
  external_id text PRIMARY KEY NOT NULL,
  session_id integer NOT NULL,
  open integer NOT NULL,
  last_date text,
  face text NOT NULL,
  seq integer NOT NULL,
  added_seq integer NOT NULL,
  news text NOT NULL,
  news_at integer NOT NULL,
  revision integer NOT NULL,
  gone_after text
);
--> statement-breakpoint
CREATE UNIQUE INDEX known_sessions_id ON known_sessions (session_id);
--> statement-breakpoint
-- What readers with a mark from seq on know of a session, up to the next row.
CREATE TABLE session_history (
  session_id integer NOT NULL,
  seq integer NOT NULL,
  topic_id integer,
  times text NOT NULL,
  reopened integer NOT NULL,
  news text NOT NULL,
  PRIMARY KEY (session_id, seq)
) WITHOUT ROWID;
--> statement-breakpoint
-- What a change comes to, while the triggers work it out.
CREATE TABLE session_change (
  session_id integer PRIMARY KEY NOT NULL,
  topic_id integer,
  times text NOT NULL,
  known_seq integer,
  known_reopened integer NOT NULL,
  moved integer NOT NULL,
  corrected integer NOT NULL,
  reopened integer NOT NULL,
  back_to integer
);
--> statement-breakpoint
-- times: a weekly series is the same on the same weekday and hour, whatever the week. face: what a calendar shows.
CREATE VIEW session_facts AS
SELECT sessions.id AS session_id, sessions.external_id, groups.topic_id,
  iif(repeats = 'weekly', 'weekly ' || coalesce(strftime('%w', substr(starts_at_local, 1, 10)), starts_at_local),
    'once ' || substr(starts_at_local, 1, 10)) || ' ' || substr(starts_at_local, 12, 5) || ' ' || time_zone AS times,
  (status = 'open' AND seats_left IS NOT 0) AS open,
  iif(repeats = 'weekly' AND occurrences IS NOT NULL,
    date(substr(starts_at_local, 1, 10), (7 * (occurrences - 1)) || ' days'), NULL) AS last_date,
  quote(therapist) || quote(starts_at_local) || quote(time_zone) || quote(duration_minutes) || quote(repeats)
    || quote(occurrences) || (status = 'cancelled') || quote(booking_url) || quote(groups.kind) || quote(groups.title) AS face
FROM sessions LEFT JOIN groups ON groups.id = sessions.group_id;
--> statement-breakpoint
INSERT INTO known_sessions (external_id, session_id, open, last_date, face, seq, added_seq, news, news_at, revision)
  SELECT sessions.external_id, session_id, open, last_date, coalesce(face, ''), seq, added_seq, news, news_at, revision
  FROM session_facts JOIN sessions ON sessions.id = session_facts.session_id;
--> statement-breakpoint
-- Of an earlier change it is known only that there was one.
INSERT INTO session_history (session_id, seq, topic_id, times, reopened, news)
  SELECT session_id, added_seq, topic_id, iif(news = 'moved', '', times), 0, 'new'
  FROM session_facts JOIN sessions ON sessions.id = session_facts.session_id WHERE added_seq < seq AND times IS NOT NULL;
--> statement-breakpoint
INSERT INTO session_history (session_id, seq, topic_id, times, reopened, news)
  SELECT session_id, seq, topic_id, times, iif(news = 'reopened', seq, 0), news
  FROM session_facts JOIN sessions ON sessions.id = session_facts.session_id WHERE times IS NOT NULL;
--> statement-breakpoint
-- Not read: writing the id of a session to it compares how it stands with how it last stood.
CREATE VIEW session_changes AS SELECT id AS session_id FROM sessions;
--> statement-breakpoint
CREATE TRIGGER session_changes_judged INSTEAD OF INSERT ON session_changes
BEGIN
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
  DELETE FROM session_change;

  UPDATE known_sessions SET (open, last_date, face, seq, added_seq, news, news_at, revision, gone_after) =
    (SELECT fact.open, fact.last_date, coalesce(fact.face, ''), seq, added_seq, news, news_at, revision, NULL
     FROM session_facts AS fact JOIN sessions ON sessions.id = fact.session_id WHERE fact.session_id = NEW.session_id)
    WHERE session_id = NEW.session_id AND EXISTS (SELECT 1 FROM session_facts WHERE session_id = NEW.session_id AND open IS NOT NULL);
END;
--> statement-breakpoint
-- A known external_id gets its id and its news back, however it went: replaced or deleted. If an edition was planned while it
-- was gone, it has reopened. A new one never gets an id that another had.
CREATE TRIGGER sessions_added AFTER INSERT ON sessions
BEGIN
  INSERT INTO known_sessions (external_id, session_id, open, last_date, face, seq, added_seq, news, news_at, revision)
    SELECT NEW.external_id, iif(NEW.id IN (SELECT session_id FROM known_sessions),
        (SELECT max(session_id) + 1 FROM known_sessions), NEW.id), 1, NULL, face, 0, 0, 'new', 0, 0
    FROM session_facts WHERE session_id = NEW.id AND NOT EXISTS (SELECT 1 FROM known_sessions WHERE external_id = NEW.external_id);
  UPDATE known_sessions SET open = 0, last_date = NULL
    WHERE external_id = NEW.external_id AND gone_after < (SELECT max(id) FROM editions);
  UPDATE known_sessions SET revision = revision + 1, news_at = unixepoch() * 1000
    WHERE external_id = NEW.external_id AND face IS NOT (SELECT face FROM session_facts WHERE session_id = NEW.id);
  UPDATE sessions SET (id, seq, added_seq, news, news_at, revision) =
    (SELECT session_id, seq, added_seq, news, news_at, revision FROM known_sessions WHERE external_id = NEW.external_id)
    WHERE id = NEW.id;
  INSERT INTO session_changes (session_id) SELECT session_id FROM known_sessions WHERE external_id = NEW.external_id;
END;
--> statement-breakpoint
CREATE TRIGGER sessions_changed AFTER UPDATE OF external_id, group_id, therapist, starts_at_local, time_zone, duration_minutes,
  repeats, occurrences, seats_left, status, booking_url ON sessions
BEGIN
  DELETE FROM known_sessions WHERE external_id = NEW.external_id AND session_id <> NEW.id;
  UPDATE known_sessions SET external_id = NEW.external_id WHERE session_id = NEW.id AND external_id <> NEW.external_id;
  INSERT INTO session_changes (session_id) VALUES (NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER sessions_remembered AFTER UPDATE OF revision ON sessions
BEGIN UPDATE known_sessions SET revision = NEW.revision WHERE session_id = NEW.id; END;
--> statement-breakpoint
CREATE TRIGGER sessions_gone AFTER DELETE ON sessions
BEGIN
  UPDATE known_sessions SET gone_after = coalesce((SELECT max(id) FROM editions), '') WHERE session_id = OLD.id;
END;
--> statement-breakpoint
CREATE TRIGGER groups_changed AFTER UPDATE OF topic_id, kind, title ON groups
BEGIN INSERT INTO session_changes (session_id) SELECT id FROM sessions WHERE group_id = NEW.id; END;
