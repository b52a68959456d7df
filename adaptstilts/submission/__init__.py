"""Prediction folders in XTREME's layout: writing, checking and scoring them, and preparing them for the leaderboard."""
