CREATE TABLE `former_ids` (
	`public_id` text PRIMARY KEY NOT NULL,
	`subscriber_id` integer NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`subscriber_id`) REFERENCES `subscribers`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `former_ids_subscriber` ON `former_ids` (`subscriber_id`);--> statement-breakpoint
CREATE TABLE `refusals` (
	`email_hash` text PRIMARY KEY NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `requested_emails` (
	`id` integer PRIMARY KEY NOT NULL,
	`email_hash` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `requested_emails_target` ON `requested_emails` (`email_hash`,`created_at`);--> statement-breakpoint
CREATE INDEX `requested_emails_created` ON `requested_emails` (`created_at`);--> statement-breakpoint
ALTER TABLE `address_changes` ADD `changed_at` integer;--> statement-breakpoint
ALTER TABLE `address_changes` ADD `before` text;--> statement-breakpoint
ALTER TABLE `notices` ADD `form` text;--> statement-breakpoint
ALTER TABLE `notices` ADD `used_at` integer;--> statement-breakpoint
ALTER TABLE `subscribers` ADD `unsubscribed_by` text;
