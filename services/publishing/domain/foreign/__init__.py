"""Articles as other systems write them down, read into one form. Pure: never opens, fetches or stores anything."""
