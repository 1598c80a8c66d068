-- What a reader needs to know of a group, and what topics are called in other languages. None of it is news: only `sessions_version`
-- rises. The place is in calendars, so it is part of a session's face; without one the face is what it was (0007).
ALTER TABLE `groups` ADD `language` text;
--> statement-breakpoint
ALTER TABLE `groups` ADD `place` text;
--> statement-breakpoint
ALTER TABLE `groups` ADD `price` text;
--> statement-breakpoint
ALTER TABLE `topics` ADD `names` text DEFAULT '{}' NOT NULL;
--> statement-breakpoint
DROP TRIGGER topics_checked_insert;
--> statement-breakpoint
CREATE TRIGGER topics_checked_insert BEFORE INSERT ON topics
BEGIN
  SELECT CASE
    WHEN NEW.slug IS NOT NULL AND (typeof(NEW.slug) <> 'text' OR length(NEW.slug) NOT BETWEEN 1 AND 80 OR NEW.slug GLOB '*[^a-z0-9-]*' OR NEW.slug GLOB '-*' OR NEW.slug GLOB '*-' OR NEW.slug GLOB '*--*')
      THEN RAISE(ABORT, 'topics.slug: needs small letters, digits and single hyphens, 80 at most, like grief-and-loss')
    WHEN NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text' OR trim(NEW.name) = '' OR length(NEW.name) > 200 OR NEW.name GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.name AS BLOB), x'00'))
      THEN RAISE(ABORT, 'topics.name: needs 1 to 200 characters on one line, without control characters')
    WHEN NEW.names IS NOT NULL AND (typeof(NEW.names) <> 'text' OR length(NEW.names) > 10000 OR
        CASE WHEN NOT json_valid(NEW.names) THEN 1 WHEN json_type(NEW.names) <> 'object' THEN 1 ELSE EXISTS (SELECT 1 FROM json_each(NEW.names) AS name
          WHERE length(name.key) NOT BETWEEN 2 AND 3 OR name.key GLOB '*[^a-z]*' OR name.type <> 'text' OR trim(name.value) = ''
            OR length(name.value) > 200 OR name.value GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(name.value AS BLOB), x'00')) END)
      THEN RAISE(ABORT, 'topics.names: needs a JSON object of names by language, like {"es":"Ansiedad"}, each 1 to 200 characters on one line')
  END;
END;
--> statement-breakpoint
DROP TRIGGER topics_checked_update;
--> statement-breakpoint
CREATE TRIGGER topics_checked_update BEFORE UPDATE OF slug, name, names ON topics
BEGIN
  SELECT CASE
    WHEN NEW.slug IS NOT OLD.slug AND NEW.slug IS NOT NULL AND (typeof(NEW.slug) <> 'text' OR length(NEW.slug) NOT BETWEEN 1 AND 80 OR NEW.slug GLOB '*[^a-z0-9-]*' OR NEW.slug GLOB '-*' OR NEW.slug GLOB '*-' OR NEW.slug GLOB '*--*')
      THEN RAISE(ABORT, 'topics.slug: needs small letters, digits and single hyphens, 80 at most, like grief-and-loss')
    WHEN NEW.name IS NOT OLD.name AND NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text' OR trim(NEW.name) = '' OR length(NEW.name) > 200 OR NEW.name GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.name AS BLOB), x'00'))
      THEN RAISE(ABORT, 'topics.name: needs 1 to 200 characters on one line, without control characters')
    WHEN NEW.names IS NOT OLD.names AND NEW.names IS NOT NULL AND (typeof(NEW.names) <> 'text' OR length(NEW.names) > 10000 OR
        CASE WHEN NOT json_valid(NEW.names) THEN 1 WHEN json_type(NEW.names) <> 'object' THEN 1 ELSE EXISTS (SELECT 1 FROM json_each(NEW.names) AS name
          WHERE length(name.key) NOT BETWEEN 2 AND 3 OR name.key GLOB '*[^a-z]*' OR name.type <> 'text' OR trim(name.value) = ''
            OR length(name.value) > 200 OR name.value GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(name.value AS BLOB), x'00')) END)
      THEN RAISE(ABORT, 'topics.names: needs a JSON object of names by language, like {"es":"Ansiedad"}, each 1 to 200 characters on one line')
  END;
END;
--> statement-breakpoint
DROP TRIGGER groups_checked_insert;
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
    WHEN (NEW.summary IS NOT NULL AND (typeof(NEW.summary) <> 'text' OR length(NEW.summary) > 300 OR NEW.summary GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.summary AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.summary: needs one sentence of up to 300 characters on one line, without control characters, or null')
    WHEN (NEW.url IS NOT NULL AND (typeof(NEW.url) <> 'text' OR length(NEW.url) > 2000 OR NOT (lower(NEW.url) GLOB 'https://[^/ ]*' OR lower(NEW.url) GLOB 'http://[^/ ]*')
        OR NEW.url GLOB '*[ <>"\]*' OR NEW.url GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.url AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.url: needs a link like https://practice.org/group without spaces, or null')
    WHEN (NEW.language IS NOT NULL AND (typeof(NEW.language) <> 'text' OR length(NEW.language) NOT BETWEEN 2 AND 3 OR NEW.language GLOB '*[^a-z]*'))
      THEN RAISE(ABORT, 'groups.language: needs a language like en or es, or null')
    WHEN (NEW.place IS NOT NULL AND (typeof(NEW.place) <> 'text' OR length(NEW.place) > 200 OR NEW.place GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.place AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.place: needs up to 200 characters on one line, without control characters, or null')
    WHEN (NEW.price IS NOT NULL AND (typeof(NEW.price) <> 'text' OR length(NEW.price) > 200 OR NEW.price GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.price AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.price: needs up to 200 characters on one line, without control characters, or null')
  END;
END;
--> statement-breakpoint
DROP TRIGGER groups_checked_update;
--> statement-breakpoint
CREATE TRIGGER groups_checked_update BEFORE UPDATE OF topic_id, kind, title, summary, url, language, place, price ON groups
BEGIN
  SELECT CASE
    WHEN NEW.topic_id IS NOT OLD.topic_id AND NEW.topic_id IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM topics WHERE id = NEW.topic_id))
      THEN RAISE(ABORT, 'groups.topic_id: is no topic; write the id of a row in topics')
    WHEN NEW.kind IS NOT OLD.kind AND NEW.kind IS NOT NULL AND (NEW.kind NOT IN ('therapy', 'skills'))
      THEN RAISE(ABORT, 'groups.kind: needs therapy or skills')
    WHEN NEW.title IS NOT OLD.title AND NEW.title IS NOT NULL AND (typeof(NEW.title) <> 'text' OR trim(NEW.title) = '' OR length(NEW.title) > 200 OR NEW.title GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.title AS BLOB), x'00'))
      THEN RAISE(ABORT, 'groups.title: needs 1 to 200 characters on one line, without control characters')
    WHEN NEW.summary IS NOT OLD.summary AND (NEW.summary IS NOT NULL AND (typeof(NEW.summary) <> 'text' OR length(NEW.summary) > 300 OR NEW.summary GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.summary AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.summary: needs one sentence of up to 300 characters on one line, without control characters, or null')
    WHEN NEW.url IS NOT OLD.url AND (NEW.url IS NOT NULL AND (typeof(NEW.url) <> 'text' OR length(NEW.url) > 2000 OR NOT (lower(NEW.url) GLOB 'https://[^/ ]*' OR lower(NEW.url) GLOB 'http://[^/ ]*')
        OR NEW.url GLOB '*[ <>"\]*' OR NEW.url GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.url AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.url: needs a link like https://practice.org/group without spaces, or null')
    WHEN NEW.language IS NOT OLD.language AND (NEW.language IS NOT NULL AND (typeof(NEW.language) <> 'text' OR length(NEW.language) NOT BETWEEN 2 AND 3 OR NEW.language GLOB '*[^a-z]*'))
      THEN RAISE(ABORT, 'groups.language: needs a language like en or es, or null')
    WHEN NEW.place IS NOT OLD.place AND (NEW.place IS NOT NULL AND (typeof(NEW.place) <> 'text' OR length(NEW.place) > 200 OR NEW.place GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.place AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.place: needs up to 200 characters on one line, without control characters, or null')
    WHEN NEW.price IS NOT OLD.price AND (NEW.price IS NOT NULL AND (typeof(NEW.price) <> 'text' OR length(NEW.price) > 200 OR NEW.price GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8234) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*' OR instr(CAST(NEW.price AS BLOB), x'00')))
      THEN RAISE(ABORT, 'groups.price: needs up to 200 characters on one line, without control characters, or null')
  END;
END;
--> statement-breakpoint
DROP VIEW session_facts;
--> statement-breakpoint
CREATE VIEW session_facts AS
SELECT sessions.id AS session_id, sessions.external_id, groups.topic_id,
  iif(repeats = 'weekly', 'weekly ' || coalesce(strftime('%w', substr(starts_at_local, 1, 10)), starts_at_local),
    'once ' || substr(starts_at_local, 1, 10)) || ' ' || substr(starts_at_local, 12, 5) || ' ' || time_zone AS times,
  (status = 'open' AND seats_left IS NOT 0) AS open,
  iif(repeats = 'weekly' AND occurrences IS NOT NULL,
    date(substr(starts_at_local, 1, 10), (7 * (occurrences - 1)) || ' days'), NULL) AS last_date,
  quote(therapist) || quote(starts_at_local) || quote(time_zone) || quote(duration_minutes) || quote(repeats)
    || quote(occurrences) || (status = 'cancelled') || quote(booking_url) || quote(groups.kind) || quote(groups.title)
    || iif(coalesce(groups.place, '') = '', '', quote(groups.place)) AS face
FROM sessions LEFT JOIN groups ON groups.id = sessions.group_id;
--> statement-breakpoint
DROP TRIGGER groups_changed;
--> statement-breakpoint
CREATE TRIGGER groups_changed AFTER UPDATE OF topic_id, kind, title, place ON groups
BEGIN INSERT INTO session_changes (session_id) SELECT id FROM sessions WHERE group_id = NEW.id; END;
--> statement-breakpoint
-- Only of the topics that still have the name we gave them: another one is the practice's, and its own to translate.
UPDATE topics SET names = CASE slug
    WHEN 'anger-management' THEN '{"es":"Manejo del enojo"}'
    WHEN 'anxiety' THEN '{"es":"Ansiedad"}'
    WHEN 'borderline-personality' THEN '{"es":"Trastorno límite de la personalidad"}'
    WHEN 'chronic-illness' THEN '{"es":"Enfermedades crónicas"}'
    WHEN 'dbt-skills' THEN '{"es":"Habilidades de DBT (terapia dialéctico-conductual)"}'
    WHEN 'depression' THEN '{"es":"Depresión"}'
    WHEN 'grief-and-loss' THEN '{"es":"Duelo y pérdidas"}'
    WHEN 'ocd' THEN '{"es":"TOC (trastorno obsesivo-compulsivo)"}'
    WHEN 'relationship-issues' THEN '{"es":"Pareja y relaciones"}'
    WHEN 'trauma-and-ptsd' THEN '{"es":"Trauma y TEPT"}'
  END
  WHERE (slug, name) IN (VALUES
    ('anger-management', 'Anger management'),
    ('anxiety', 'Anxiety'),
    ('borderline-personality', 'Borderline personality'),
    ('chronic-illness', 'Chronic illness'),
    ('dbt-skills', 'DBT skills'),
    ('depression', 'Depression'),
    ('grief-and-loss', 'Grief and loss'),
    ('ocd', 'OCD'),
    ('relationship-issues', 'Relationship issues'),
    ('trauma-and-ptsd', 'Trauma and PTSD'));
