"""What each kind of stage does: from a job and its inputs to the files of an artefact."""
