"""Names of files and folders inside artefacts."""

from __future__ import annotations

DATA_FOLDER = "files"
"""Generated data sets."""
PREDICTIONS_FOLDER = "predictions"
"""Predictions, one file per language."""

NOTES_FILE = "notes.json"
"""Remarks on a whole study, stored with its tables."""
PAGES_FILE = "pages.json"
"""Names of a report's files, and its text for the terminal."""
SCORES_FILE = "scores.json"
TRAINING_FILE = "training.json"

ENCODER_FOLDER = "encoder"
HEAD_FOLDER = "head"
"""Folders of a full model and its head; attachments name their own (`Attachment.kind_name`)."""
RAW_FOLDER = "raw"
"""Raw scores of predictions, one file per language."""
