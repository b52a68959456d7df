"""Plan, artefact store and execution of a study."""
