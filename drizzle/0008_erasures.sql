CREATE TABLE `erasures` (
	`email_hash` text PRIMARY KEY NOT NULL,
	`erased_at` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `erasures` (`email_hash`, `erased_at`)
SELECT `email_hash`, `created_at` FROM `suppressions` WHERE `reason` = 'erased';
