-- Who did what, from where, as a chain: each row's hash covers the row before it. Rows of before stay without one. What a
-- row says of a reader can be taken back, as its hash covers a salted digest of it; nothing else of a row changes, and only
-- retention deletes rows, from the old end.
ALTER TABLE `audit_log` ADD `actor` text;
--> statement-breakpoint
ALTER TABLE `audit_log` ADD `network` text;
--> statement-breakpoint
ALTER TABLE `audit_log` ADD `salt` text;
--> statement-breakpoint
ALTER TABLE `audit_log` ADD `digest` text;
--> statement-breakpoint
ALTER TABLE `audit_log` ADD `chain` text;
--> statement-breakpoint
DROP TRIGGER subscribers_renamed;
--> statement-breakpoint
CREATE TRIGGER subscribers_renamed AFTER UPDATE OF public_id ON subscribers WHEN NEW.public_id IS NOT OLD.public_id
BEGIN
  UPDATE audit_log SET subject = NEW.public_id, salt = NULL WHERE subject = OLD.public_id;
END;
--> statement-breakpoint
DROP TRIGGER subscribers_forgotten;
--> statement-breakpoint
CREATE TRIGGER subscribers_forgotten BEFORE DELETE ON subscribers
BEGIN
  UPDATE audit_log SET subject = 'erased', detail = NULL, salt = NULL WHERE subject = OLD.public_id;
  DELETE FROM provider_events WHERE delivery_id IN (SELECT id FROM deliveries WHERE subscriber_id = OLD.id);
  UPDATE deliveries SET provider_id = NULL WHERE subscriber_id = OLD.id AND state <> 'waiting';
  UPDATE deliveries SET reason = NULL WHERE subscriber_id = OLD.id AND state IN ('failed', 'unknown');
END;
--> statement-breakpoint
CREATE TRIGGER audit_log_kept BEFORE UPDATE ON audit_log
WHEN NEW.id IS NOT OLD.id OR NEW.at IS NOT OLD.at OR NEW.actor IS NOT OLD.actor OR NEW.action IS NOT OLD.action
  OR NEW.network IS NOT OLD.network OR NEW.digest IS NOT OLD.digest OR NEW.chain IS NOT OLD.chain OR NEW.salt IS NOT NULL
  OR NOT coalesce(
    NEW.subject = 'erased' AND NEW.detail IS NULL AND EXISTS (SELECT 1 FROM subscribers WHERE public_id = OLD.subject)
    OR NEW.detail IS OLD.detail AND NEW.subject <> OLD.subject AND length(OLD.subject) = 22
      AND EXISTS (SELECT 1 FROM subscribers WHERE public_id = NEW.subject), 0)
BEGIN
  SELECT RAISE(ABORT, 'audit_log: what is on record is not changed');
END;
--> statement-breakpoint
CREATE TRIGGER audit_log_undeleted BEFORE DELETE ON audit_log
WHEN coalesce((SELECT CAST(value ->> 'id' AS integer) FROM installation WHERE name = 'audit_pruned'), 0) < OLD.id
BEGIN
  SELECT RAISE(ABORT, 'audit_log: what is on record is deleted by retention alone');
END;
