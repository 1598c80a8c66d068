-- Which sessions an email showed, so that a correction of one goes to just those who were shown it.
ALTER TABLE `deliveries` ADD `shown` text;
--> statement-breakpoint
ALTER TABLE `batches` ADD `corrects` integer;
