-- What is known of an edition before it is planned, and emails to operators about it.
CREATE TABLE reviews (
  edition_id text COLLATE "C" NOT NULL,
  scheduled_for bigint NOT NULL,
  stamp bigint NOT NULL DEFAULT 0,
  claimed_by text COLLATE "C",
  claimed_at bigint,
  reviewed_at bigint,
  sessions_version bigint,
  flags text COLLATE "C" NOT NULL DEFAULT '[]',
  answers text COLLATE "C" NOT NULL DEFAULT '{}',
  counts text COLLATE "C",
  counted_at bigint,
  told text COLLATE "C",
  held_at bigint,
  approved_at bigint,
  approved_flags text COLLATE "C",
  planned_at bigint,
  lapsed_at bigint,
  PRIMARY KEY (edition_id)
);
--> statement-breakpoint
ALTER TABLE notices ALTER subscriber_id DROP NOT NULL;
--> statement-breakpoint
ALTER TABLE notices ADD operator_id bigint REFERENCES operators (id) ON DELETE CASCADE;
--> statement-breakpoint
ALTER TABLE notices ADD edition_id text COLLATE "C";
--> statement-breakpoint
ALTER TABLE notices ADD CONSTRAINT notices_reader CHECK ((subscriber_id IS NULL) <> (operator_id IS NULL));
--> statement-breakpoint
CREATE UNIQUE INDEX notices_review ON notices (operator_id, edition_id, kind);
