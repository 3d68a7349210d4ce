#!/usr/bin/env python3
"""Compares a fresh list of Bedrock quota names with the frozen corpus.

    aws service-quotas list-aws-default-service-quotas --service-code bedrock > list.json
    tests/refresh-corpus.py list.json            # what was added, removed, renamed; exit 1 if anything was
    tests/refresh-corpus.py list.json --append   # also adds the new rows as `undecided`, for a person to read

LIST is that JSON, or a CSV with the columns quota_code and quota_name. Removed rows stay in the corpus: a name that one
account does not list is no proof that it is gone. Renamed rows take the new name and become undecided.
"""

import argparse
import csv
import json
import pathlib
import sys

CORPUS = pathlib.Path(__file__).parent / "data" / "quota-corpus.csv"
COLUMNS = ["quota_code", "quota_name", "family", "kind", "context", "model_ids", "decided"]


def read_list(path):
    """Code to name, of the JSON of the AWS CLI or of a CSV."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        rows = csv.DictReader(text.splitlines())
        return {row["quota_code"]: row["quota_name"] for row in rows}
    return {row["QuotaCode"]: row["QuotaName"] for row in json.loads(text)["Quotas"]}


def undecided(code, name):
    row = dict.fromkeys(COLUMNS, "")
    return row | {"quota_code": code, "quota_name": name, "decided": "undecided"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list", type=pathlib.Path)
    parser.add_argument("--corpus", type=pathlib.Path, default=CORPUS)
    parser.add_argument("--append", action="store_true")
    args = parser.parse_args()

    with args.corpus.open(encoding="utf-8", newline="") as file:
        corpus = {row["quota_code"]: row for row in csv.DictReader(file)}
    fresh = read_list(args.list)
    if not fresh:
        sys.exit(f"{args.list}: no quota in it; a list that is empty proves nothing")

    added = sorted(set(fresh) - set(corpus))
    removed = sorted(set(corpus) - set(fresh))
    both = sorted(set(corpus) & set(fresh))
    renamed = [code for code in both if corpus[code]["quota_name"] != fresh[code]]
    for code in added:
        print(f"added    {code}  {fresh[code]}")
    for code in removed:
        print(f"removed  {code}  {corpus[code]['quota_name']}")
    for code in renamed:
        print(f"renamed  {code}  {corpus[code]['quota_name']}  ->  {fresh[code]}")
    print(f"{len(added)} added, {len(removed)} removed, {len(renamed)} renamed, {len(fresh)} listed")

    if args.append and (added or renamed):
        for code in added + renamed:
            corpus[code] = undecided(code, fresh[code])
        with args.corpus.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(corpus[code] for code in sorted(corpus))
    return 1 if added or renamed else 0


if __name__ == "__main__":
    sys.exit(main())
