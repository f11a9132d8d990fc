-- Who asked last for a collection's model, a role and its host, and when.
ALTER TABLE work.collection ADD COLUMN wanted_by text, ADD COLUMN wanted_at timestamptz;
