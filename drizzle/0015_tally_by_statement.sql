-- The program moves the tally itself, once per statement (src/db/ledger/tally.ts). A trigger per row took more time than the
-- change that it counted.
DROP TRIGGER deliveries_counted;
--> statement-breakpoint
DROP TRIGGER deliveries_recounted;
--> statement-breakpoint
DROP TRIGGER deliveries_uncounted;
