"""One step of the schema each, in the order that their revisions say. A step that was released is never edited."""
