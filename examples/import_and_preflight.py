r"""Import a table of chassis, and try everything that can fail before the night.

    BOOTZ_URL=https://bootz.example.net:15080 BOOTZ_TOKEN=… python \
        import_and_preflight.py routers.csv

Exit code 1 where something would stop a router.
"""

import os
import sys
from pathlib import Path

from bootz.client import ApiProblem, BootzClient, calls


def main() -> int:
    table = Path(sys.argv[1]).read_bytes()
    with BootzClient(os.environ["BOOTZ_URL"], os.environ["BOOTZ_TOKEN"]) as site:
        wanted = calls.import_run(table, content_type="text/csv", update=True, dry_run=True)
        try:
            tried = site.send(wanted)
        except ApiProblem as problem:
            for error in problem.problem.errors:
                print(f"{error.where}: {error.detail} ({error.reason})")
            return 1
        print(f"{tried.added} to add, {tried.updated} to change, {tried.same} the same")
        for change in tried.changes:
            print(f"  {change.action.value} {change.name} {'; '.join(change.changes)}")
        site.send(calls.import_run(table, content_type="text/csv", update=True))

        go = True
        page = site.send(calls.chassis_check_many(outcome="failed"))
        for found in [page.site, *page.results]:
            go = go and found.go
            for check in found.checks:
                if check.outcome.value == "failed":
                    print(f"{found.name}: {check.check}: {check.evidence}")
                    print(f"  next: {check.next_action}")
        print("go" if go else "no-go")
        return 0 if go else 1


if __name__ == "__main__":
    sys.exit(main())
