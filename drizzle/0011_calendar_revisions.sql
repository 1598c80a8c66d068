-- What a calendar shows of a session: its SEQUENCE (`revision`) and DTSTAMP (`revised_at`) rise with every change of that,
-- whoever makes it (RFC 5545 §3.8.7.2, §3.8.7.4). DTSTAMP counts seconds, so a change rises by one at least.
ALTER TABLE sessions ADD revised_at integer DEFAULT 0 NOT NULL;
UPDATE sessions SET revised_at = news_at;
CREATE TRIGGER sessions_stamped AFTER INSERT ON sessions WHEN NEW.revised_at = 0
BEGIN
  UPDATE sessions SET revised_at = unixepoch() * 1000 WHERE id = NEW.id;
END;
DROP TRIGGER IF EXISTS sessions_revised;
CREATE TRIGGER sessions_revised AFTER UPDATE OF group_id, therapist, starts_at_local, time_zone, duration_minutes, repeats, occurrences, status, booking_url ON sessions
WHEN NEW.group_id IS NOT OLD.group_id OR NEW.therapist IS NOT OLD.therapist OR NEW.starts_at_local IS NOT OLD.starts_at_local
  OR NEW.time_zone IS NOT OLD.time_zone OR NEW.duration_minutes IS NOT OLD.duration_minutes OR NEW.repeats IS NOT OLD.repeats
  OR NEW.occurrences IS NOT OLD.occurrences OR NEW.booking_url IS NOT OLD.booking_url
  OR (NEW.status = 'cancelled') <> (OLD.status = 'cancelled')
BEGIN
  UPDATE sessions SET revision = revision + 1, revised_at = max(unixepoch() * 1000, revised_at + 1000) WHERE id = NEW.id;
END;
CREATE TRIGGER groups_revised AFTER UPDATE OF title, kind ON groups
WHEN NEW.title IS NOT OLD.title OR NEW.kind IS NOT OLD.kind
BEGIN
  UPDATE sessions SET revision = revision + 1, revised_at = max(unixepoch() * 1000, revised_at + 1000) WHERE group_id = NEW.id;
END;
-- "Opns": tells the file from one of another program, which is refused before anything is written to it.
PRAGMA application_id = 1332768371;
