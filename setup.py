"""What pyproject.toml cannot say: the top-level folders that travel inside the package, below `adaptstilts/shipped`."""

from setuptools import find_packages, setup

FOLDERS = ("configs", "checkpoints/mini", "docs")
SHIPPED = {f"adaptstilts.shipped.{folder.replace('/', '.')}": folder for folder in FOLDERS}

setup(packages=[*find_packages(include=["adaptstilts*"]), *SHIPPED], package_dir=SHIPPED)
