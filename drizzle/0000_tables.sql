CREATE TABLE `audit_log` (
	`id` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`action` text NOT NULL,
	`subject` text NOT NULL,
	`detail` text
);
--> statement-breakpoint
CREATE TABLE `batches` (
	`id` integer PRIMARY KEY NOT NULL,
	`edition_id` text NOT NULL,
	`generation` integer NOT NULL,
	`number` integer NOT NULL,
	`key` text NOT NULL,
	`state` text NOT NULL,
	`size` integer NOT NULL,
	`again` integer DEFAULT false NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`claimed_at` integer,
	`claimed_by` text,
	`next_attempt_at` integer,
	`first_attempt_at` integer,
	`template_hash` text,
	`offers_hash` text,
	`body_hash` text,
	`reason` text,
	`submitted_at` integer,
	FOREIGN KEY (`edition_id`) REFERENCES `editions`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `batches_key_unique` ON `batches` (`key`);--> statement-breakpoint
CREATE INDEX `batches_unfinished` ON `batches` (`state`,`edition_id`) WHERE state in ('planned','submitting');--> statement-breakpoint
CREATE UNIQUE INDEX `batches_number` ON `batches` (`edition_id`,`generation`,`number`);--> statement-breakpoint
CREATE TABLE `counters` (
	`name` text PRIMARY KEY NOT NULL,
	`value` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`id` integer PRIMARY KEY NOT NULL,
	`edition_id` text NOT NULL,
	`subscriber_id` integer,
	`generation` integer NOT NULL,
	`batch_id` integer,
	`state` text NOT NULL,
	`reason` text,
	`seen_through` integer DEFAULT 0 NOT NULL,
	`frozen` text,
	`provider_id` text,
	FOREIGN KEY (`edition_id`) REFERENCES `editions`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`subscriber_id`) REFERENCES `subscribers`(`id`) ON UPDATE no action ON DELETE set null,
	FOREIGN KEY (`batch_id`) REFERENCES `batches`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `deliveries_batch` ON `deliveries` (`batch_id`) WHERE batch_id is not null;--> statement-breakpoint
CREATE INDEX `deliveries_troubled` ON `deliveries` (`edition_id`) WHERE state in ('failed','unknown');--> statement-breakpoint
CREATE INDEX `deliveries_provider` ON `deliveries` (`provider_id`) WHERE provider_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `deliveries_identity` ON `deliveries` (`subscriber_id`,`edition_id`,`generation`);--> statement-breakpoint
CREATE TABLE `edition_sessions` (
	`edition_id` text NOT NULL,
	`session_id` integer NOT NULL,
	`seq` integer NOT NULL,
	`snapshot` text NOT NULL,
	PRIMARY KEY(`edition_id`, `session_id`),
	FOREIGN KEY (`edition_id`) REFERENCES `editions`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `edition_tally` (
	`edition_id` text NOT NULL,
	`generation` integer NOT NULL,
	`state` text NOT NULL,
	`reason` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`edition_id`, `generation`, `state`, `reason`)
);
--> statement-breakpoint
CREATE TABLE `editions` (
	`id` text PRIMARY KEY NOT NULL,
	`scheduled_for` integer NOT NULL,
	`state` text NOT NULL,
	`through_seq` integer NOT NULL,
	`planned_through` integer DEFAULT 0 NOT NULL,
	`audience_through` integer NOT NULL,
	`paused_at` integer,
	`pause_reason` text,
	`created_at` integer NOT NULL,
	`planned_at` integer,
	`finished_at` integer
);
--> statement-breakpoint
CREATE TABLE `groups` (
	`id` integer PRIMARY KEY NOT NULL,
	`topic_id` integer NOT NULL,
	`kind` text DEFAULT 'therapy' NOT NULL,
	`title` text NOT NULL,
	`summary` text,
	`url` text,
	FOREIGN KEY (`topic_id`) REFERENCES `topics`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "groups_kind" CHECK("groups"."kind" in ('therapy','skills'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `groups_identity` ON `groups` (`topic_id`,`kind`,`title`);--> statement-breakpoint
CREATE TABLE `installation` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` integer PRIMARY KEY NOT NULL,
	`external_id` text NOT NULL,
	`group_id` integer NOT NULL,
	`therapist` text NOT NULL,
	`starts_at_local` text NOT NULL,
	`time_zone` text NOT NULL,
	`duration_minutes` integer DEFAULT 90 NOT NULL,
	`repeats` text DEFAULT 'weekly' NOT NULL,
	`occurrences` integer,
	`seats_total` integer,
	`seats_left` integer,
	`status` text DEFAULT 'open' NOT NULL,
	`booking_url` text NOT NULL,
	`seq` integer DEFAULT 0 NOT NULL,
	`added_seq` integer DEFAULT 0 NOT NULL,
	`news` text DEFAULT 'new' NOT NULL,
	`news_at` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`group_id`) REFERENCES `groups`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "sessions_status" CHECK("sessions"."status" in ('open','full','cancelled')),
	CONSTRAINT "sessions_repeats" CHECK("sessions"."repeats" in ('weekly','once')),
	CONSTRAINT "sessions_occurrences" CHECK("sessions"."occurrences" is null or "sessions"."occurrences" > 0),
	CONSTRAINT "sessions_seats" CHECK("sessions"."seats_left" is null or ("sessions"."seats_left" >= 0 and ("sessions"."seats_total" is null or "sessions"."seats_left" <= "sessions"."seats_total")))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_external_id_unique` ON `sessions` (`external_id`);--> statement-breakpoint
CREATE INDEX `sessions_seq` ON `sessions` (`seq`);--> statement-breakpoint
CREATE TABLE `subscriber_topics` (
	`subscriber_id` integer NOT NULL,
	`topic_id` integer NOT NULL,
	`chosen` integer NOT NULL,
	`seen_through` integer,
	PRIMARY KEY(`subscriber_id`, `topic_id`),
	FOREIGN KEY (`subscriber_id`) REFERENCES `subscribers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`topic_id`) REFERENCES `topics`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `subscribers` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`email` text NOT NULL,
	`email_hash` text NOT NULL,
	`name` text,
	`status` text NOT NULL,
	`time_zone` text NOT NULL,
	`locale` text DEFAULT 'en' NOT NULL,
	`cadence` text DEFAULT 'weekly' NOT NULL,
	`paused_until` integer,
	`discreet` integer DEFAULT false NOT NULL,
	`seen_through` integer DEFAULT 0 NOT NULL,
	`last_edition_id` text,
	`consent_text` text,
	`consent_source` text,
	`consented_at` integer,
	`unsubscribed_at` integer,
	`created_at` integer NOT NULL,
	CONSTRAINT "subscribers_status" CHECK("subscribers"."status" in ('pending','active','unsubscribed'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `subscribers_public_id_unique` ON `subscribers` (`public_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `subscribers_email_hash_unique` ON `subscribers` (`email_hash`);--> statement-breakpoint
CREATE TABLE `suppressions` (
	`email_hash` text PRIMARY KEY NOT NULL,
	`reason` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `templates` (
	`hash` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`content` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `topics` (
	`id` integer PRIMARY KEY NOT NULL,
	`slug` text NOT NULL,
	`name` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `topics_slug_unique` ON `topics` (`slug`);