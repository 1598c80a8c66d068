-- What a reader needs to know of a group, and what topics are called in other languages. None of it is news: only `sessions_version`
-- rises. The place is in calendars, so it is part of a session's face; without one the face is what it was (0001).
ALTER TABLE groups ADD language text COLLATE "C";
--> statement-breakpoint
ALTER TABLE groups ADD place text COLLATE "C";
--> statement-breakpoint
ALTER TABLE groups ADD price text COLLATE "C";
--> statement-breakpoint
ALTER TABLE topics ADD names text COLLATE "C" DEFAULT '{}' NOT NULL;
--> statement-breakpoint
CREATE FUNCTION are_names(given text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN length(given) <= 10000 AND jsonb_typeof(given::jsonb) = 'object' AND NOT EXISTS (
    SELECT 1 FROM jsonb_each(given::jsonb) AS name (language, value), LATERAL (SELECT value #>> '{}') AS called (text)
    WHERE language !~ '^[a-z]{2,3}$' OR jsonb_typeof(value) <> 'string' OR trim(text) = '' OR length(text) > 200 OR has_controls(text));
EXCEPTION WHEN others THEN
  RETURN false;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION topics_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.slug IS DISTINCT FROM OLD.slug AND (length(NEW.slug) NOT BETWEEN 1 AND 80 OR NEW.slug !~ '^[a-z0-9]+(-[a-z0-9]+)*$') THEN
    PERFORM refuse('topics.slug: needs small letters, digits and single hyphens, 80 at most, like grief-and-loss');
  END IF;
  IF NEW.name IS DISTINCT FROM OLD.name AND (trim(NEW.name) = '' OR length(NEW.name) > 200 OR has_controls(NEW.name)) THEN
    PERFORM refuse('topics.name: needs 1 to 200 characters on one line, without control characters');
  END IF;
  IF NEW.names IS DISTINCT FROM OLD.names AND (NOT are_names(NEW.names)) THEN
    PERFORM refuse('topics.names: needs a JSON object of names by language, like {"es":"Ansiedad"}, each 1 to 200 characters on one line');
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION groups_checked() RETURNS trigger LANGUAGE plpgsql AS $$
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
  IF NEW.summary IS DISTINCT FROM OLD.summary AND (length(NEW.summary) > 300 OR has_controls(NEW.summary)) THEN
    PERFORM refuse('groups.summary: needs one sentence of up to 300 characters on one line, without control characters, or null');
  END IF;
  IF NEW.url IS DISTINCT FROM OLD.url AND (NOT is_link(NEW.url)) THEN
    PERFORM refuse('groups.url: needs a link like https://practice.org/group without spaces, or null');
  END IF;
  IF NEW.language IS DISTINCT FROM OLD.language AND (NEW.language !~ '^[a-z]{2,3}$') THEN
    PERFORM refuse('groups.language: needs a language like en or es, or null');
  END IF;
  IF NEW.place IS DISTINCT FROM OLD.place AND (length(NEW.place) > 200 OR has_controls(NEW.place)) THEN
    PERFORM refuse('groups.place: needs up to 200 characters on one line, without control characters, or null');
  END IF;
  IF NEW.price IS DISTINCT FROM OLD.price AND (length(NEW.price) > 200 OR has_controls(NEW.price)) THEN
    PERFORM refuse('groups.price: needs up to 200 characters on one line, without control characters, or null');
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE OR REPLACE VIEW session_facts AS
SELECT sessions.id AS session_id, sessions.external_id, groups.topic_id,
  CASE WHEN repeats = 'weekly' THEN 'weekly ' || coalesce(extract(dow FROM date_of(starts_at_local))::int::text, starts_at_local)
    ELSE 'once ' || substr(starts_at_local, 1, 10) END || ' ' || substr(starts_at_local, 12, 5) || ' ' || time_zone AS times,
  CASE WHEN status = 'open' AND seats_left IS DISTINCT FROM 0 THEN 1 ELSE 0 END AS open,
  CASE WHEN repeats = 'weekly' AND occurrences IS NOT NULL
    THEN to_char(date_of(starts_at_local) + (7 * (occurrences - 1))::int, 'YYYY-MM-DD') END AS last_date,
  quote_nullable(therapist) || quote_nullable(starts_at_local) || quote_nullable(time_zone) || quote_nullable(duration_minutes)
    || quote_nullable(repeats) || quote_nullable(occurrences) || (status = 'cancelled') || quote_nullable(booking_url)
    || quote_nullable(groups.kind) || quote_nullable(groups.title)
    || CASE WHEN coalesce(groups.place, '') = '' THEN '' ELSE quote_nullable(groups.place) END AS face
FROM sessions LEFT JOIN groups ON groups.id = sessions.group_id;
--> statement-breakpoint
DROP TRIGGER groups_changed ON groups;
--> statement-breakpoint
CREATE TRIGGER groups_changed AFTER UPDATE OF topic_id, kind, title, place ON groups FOR EACH ROW EXECUTE FUNCTION groups_changed();
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
