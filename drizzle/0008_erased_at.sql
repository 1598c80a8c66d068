ALTER TABLE `suppressions` ADD `erased_at` integer;--> statement-breakpoint
UPDATE `suppressions` SET `erased_at` = `created_at` WHERE `reason` = 'erased';
