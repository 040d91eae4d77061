"""`make run` with stand-ins: `python -m tests.scripts.fake_run PREDICTOR TRANSFORMER DIRECTORY`, behaviours by name."""

import sys
from pathlib import Path

from scripts.run import Programs, main

if __name__ == "__main__":
    predictor, transformer, directory = sys.argv[1:]
    fake = (sys.executable, "-m", "tests.scripts.fake_server")
    sys.exit(
        main(
            Programs(
                predictor=(*fake, predictor, str(Path(directory) / "predictor.json")),
                transformer=(*fake, transformer, str(Path(directory) / "transformer.json")),
            )
        )
    )
