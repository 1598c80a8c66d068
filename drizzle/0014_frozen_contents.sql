-- It holds templates and offers: whatever a batch was frozen with.
ALTER TABLE `templates` RENAME TO `frozen_contents`;
