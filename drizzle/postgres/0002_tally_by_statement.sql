-- The program moves the tally itself, once per statement (src/db/ledger/tally.ts), on both engines.
DROP TRIGGER deliveries_counted ON deliveries;
--> statement-breakpoint
DROP TRIGGER deliveries_recounted ON deliveries;
--> statement-breakpoint
DROP TRIGGER deliveries_uncounted ON deliveries;
--> statement-breakpoint
DROP FUNCTION deliveries_counted();
--> statement-breakpoint
DROP FUNCTION deliveries_recounted();
--> statement-breakpoint
DROP FUNCTION deliveries_uncounted();
--> statement-breakpoint
DROP FUNCTION tally(bigint, text, bigint, text, text);
