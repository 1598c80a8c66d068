CREATE TRIGGER sessions_revised AFTER UPDATE OF starts_at_local, time_zone, repeats, occurrences, duration_minutes, status ON sessions
WHEN NEW.starts_at_local IS NOT OLD.starts_at_local OR NEW.time_zone IS NOT OLD.time_zone OR NEW.repeats IS NOT OLD.repeats
  OR NEW.occurrences IS NOT OLD.occurrences OR NEW.duration_minutes IS NOT OLD.duration_minutes
  OR (NEW.status = 'cancelled') <> (OLD.status = 'cancelled')
BEGIN
  UPDATE sessions SET revision = revision + 1 WHERE id = NEW.id;
END;
