"""What pyproject.toml cannot say: a built package carries a copy of docs/ beside crossdock.web."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithGuides(build_py):
    """Copies the guides; an editable installation reads them where they are."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "crossdock/web/docs"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree("docs", target)


setup(cmdclass={"build_py": BuildWithGuides})
