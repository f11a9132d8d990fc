"""PDFs are read, and the hostile ones are survived (HC E33)."""

import resource
import sys
import time
import zlib

import pytest

from domain.errors import Invalid
from infra.files.pdf import PdfReader
from infra.files.pdf_worker import MOST_MEMORY, MOST_SECONDS, MOST_TEXT
from tests.support.pdf import assembled, pdf_of


async def test_pages_with_text_stand_under_their_numbers():
    text = await PdfReader().text_of(pdf_of("Hello there.", "", "Good bye."))
    assert text == "[Page 1]\nHello there.\n\n[Page 3]\nGood bye."


async def test_a_pdf_without_any_text_has_none():
    assert await PdfReader().text_of(pdf_of("")) == ""


@pytest.mark.parametrize("content", [b"no pdf at all", b"%PDF-1.4\n", b"\x00" * 999])
async def test_what_is_no_pdf_is_refused(content):
    with pytest.raises(Invalid, match="cannot be read"):
        await PdfReader().text_of(content)


async def test_what_takes_too_long_is_ended():
    hanging = (sys.executable, "-c", "import time\nwhile True: time.sleep(1)")
    began = time.monotonic()
    with pytest.raises(Invalid, match="too long"):
        await PdfReader(within=0.5, command=hanging).text_of(pdf_of("x"))
    assert time.monotonic() - began < 60


async def test_the_process_bounds_its_own_memory_and_time():
    looks = (
        "import infra.files.pdf_worker as w, resource, sys, io;"
        "sys.stdin.close(); sys.stdin = open('/dev/null');"
        "w.main();"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0],"
        " resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    told = await PdfReader(command=(sys.executable, "-c", looks)).text_of(b"")
    memory, seconds = map(int, told.split())
    assert seconds == MOST_SECONDS
    if sys.platform == "linux":
        assert memory == MOST_MEMORY
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] != MOST_SECONDS


async def test_a_page_that_inflates_without_end_is_refused():
    line = b"(" + b"a" * 2**20 + b") Tj "
    flat = zlib.compress(b"BT /F1 9 Tf " + line * 40 + b"ET", 9).decode("latin-1")
    bomb = assembled(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 >>",
            *[
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 6 0 R"
                " /Resources << /Font << /F1 7 0 R >> >> >>"
                for _ in range(3)
            ],
            (
                f"<< /Length {len(flat)} /Filter /FlateDecode >>\n"
                f"stream\n{flat}\nendstream"
            ),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )
    assert len(bomb) < MOST_TEXT
    with pytest.raises(Invalid):
        await PdfReader(within=4).text_of(bomb)


async def test_pages_that_name_themselves_as_their_parents_end():
    looped = assembled(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>",
        ]
    )
    with pytest.raises(Invalid):
        await PdfReader().text_of(looped)
