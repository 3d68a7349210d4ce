"""The inputs of a parser, one a line in base 64, and back: corpus.py unpack FILE FOLDER, corpus.py pack FOLDER FILE."""

import base64
import hashlib
import pathlib
import sys

# So that what is kept stays a matter of some hundred kilobytes: the shortest inputs first.
MOST_BYTES = 150_000


def main(verb: str, source: pathlib.Path, target: pathlib.Path) -> None:
    if verb == "unpack":
        for line in source.read_text().splitlines():
            data = base64.b64decode(line)
            (target / hashlib.sha1(data).hexdigest()).write_bytes(data)
        return
    inputs = sorted((it.read_bytes() for it in source.iterdir()), key=lambda it: (len(it), it))
    lines, room = [], MOST_BYTES
    for data in inputs:
        line = base64.b64encode(data).decode()
        if len(line) <= room:
            lines.append(line)
            room -= len(line)
    target.write_text("".join(f"{line}\n" for line in lines))
    print(f"{len(lines)} of {len(inputs)} inputs are kept in {target}")


main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
