-- The first batches of an edition go first; the rest waits for what is reported of them (db/ledger/first-wave.ts).
ALTER TABLE `editions` ADD `wave_batches` integer;
--> statement-breakpoint
ALTER TABLE `editions` ADD `wave_passed_at` integer;
