-- Extended: the series had come to its end (a day is allowed for zones), and now goes on. To a reader it has reopened.
CREATE TRIGGER sessions_extended AFTER UPDATE OF occurrences ON sessions
WHEN OLD.repeats = 'weekly' AND NEW.repeats = 'weekly' AND OLD.occurrences IS NOT NULL
  AND (NEW.occurrences IS NULL OR NEW.occurrences > OLD.occurrences)
  AND NEW.starts_at_local IS OLD.starts_at_local AND NEW.time_zone IS OLD.time_zone
  AND date(OLD.starts_at_local, '+' || (7 * (OLD.occurrences - 1)) || ' days') <= date('now', '+1 day')
BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'seq';
  UPDATE sessions SET seq = (SELECT value FROM counters WHERE name = 'seq'), news = 'reopened', news_at = unixepoch() * 1000
    WHERE id = NEW.id;
END;
