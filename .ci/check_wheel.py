"""The wheel holds one top-level package, and the wheel built from the sdist holds the same files."""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path


def files(wheel: Path) -> set[str]:
    """Every file in a wheel but its record, which holds checksums."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("RECORD")}


def main() -> None:
    """Checks the folder that `python -m build` filled."""
    dist = Path(sys.argv[1])
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    names = files(wheel)
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert top == {"rune_smt"}, f"the wheel's top level is {sorted(top)}"
    for name in ("py.typed", "grammar/canonical.lark", "grammar/vocabularies/dota-v1.5.toml", "report.css"):
        needed = f"rune_smt/{name}"
        assert needed in names, f"the wheel lacks {needed}"
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        (source,) = Path(folder).iterdir()
        again = Path(folder) / "wheel"
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(again), str(source)]
        subprocess.run(command, check=True, capture_output=True)
        (from_sdist,) = again.glob("*.whl")
        difference = names ^ files(from_sdist)
        assert not difference, f"wheel and wheel from sdist differ: {sorted(difference)}"
    print(f"{wheel.name}: {len(names)} files, top level rune_smt alone, the same from the sdist")


if __name__ == "__main__":
    main()
