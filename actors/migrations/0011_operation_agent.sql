-- Bulk operations that give tasks to an agent, or to anybody (NULL).
ALTER TABLE operation ADD COLUMN agent TEXT;
