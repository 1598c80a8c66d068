CREATE TABLE `address_changes` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`subscriber_id` integer NOT NULL,
	`email` text NOT NULL,
	`email_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`subscriber_id`) REFERENCES `subscribers`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `address_changes_public_id_unique` ON `address_changes` (`public_id`);--> statement-breakpoint
CREATE TABLE `notices` (
	`id` integer PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subscriber_id` integer NOT NULL,
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
	FOREIGN KEY (`subscriber_id`) REFERENCES `subscribers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`address_change_id`) REFERENCES `address_changes`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `notices_key_unique` ON `notices` (`key`);--> statement-breakpoint
CREATE INDEX `notices_subscriber` ON `notices` (`subscriber_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `notices_unfinished` ON `notices` (`state`) WHERE state in ('planned','submitting');--> statement-breakpoint
CREATE TABLE `provider_events` (
	`svix_id` text PRIMARY KEY NOT NULL,
	`type` text NOT NULL,
	`delivery_id` integer,
	`at` integer NOT NULL,
	`received_at` integer NOT NULL,
	`detail` text
);
--> statement-breakpoint
ALTER TABLE `deliveries` ADD `report` text;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `reported_at` integer;--> statement-breakpoint
ALTER TABLE `editions` ADD `bounced` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `editions` ADD `complained` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `editions` ADD `breaker_off` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `revision` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `subscribers` ADD `calendar_key` text;--> statement-breakpoint
ALTER TABLE `subscribers` ADD `soft_bounces` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `subscribers_calendar_key_unique` ON `subscribers` (`calendar_key`);