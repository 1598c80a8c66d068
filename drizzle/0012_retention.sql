-- What an edition told whom is removed after RETENTION_DAYS. Its sums stay: rows of a pruned edition are not counted down.
ALTER TABLE `editions` ADD `pruned_at` integer;
--> statement-breakpoint
DROP TRIGGER deliveries_uncounted;
--> statement-breakpoint
CREATE TRIGGER deliveries_uncounted AFTER DELETE ON deliveries
WHEN (SELECT pruned_at FROM editions WHERE id = OLD.edition_id) IS NULL
BEGIN
  UPDATE edition_tally SET count = count - 1
    WHERE edition_id = OLD.edition_id AND generation = OLD.generation AND state = OLD.state
      AND reason = iif(OLD.state = 'excluded', OLD.reason, '');
END;
--> statement-breakpoint
CREATE INDEX `deliveries_unbatched` ON `deliveries` (`edition_id`) WHERE batch_id is null;
--> statement-breakpoint
CREATE INDEX `provider_events_received` ON `provider_events` (`received_at`);
--> statement-breakpoint
CREATE INDEX `notices_created` ON `notices` (`created_at`);
--> statement-breakpoint
CREATE INDEX `audit_log_at` ON `audit_log` (`at`);
--> statement-breakpoint
CREATE INDEX `audit_log_subject` ON `audit_log` (`subject`);
--> statement-breakpoint
-- The audit log names a subscriber by the public id that is in their links, so it follows a new one.
CREATE TRIGGER subscribers_renamed AFTER UPDATE OF public_id ON subscribers WHEN NEW.public_id IS NOT OLD.public_id
BEGIN
  UPDATE audit_log SET subject = NEW.public_id WHERE subject = OLD.public_id;
END;
--> statement-breakpoint
-- However a subscriber is deleted, what ties the rest of the database to them goes too. A waiting delivery keeps Resend's
-- id until its batch ends: it is the proof that the mail was accepted (db/submissions.ts).
CREATE TRIGGER subscribers_forgotten BEFORE DELETE ON subscribers
BEGIN
  UPDATE audit_log SET subject = 'erased', detail = NULL WHERE subject = OLD.public_id;
  DELETE FROM provider_events WHERE delivery_id IN (SELECT id FROM deliveries WHERE subscriber_id = OLD.id);
  UPDATE deliveries SET provider_id = NULL WHERE subscriber_id = OLD.id AND state <> 'waiting';
  UPDATE deliveries SET reason = NULL WHERE subscriber_id = OLD.id AND state IN ('failed', 'unknown');
END;
--> statement-breakpoint
-- Those who were erased before this release.
UPDATE audit_log SET subject = 'erased', detail = NULL WHERE action IN ('erase', 'resubscribe', 'change-address')
  AND subject NOT IN (SELECT public_id FROM subscribers);
--> statement-breakpoint
DELETE FROM provider_events WHERE delivery_id IN (SELECT id FROM deliveries WHERE subscriber_id IS NULL);
--> statement-breakpoint
UPDATE deliveries SET provider_id = NULL WHERE subscriber_id IS NULL AND provider_id IS NOT NULL AND state <> 'waiting';
