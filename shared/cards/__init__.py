"""Pictures made of an article's own words, for places that show a picture. Never fetches, never stores."""
