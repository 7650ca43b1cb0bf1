"""Synchronises the catalogue with TMDB (`work.sync`) and Wikidata (`wikidata.sync`)."""
