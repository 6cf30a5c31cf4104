"""How values look on a page: numbers and times, words for enum values, charts, icons, translation."""
