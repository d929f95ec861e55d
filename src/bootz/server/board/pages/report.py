"""The shift report: to print, as CSV, as JSON."""

import csv
import io
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from bootz.server.board.newsroom import Newsroom
from bootz.server.board.view import page, url
from bootz.server.board.visitor import Visitor, visiting
from bootz.server.operations.chassis_state import ChassisState
from bootz.server.operations.shift_report import ShiftReport, shift_report

router = APIRouter(prefix="/report")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get("")
def report(
    visitor: Annotated[Visitor, Depends(visiting("status.show"))],
    hours: Annotated[int, Query(ge=1, le=24 * 90)] = 12,
    form: Annotated[Literal["html", "csv", "json"], Query(alias="format")] = "html",
) -> Response:
    """Show what the last hours did."""
    newsroom: Newsroom = visitor.request.app.state.newsroom
    glance = newsroom.look()
    now = visitor.door.clock()
    left = {
        state.value: count
        for state, count in glance.counts.items()
        if count and state is not ChassisState.READY
    }
    with visitor.door.database.read() as connection:
        made = shift_report(connection, now - timedelta(hours=hours), now, left)
    match form:
        case "json":
            return JSONResponse(made.to_document())
        case "csv":
            return _csv(made)
        case _:
            remaining = [tile for tile in glance.ordered() if tile.state is not ChassisState.READY]
            return page(
                visitor,
                "report.html",
                report=made,
                remaining=remaining,
                glance=glance,
                hours=hours,
                as_csv=url("/report", hours=hours, format="csv"),
                as_json=url("/report", hours=hours, format="json"),
            )


def _csv(made: ShiftReport) -> Response:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("part", "name", "value"))
    writer.writerows([[_plain(cell) for cell in row] for row in made.rows()])
    return Response(
        text.getvalue(),
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="shift.csv"'},
    )


def _plain(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
