from __future__ import annotations

from helpdesk.domain.actions import Note
from helpdesk.domain.cases import Case
from helpdesk.domain.search import Query
from helpdesk.service.desk import Desk


async def test_a_case(dana: Desk) -> None:
    case = await dana.case("u1")
    assert isinstance(case, Case)
    page = await dana.find(Query())
    assert page.total
    out = await dana.perform(Note(user="u1", text="hello"))
    assert out.case.log[0].act == "note"
