-- The first batches of an edition go first; the rest waits for what is reported of them (db/ledger/first-wave.ts).
ALTER TABLE editions ADD wave_batches bigint;
--> statement-breakpoint
ALTER TABLE editions ADD wave_passed_at bigint;
