"""Stages of a study: functions that carry out a job and write the files of its artefact."""
