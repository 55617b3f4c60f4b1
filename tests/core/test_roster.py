"""router.core.roster: a file from a spreadsheet becomes agents, or says of each line what is wrong."""

from __future__ import annotations

import pytest

from router.core.document import FileErrors
from router.core.roster import Line, read

HEAD = "login,name,queues,skills,languages,capacity,role,password\n"


def test_lines_become_agents_with_what_they_leave_out() -> None:
    text = '\ufefflogin,Name,queues,languages\naoi,"葵, Aoi",checkout-help style,ja:5 en\n\nharu,陽,style,\n'
    assert read("a.csv", text) == [
        Line(2, "aoi", "葵, Aoi", ("checkout-help", "style"), (), ("ja:5", "en"), 3, "agent", ""),
        Line(4, "haru", "陽", ("style",), (), (), 3, "agent", ""),
    ]
    (line,) = read("a.csv", HEAD + "mana,Mana,style,gold:4,ja,5,supervisor,correct horse\n")
    assert (line.skills, line.capacity, line.role, line.password) == (
        ("gold:4",),
        5,
        "supervisor",
        "correct horse",
    )


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["a.csv:1:1: expected a column 'login'", "a.csv:1:1: expected a column 'name'"]),
        ("login,name,queues,wage\n", ["a.csv:1:1: unknown column 'wage'; known: login, name"]),
        (
            HEAD + "a,b\nc,C,q,,,many,,\n",
            ["a.csv:2:1: expected 8 columns, found 2", "a.csv:3:1: expected a capacity"],
        ),
        (HEAD + "a,A,q,,,,,\na,B,q,,,,,\n", ["a.csv:3:1: 'a' stands twice"]),
    ],
)
def test_every_fault_is_told_with_its_line(text: str, faults: list[str]) -> None:
    with pytest.raises(FileErrors) as told:
        read("a.csv", text)
    for fault in faults:
        assert fault in str(told.value)
