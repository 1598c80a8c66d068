-- Who did what, from where, as a chain: each row's hash covers the row before it. Rows of before stay without one. What a
-- row says of a reader can be taken back, as its hash covers a salted digest of it; nothing else of a row changes, and only
-- retention deletes rows, from the old end.
ALTER TABLE audit_log ADD actor text COLLATE "C";
--> statement-breakpoint
ALTER TABLE audit_log ADD network text COLLATE "C";
--> statement-breakpoint
ALTER TABLE audit_log ADD salt text COLLATE "C";
--> statement-breakpoint
ALTER TABLE audit_log ADD digest text COLLATE "C";
--> statement-breakpoint
ALTER TABLE audit_log ADD chain text COLLATE "C";
--> statement-breakpoint
CREATE OR REPLACE FUNCTION subscribers_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE audit_log SET subject = NEW.public_id, salt = NULL WHERE subject = OLD.public_id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION subscribers_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE audit_log SET subject = 'erased', detail = NULL, salt = NULL WHERE subject = OLD.public_id;
  DELETE FROM provider_events WHERE delivery_id IN (SELECT id FROM deliveries WHERE subscriber_id = OLD.id);
  UPDATE deliveries SET provider_id = NULL WHERE subscriber_id = OLD.id AND state <> 'waiting';
  UPDATE deliveries SET reason = NULL WHERE subscriber_id = OLD.id AND state IN ('failed', 'unknown');
  RETURN OLD;
END $$;
--> statement-breakpoint
CREATE FUNCTION audit_log_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.at, NEW.actor, NEW.action, NEW.network, NEW.digest, NEW.chain)
      IS DISTINCT FROM (OLD.id, OLD.at, OLD.actor, OLD.action, OLD.network, OLD.digest, OLD.chain)
      OR NEW.salt IS NOT NULL
      OR NOT coalesce(
        NEW.subject = 'erased' AND NEW.detail IS NULL AND EXISTS (SELECT 1 FROM subscribers WHERE public_id = OLD.subject)
        OR NEW.detail IS NOT DISTINCT FROM OLD.detail AND NEW.subject <> OLD.subject AND length(OLD.subject) = 22
          AND EXISTS (SELECT 1 FROM subscribers WHERE public_id = NEW.subject), false) THEN
    PERFORM refuse('audit_log: what is on record is not changed');
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER audit_log_kept BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_kept();
--> statement-breakpoint
CREATE FUNCTION audit_log_undeleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce((SELECT (value::json ->> 'id')::bigint FROM installation WHERE name = 'audit_pruned'), 0) < OLD.id THEN
    PERFORM refuse('audit_log: what is on record is deleted by retention alone');
  END IF;
  RETURN OLD;
END $$;
--> statement-breakpoint
CREATE TRIGGER audit_log_undeleted BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_undeleted();
