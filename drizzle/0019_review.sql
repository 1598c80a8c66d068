-- What is known of an edition before it is planned, and emails to operators about it. A notice may now be for an operator instead
-- of a subscriber, so the table is rebuilt.
CREATE TABLE `reviews` (
	`edition_id` text PRIMARY KEY NOT NULL,
	`scheduled_for` integer NOT NULL,
	`stamp` integer DEFAULT 0 NOT NULL,
	`claimed_by` text,
	`claimed_at` integer,
	`reviewed_at` integer,
	`sessions_version` integer,
	`flags` text DEFAULT '[]' NOT NULL,
	`answers` text DEFAULT '{}' NOT NULL,
	`counts` text,
	`counted_at` integer,
	`told` text,
	`held_at` integer,
	`approved_at` integer,
	`approved_flags` text,
	`planned_at` integer,
	`lapsed_at` integer
);
--> statement-breakpoint
CREATE TABLE `notices_rebuilt` (
	`id` integer PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subscriber_id` integer,
	`address_change_id` integer,
	`key` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`claimed_at` integer,
	`claimed_by` text,
	`next_attempt_at` integer,
	`first_attempt_at` integer,
	`body` text,
	`reason` text,
	`provider_id` text,
	`created_at` integer NOT NULL,
	`submitted_at` integer,
	`form` text,
	`used_at` integer,
	`operator_id` integer,
	`edition_id` text,
	FOREIGN KEY (`subscriber_id`) REFERENCES `subscribers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`address_change_id`) REFERENCES `address_changes`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`operator_id`) REFERENCES `operators`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "notices_reader" CHECK((subscriber_id is null) <> (operator_id is null))
);
--> statement-breakpoint
INSERT INTO notices_rebuilt (id, kind, subscriber_id, address_change_id, key, state, attempts, claimed_at, claimed_by, next_attempt_at,
  first_attempt_at, body, reason, provider_id, created_at, submitted_at, form, used_at)
  SELECT id, kind, subscriber_id, address_change_id, key, state, attempts, claimed_at, claimed_by, next_attempt_at,
    first_attempt_at, body, reason, provider_id, created_at, submitted_at, form, used_at FROM notices;
--> statement-breakpoint
DROP TABLE `notices`;
--> statement-breakpoint
ALTER TABLE `notices_rebuilt` RENAME TO `notices`;
--> statement-breakpoint
CREATE UNIQUE INDEX `notices_key_unique` ON `notices` (`key`);
--> statement-breakpoint
CREATE UNIQUE INDEX `notices_review` ON `notices` (`operator_id`,`edition_id`,`kind`);
--> statement-breakpoint
CREATE INDEX `notices_subscriber` ON `notices` (`subscriber_id`,`created_at`);
--> statement-breakpoint
CREATE INDEX `notices_created` ON `notices` (`created_at`);
--> statement-breakpoint
CREATE INDEX `notices_unfinished` ON `notices` (`state`) WHERE state in ('planned','submitting');
