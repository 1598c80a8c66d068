-- Files of sessions that operators looked at or brought in from their pages.
CREATE TABLE `session_imports` (
	`id` integer PRIMARY KEY NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`hash` text NOT NULL,
	`content` text,
	`imported_at` integer,
	`undone_at` integer,
	`counts` text,
	`before` text
);
--> statement-breakpoint
CREATE INDEX `session_imports_created` ON `session_imports` (`created_at`);
