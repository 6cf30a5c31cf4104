"""The display of values on pages: numbers and times, words for enum values, charts, icons, translation."""
