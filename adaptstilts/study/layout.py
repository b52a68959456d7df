"""Names of files and folders inside artefacts."""

from __future__ import annotations

DATA_FOLDER = "files"
"""Folder of the generated data sets inside their artefact."""
PREDICTIONS_FOLDER = "predictions"
"""Folder of the predictions by language inside their artefact."""

NOTES_FILE = "notes.json"
"""Remarks on a whole study, beside its tables."""
PAGES_FILE = "pages.json"
"""Which files a report has, and its text for the terminal."""

SCORES_FILE = "scores.json"
TRAINING_FILE = "training.json"
LAYERS_FILE = "layers.json"
"""The layer that a retrieval target was predicted with, and the scores of all layers where they were swept."""

ENCODER_FOLDER = "encoder"
HEAD_FOLDER = "head"
"""Folders of a full model and its head; attachments name their own (`Attachment.part`)."""
RAW_FOLDER = "raw"
