"""The event log and the views made from it, in SQLite; the only folder of the centre that speaks SQL of them."""
