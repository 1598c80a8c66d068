INSERT INTO counters (name, value) VALUES ('seq', 0), ('sessions_version', 0);
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
CREATE TRIGGER sessions_added AFTER INSERT ON sessions
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'seq';
  UPDATE sessions
    SET seq = (SELECT value FROM counters WHERE name = 'seq'), added_seq = (SELECT value FROM counters WHERE name = 'seq'),
        news = 'new', news_at = unixepoch() * 1000
    WHERE id = NEW.id;
END;
--> statement-breakpoint
-- Moved: another start, zone or repeat. A start that only rolls on to a later week of the same series is a move too.
CREATE TRIGGER sessions_moved AFTER UPDATE OF starts_at_local, time_zone, repeats ON sessions
WHEN NEW.starts_at_local IS NOT OLD.starts_at_local OR NEW.time_zone IS NOT OLD.time_zone OR NEW.repeats IS NOT OLD.repeats
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'seq';
  UPDATE sessions SET seq = (SELECT value FROM counters WHERE name = 'seq'), news = 'moved', news_at = unixepoch() * 1000
    WHERE id = NEW.id;
END;
--> statement-breakpoint
-- Reopened: there was no place to take (full, cancelled, or open with none left), and now there is.
CREATE TRIGGER sessions_reopened AFTER UPDATE OF status, seats_left ON sessions
WHEN NEW.status = 'open' AND NEW.seats_left IS NOT 0 AND (OLD.status <> 'open' OR OLD.seats_left IS 0)
  AND NEW.starts_at_local IS OLD.starts_at_local AND NEW.time_zone IS OLD.time_zone AND NEW.repeats IS OLD.repeats
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'seq';
  UPDATE sessions SET seq = (SELECT value FROM counters WHERE name = 'seq'), news = 'reopened', news_at = unixepoch() * 1000
    WHERE id = NEW.id;
END;
--> statement-breakpoint
CREATE TRIGGER deliveries_counted AFTER INSERT ON deliveries
BEGIN
  INSERT INTO edition_tally (edition_id, generation, state, reason, count)
    VALUES (NEW.edition_id, NEW.generation, NEW.state, iif(NEW.state = 'excluded', NEW.reason, ''), 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
--> statement-breakpoint
CREATE TRIGGER deliveries_recounted AFTER UPDATE OF state ON deliveries WHEN NEW.state <> OLD.state
BEGIN
  UPDATE edition_tally SET count = count - 1
    WHERE edition_id = OLD.edition_id AND generation = OLD.generation AND state = OLD.state
      AND reason = iif(OLD.state = 'excluded', OLD.reason, '');
  INSERT INTO edition_tally (edition_id, generation, state, reason, count)
    VALUES (NEW.edition_id, NEW.generation, NEW.state, iif(NEW.state = 'excluded', NEW.reason, ''), 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
--> statement-breakpoint
CREATE TRIGGER deliveries_uncounted AFTER DELETE ON deliveries
BEGIN
  UPDATE edition_tally SET count = count - 1
    WHERE edition_id = OLD.edition_id AND generation = OLD.generation AND state = OLD.state
      AND reason = iif(OLD.state = 'excluded', OLD.reason, '');
END;
--> statement-breakpoint
CREATE TRIGGER sessions_versioned_insert AFTER INSERT ON sessions
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'sessions_version'; END;
--> statement-breakpoint
CREATE TRIGGER sessions_versioned_update AFTER UPDATE ON sessions
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'sessions_version'; END;
--> statement-breakpoint
CREATE TRIGGER sessions_versioned_delete AFTER DELETE ON sessions
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'sessions_version'; END;
--> statement-breakpoint
CREATE TRIGGER groups_versioned AFTER UPDATE ON groups
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'sessions_version'; END;
--> statement-breakpoint
CREATE TRIGGER topics_versioned AFTER UPDATE ON topics
BEGIN UPDATE counters SET value = value + 1 WHERE name = 'sessions_version'; END;
