"""Engines: what carries stages out. Each takes orders and answers them; see `adaptstilts.study.execute.Engine`."""
