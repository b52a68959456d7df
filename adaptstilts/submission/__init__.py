"""Folders of predictions in XTREME's layout: writing, checking and scoring them, and the leaderboard's order."""
